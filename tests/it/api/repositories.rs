//! Repositories and their branches.

use axum::http::StatusCode;
use serde_json::json;

use crate::app::TestApp;

#[tokio::test]
async fn a_repository_is_shown_and_listed() {
    let app = TestApp::new().await;
    let shown = app.get("/api/program/4/repository/1").await.json();
    assert_eq!(shown["id"], "1");
    assert_eq!(shown["programId"], "4");
    assert_eq!(shown["repo"], "weretail");
    assert_eq!(shown["repositoryUrl"], "https://git.cloudmanager.adobe.com/weretail/weretail/");
    let list = app.get("/api/program/4/repositories").await.json();
    assert_eq!(list["_embedded"]["repositories"], json!([shown]));
    assert_eq!(list["_totalNumberOfItems"], 1);
    let past = app.get("/api/program/4/repositories?start=1&limit=5").await.json();
    assert_eq!(past["_embedded"]["repositories"], json!([]));
    for id in ["2", "x", "-1", "%2F", "99999999999999999999"] {
        for rest in ["", "/branches"] {
            let path = format!("/api/program/4/repository/{id}{rest}");
            assert_eq!(app.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
}

#[tokio::test]
async fn branches_are_listed_without_tags() {
    let app = TestApp::new().await;
    let commits = "/_emulator/program/4/repository/1/branch";
    for branch in ["feature%2Fa", "refs%2Ftags%2Fv2"] {
        let create = json!({"create": true});
        let answer = app.post(&format!("{commits}/{branch}/commits"), &create).await;
        assert_eq!(answer.status, StatusCode::CREATED);
    }
    let list = app.get("/api/program/4/repository/1/branches").await.json();
    let branches = list["_embedded"]["branches"].as_array().unwrap();
    let names: Vec<_> = branches.iter().map(|branch| branch["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["develop", "feature/a", "main"]);
    assert_eq!(branches[0]["repositoryId"], 1);
    assert_eq!(branches[0]["programId"], "4");
}
