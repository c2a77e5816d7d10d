//! `…/execution/{id}/explain`

use axum::http::StatusCode;

use crate::app::{PRODUCTION, TestApp};

#[tokio::test]
async fn it_is_explained_which_links_there_are_and_why_not_the_others() {
    let app = TestApp::immediate().await;
    let execution = app.start(PRODUCTION).await;
    let path = execution.replace("/api/", "/_emulator/") + "/explain";
    insta::assert_json_snapshot!(app.get(&path).await.json());
    let answer = app.get("/_emulator/program/4/pipeline/1/execution/1/explain").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}
