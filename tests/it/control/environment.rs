//! `PATCH /_emulator/program/{id}/environment/{id}`

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::app::TestApp;

const DEV: &str = "/api/program/4/pipeline/2";

const ENVIRONMENT: &str = "/_emulator/program/4/environment/59252";

#[tokio::test]
async fn the_validation_fails_while_the_environment_is_not_ready() {
    let app = TestApp::immediate().await;
    let before = app.start(DEV).await;
    for status in ["updating", "creating", "deleting", "failed"] {
        let answer = app.patch(ENVIRONMENT, &json!({"status": status})).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let body = answer.json();
        assert_eq!((&body["id"], &body["status"]), (&json!("59252"), &json!(status)));
        let shown = app.get("/api/program/4/environment/59252").await.json();
        assert_eq!(shown["status"], status);
        let execution = app.execution(&app.start(DEV).await).await;
        assert_eq!(execution.progress(), ["validate:FAILED"]);
        let message = execution.step("validate")["details"]["message"].as_str().unwrap();
        assert!(message.ends_with("is not ready."), "{message}");
    }
    assert_eq!(app.execution(&before).await.status(), "FINISHED");
    let app = app.restarted().await;
    assert_eq!(app.get("/api/program/4/environment/59252").await.json()["status"], "failed");
    app.patch(ENVIRONMENT, &json!({"status": "ready"})).await;
    assert_eq!(app.execution(&app.start(DEV).await).await.status(), "FINISHED");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_changes_nothing() {
    let app = TestApp::new().await;
    for body in [
        "",
        "[]",
        "{}",
        r#"{"status":"READY"}"#,
        r#"{"status":null}"#,
        r#"{"status":"updating","name":"x"}"#,
    ] {
        let answer = app.request(Method::PATCH, ENVIRONMENT, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
    }
    let shown = app.get("/api/program/4/environment/59252").await.json();
    assert_eq!(shown["status"], "ready");
    for path in ["/_emulator/program/4/environment/1", "/_emulator/program/9/environment/59252"] {
        let answer = app.patch(path, &json!({"status": "ready"})).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
}
