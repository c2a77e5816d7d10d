//! `POST …/pipeline/{id}/push-update`

use axum::http::StatusCode;
use serde_json::json;

use crate::app::{CODE_QUALITY, PRODUCTION, TestApp, link};

const UPDATE: &str = "/_emulator/program/4/pipeline/3/push-update";

#[tokio::test]
async fn an_update_builds_the_commit_of_the_last_success_anew() {
    let app = TestApp::immediate().await;
    let first = app.start(CODE_QUALITY).await;
    let commit = app.execution(&first).await.step("build")["commitId"].clone();
    let commits = "/_emulator/program/4/repository/1/branch/develop/commits";
    app.post(commits, &json!({"commitId": "newer"})).await;
    let failing = json!({"times": 1, "steps": [{"action": "build", "outcome": "FAILED"}]});
    app.scenario(CODE_QUALITY, &failing).await;
    app.start(CODE_QUALITY).await;

    let answer = app.post(UPDATE, &json!({})).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let started = answer.json();
    assert_eq!(started["trigger"], "PUSH_UPGRADES");
    assert_eq!(started["user"], "AdobeUpdate@techacct.adobe.com");
    assert_eq!(started["pipelineExecutionMode"], "NORMAL");
    let update = app.execution(&link(&started, "self").unwrap()).await;
    assert_eq!(update.status(), "FINISHED");
    assert_eq!(update.actions(), ["validate", "build", "codeQuality"]);
    assert_eq!(update.step("build")["commitId"], commit);
    assert_eq!(update.step("build")["details"], json!({}));
    let log = app.log(&link(&started, "self").unwrap(), "build").await;
    assert!(log.contains("BUILD SUCCESS"), "{log}");
}

#[tokio::test]
async fn an_update_is_refused_without_a_success_and_while_the_pipeline_runs() {
    let app = TestApp::new().await;
    let answer = app.post(UPDATE, &json!({})).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    let reason = "No execution of the pipeline has finished successfully yet.";
    assert_eq!(answer.errors(), reason);
    app.start(CODE_QUALITY).await;
    assert_eq!(app.post(UPDATE, &json!({})).await.status, StatusCode::PRECONDITION_FAILED);
    let missing = app.post("/_emulator/program/4/pipeline/99/push-update", &json!({})).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_update_has_all_steps_and_is_not_re_executed() {
    let app = TestApp::immediate().await;
    app.post("/_emulator/program/4/pipeline/1/history", &json!({"count": 1})).await;
    let update = app.post("/_emulator/program/4/pipeline/1/push-update", &json!({})).await.json();
    let update = link(&update, "self").unwrap();
    app.accept(&update, "prod approval", "pipeline/advance", &json!({"approved": true})).await;
    let shown = app.execution(&update).await;
    assert_eq!((shown.status(), shown.steps().len()), ("FINISHED", 10));
    assert_eq!(shown.link("prod deploy", "pipeline/reExecute"), None);
    let answer = app
        .request(axum::http::Method::PUT, &format!("{PRODUCTION}/execution?stepId=2983530"), "")
        .await;
    assert_eq!(
        answer.errors(),
        "The step can't be re-executed: executions with this trigger can't be re-executed."
    );
}
