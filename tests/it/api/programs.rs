//! `/api/tenants`, `/api/tenant/{id}`, `/api/programs`, `/api/program/{id}`

use axum::body::Body;
use axum::http::{Method, StatusCode};
use cloudmanager_emulator::domain::pace::Pace;
use cloudmanager_emulator::seed;

use crate::app::{TestApp, signed};

#[tokio::test]
async fn tenants_and_programs_are_shown() {
    let app = TestApp::new().await;
    insta::assert_json_snapshot!("tenants", app.get("/api/tenants").await.json());
    insta::assert_json_snapshot!("tenant", app.get("/api/tenant/1").await.json());
    insta::assert_json_snapshot!("programs", app.get("/api/programs").await.json());
    insta::assert_json_snapshot!("program", app.get("/api/program/4").await.json());
    let list = app.get("/api/tenant/1/programs").await.json();
    assert_eq!(list["_embedded"], app.get("/api/programs").await.json()["_embedded"]);
    assert_eq!(list["_links"]["self"]["href"], "/api/tenant/1/programs?start=0&limit=100");
}

#[tokio::test]
async fn lists_answer_everything_by_default_and_pages_on_demand() {
    let app = TestApp::new().await;
    let list = app.get("/api/programs?start=1&limit=1").await.json();
    assert_eq!(list["_embedded"]["programs"][0]["id"], "5");
    assert_eq!(list["_totalNumberOfItems"], 2);
    let list = app.get("/api/programs?start=7").await.json();
    assert_eq!(list["_embedded"]["programs"].as_array().unwrap().len(), 0);
    let answer = app.get("/api/programs?limit=0").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_tenant_sees_only_its_own() {
    let text = r#"
tenants:
  - { id: "1", imsOrgId: 1234567890ABCDEF12345678@AdobeOrg, imsTenantId: one }
  - { id: "2", imsOrgId: OTHER@AdobeOrg, imsTenantId: two }
programs:
  - { id: "4", tenantId: "1", name: One }
  - { id: "5", tenantId: "2", name: Two }
"#;
    let app = TestApp::with(Pace::Immediate, seed::read(text).unwrap()).await;
    let ids = |list: serde_json::Value, name: &str| -> Vec<String> {
        let items = list["_embedded"][name].as_array().unwrap().clone();
        items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(app.get("/api/programs").await.json(), "programs"), ["4"]);
    assert_eq!(ids(app.get("/api/tenants").await.json(), "tenants"), ["1"]);
    for path in
        ["/api/program/5", "/api/program/5/pipelines", "/api/tenant/2", "/api/tenant/2/programs"]
    {
        assert_eq!(app.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let mut request = signed(Method::GET, "/api/program/5").body(Body::empty()).unwrap();
    request.headers_mut().insert("x-gw-ims-org-id", "OTHER@AdobeOrg".parse().unwrap());
    assert_eq!(app.send(request).await.status, StatusCode::OK);
}

#[tokio::test]
async fn whatever_names_nothing_is_a_404() {
    let app = TestApp::new().await;
    for id in ["6", "0", "-4", "04", "x", "%ff", "%00", "4.0", "99999999999999999999", "%2e%2e"] {
        for path in [format!("/api/program/{id}"), format!("/api/tenant/{id}")] {
            assert_eq!(app.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
}
