//! Environments and regions.

use axum::http::StatusCode;
use serde_json::json;

use crate::app::{TestApp, rels};

#[tokio::test]
async fn an_environment_is_shown() {
    let app = TestApp::new().await;
    let path = "/api/program/4/environment/59254";
    let shown = app.get(path).await.json();
    for (field, value) in [
        ("id", "59254"),
        ("programId", "4"),
        ("name", "weretail-global-b75-prod"),
        ("type", "prod"),
        ("status", "ready"),
        ("region", "uswest2"),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    assert_eq!(
        rels(&shown),
        ["author", "logs", "pipeline", "program", "publish", "variables", "self"]
    );
    let link =
        |rel: &str| shown["_links"][format!("http://ns.adobe.com/adobecloud/rel/{rel}")].clone();
    assert_eq!(shown["_links"]["self"]["href"], path);
    assert_eq!(link("logs")["templated"], true);
    assert_eq!(
        link("logs")["href"],
        format!("{path}/logs?service={{service}}&name={{name}}&days={{days}}")
    );
    // Where the instances are: addresses of their own, which lead nowhere.
    let author = "https://weretail-global-b75-prod-author.example.adobecqms.net";
    assert_eq!(link("author")["href"], author);
    let options = shown["availableLogOptions"].as_array().unwrap();
    assert_eq!(options.len(), 9);
    assert!(options.contains(&json!({"service": "author", "name": "aemerror"})));
    assert!(options.contains(&json!({"service": "dispatcher", "name": "httpdaccess"})));
}

#[tokio::test]
async fn environments_are_listed_all_or_by_type() {
    let app = TestApp::new().await;
    for (query, expected) in [
        ("", &["59252", "59253", "59254"][..]),
        ("?type=dev", &["59252"]),
        ("?type=prod", &["59254"]),
        ("?type=rde", &[]),
        ("?start=5&limit=1", &["59252", "59253", "59254"]),
    ] {
        let path = format!("/api/program/4/environments{query}");
        let list = app.get(&path).await.json();
        let listed = list["_embedded"]["environments"].as_array().unwrap();
        let ids: Vec<_> = listed.iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert_eq!(ids, expected, "{query}");
        assert_eq!(list["_totalNumberOfItems"], expected.len());
    }
    for query in ["?type=moon", "?type=", "?type=DEV"] {
        let answer = app.get(&format!("/api/program/4/environments{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.errors(), "type: must be one of dev, stage, prod, rde, preprod");
    }
}

#[tokio::test]
async fn what_is_no_environment_of_the_program_is_not_found() {
    let app = TestApp::new().await;
    for id in
        ["59262", "0", "-1", "x", "%2e%2e", "59252%00", "99999999999999999999", "%ff", "59252.0"]
    {
        for rest in ["", "/variables", "/logs?days=1", "/logs/download"] {
            let path = format!("/api/program/4/environment/{id}{rest}");
            assert_eq!(app.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        let path = format!("/api/program/4/environment/{id}");
        assert_eq!(app.delete(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_program_has_one_region() {
    let app = TestApp::new().await;
    let list = app.get("/api/program/4/regions").await.json();
    let this = json!({"href": "/api/program/4/regions", "templated": false});
    assert_eq!(
        list["_embedded"]["regions"],
        json!([{"name": "uswest2", "_links": {"self": this}}])
    );
}
