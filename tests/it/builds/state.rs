//! Stored files as part of the whole state.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::{ARTIFACTS, DEV, DISPATCHER, PACKAGE, artifacts, upload};
use crate::app::{PRODUCTION, TestApp, link};

#[tokio::test]
async fn an_exported_state_holds_uploads_and_what_executions_built() {
    let app = TestApp::immediate().await;
    upload(&app, "dispatcher.zip", DISPATCHER).await;
    let execution = app.start(DEV).await;
    app.delete(&format!("{ARTIFACTS}/dispatcher.zip")).await;
    upload(&app, "apps.zip", PACKAGE).await;
    let state = app.get("/_emulator/state").await.bytes;
    let list = app.get(ARTIFACTS).await.json();

    let other = TestApp::immediate().await;
    let answer = other.request(Method::PUT, "/_emulator/state", state).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
    assert_eq!(other.get(ARTIFACTS).await.json(), list);
    let artifact = &artifacts(&other, &execution).await[0];
    assert!(other.download(&link(artifact, "self").unwrap()).await.bytes == DISPATCHER);
    other.post("/_emulator/reset", &json!({})).await;
    assert_eq!(other.get(ARTIFACTS).await.json(), json!({"artifacts": []}));
    other.run_purger();
    while other.query("SELECT count(*) FROM chunks").await > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_damaged_content_is_not_imported() {
    for (change, said) in [
        ("UPDATE chunks SET bytes = zeroblob(length(bytes))", "digest is not that"),
        ("UPDATE chunks SET bytes = x'00'", "wrong length"),
        ("DELETE FROM chunks", "not stored"),
        ("UPDATE contents SET kind = '{}'", "contents"),
        ("UPDATE contents SET complete = 0", "incomplete"),
    ] {
        let app = TestApp::immediate().await;
        upload(&app, "dispatcher.zip", DISPATCHER).await;
        let app = app.restarted_after(change).await;
        let state = app.get("/_emulator/state").await.bytes;
        let other = TestApp::immediate().await;
        let answer = other.request(Method::PUT, "/_emulator/state", state).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{change}");
        assert!(answer.text().contains(said), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_re_execution_takes_exactly_what_was_built() {
    let app = TestApp::immediate().await;
    let main = ARTIFACTS.replace(super::COMMIT, "21eeb31e59b0cab98e42c700ce7d2fc98828e947");
    let path = format!("{main}/dispatcher.zip");
    app.request(Method::PUT, &path, DISPATCHER.to_vec()).await;
    let entry = json!({"action": "deploy", "environmentType": "prod", "outcome": "FAILED"});
    app.scenario(PRODUCTION, &json!({"times": 1, "steps": [entry]})).await;
    let execution = app.start(PRODUCTION).await;
    app.accept(&execution, "prod approval", "pipeline/advance", &json!({"approved": true})).await;
    app.delete(&path).await;
    app.request(Method::PUT, &path.replace("dispatcher", "apps"), PACKAGE.to_vec()).await;
    let shown = app.execution(&execution).await;
    let href = shown.link("prod deploy", "pipeline/reExecute").unwrap();
    let answer = app.put(&href, &json!({})).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let again = link(&answer.json(), "self").unwrap();
    let artifact = &artifacts(&app, &again).await[0];
    assert_eq!(artifact["file"], "dispatcher.zip");
    assert_eq!(app.execution(&again).await.status(), "FINISHED");
}

#[tokio::test]
async fn a_rollback_takes_exactly_what_was_built() {
    let app = TestApp::immediate().await;
    let main = ARTIFACTS.replace(super::COMMIT, "21eeb31e59b0cab98e42c700ce7d2fc98828e947");
    let path = format!("{main}/dispatcher.zip");
    app.request(Method::PUT, &path, DISPATCHER.to_vec()).await;
    let deploy = async || {
        let execution = app.start(PRODUCTION).await;
        let body = json!({"approved": true});
        app.accept(&execution, "prod approval", "pipeline/advance", &body).await;
        assert_eq!(app.execution(&execution).await.status(), "FINISHED");
    };
    deploy().await;
    // The demo's three artifacts, of the same commit.
    app.delete(&path).await;
    deploy().await;

    let path = format!("{PRODUCTION}/execution?rollback=true");
    let answer = app.request(Method::PUT, &path, "").await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let rollback = link(&answer.json(), "self").unwrap();
    let [artifact] = &artifacts(&app, &rollback).await[..] else { panic!() };
    assert!(app.download(&link(artifact, "self").unwrap()).await.bytes == DISPATCHER);
    let log = app.log(&rollback, "prod deploy").await;
    assert!(log.contains("[INFO] Dispatcher artifact dispatcher.zip\n"), "{log}");
}
