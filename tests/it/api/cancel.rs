//! `…/cancel` of running steps.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::app::{PRODUCTION, TestApp};

const CANCEL: &str = "pipeline/cancel";

#[tokio::test]
async fn cancelling_a_running_build_takes_a_moment() {
    let app = TestApp::new().await;
    let execution = app.start(PRODUCTION).await;
    app.advance("PT3S").await;
    app.accept(&execution, "build", CANCEL, &json!({"cancel": true})).await;

    let shown = app.execution(&execution).await;
    assert_eq!(shown.status(), "CANCELLING");
    assert_eq!(shown.step("build")["status"], "CANCELLED");
    assert_eq!(shown.step("build")["finishedAt"], "2026-03-05T10:00:03.000+0000");
    assert_eq!(shown.step("build")["details"]["input"], json!({"cancel": true}));
    assert!(shown.steps().iter().all(|step| {
        step["_links"].get("http://ns.adobe.com/adobecloud/rel/pipeline/cancel").is_none()
    }));
    // The pipeline is still busy.
    let path = format!("{PRODUCTION}/execution");
    let start = app.request(Method::PUT, &path, Body::empty()).await;
    assert_eq!(start.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(app.execution(&path).await.status(), "CANCELLING");
    assert_eq!(app.get(PRODUCTION).await.json()["status"], "BUSY");

    app.advance("PT0.999S").await;
    assert_eq!(app.execution(&execution).await.status(), "CANCELLING");
    app.advance("PT0.001S").await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.status(), "CANCELLED");
    assert_eq!(shown.0["finishedAt"], "2026-03-05T10:00:04.000+0000");
    assert_eq!(shown.0["updatedAt"], shown.0["finishedAt"]);
    assert_eq!(shown.progress(), ["validate:FINISHED", "build:CANCELLED"]);
    app.start(PRODUCTION).await;
}

#[tokio::test]
async fn builds_and_tests_can_be_cancelled_while_they_run_and_others_can_not() {
    let app = TestApp::new().await;
    let execution = app.start(PRODUCTION).await;
    let mut cancellable = Vec::new();
    let mut others = Vec::new();
    for _ in 0..20 {
        let shown = app.execution(&execution).await;
        let running = shown.steps().iter().find(|step| step["status"] == "RUNNING").unwrap();
        let action = running["action"].as_str().unwrap().to_owned();
        let path = crate::app::link(running, "self").unwrap() + "/cancel";
        if crate::app::link(running, CANCEL).is_some() {
            cancellable.push(action);
        } else {
            let answer = app.put(&path, &json!({"cancel": true})).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND);
            others.push(action);
        }
        app.advance("PT1S").await;
    }
    cancellable.dedup();
    others.dedup();
    let expected = ["build", "securityTest", "loadTest", "assetsTest", "reportPerformanceTest"];
    assert_eq!(cancellable, expected);
    assert_eq!(others, ["validate", "codeQuality", "deploy"]);
}

#[tokio::test]
async fn the_body_must_say_so() {
    let app = TestApp::new().await;
    let execution = app.start(PRODUCTION).await;
    app.advance("PT3S").await;
    for body in [json!({}), json!({"cancel": false}), json!({"override": false}), json!([])] {
        let answer = app.follow(&execution, "build", CANCEL, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.errors(), "cancel: must be true");
    }
    assert_eq!(app.execution(&execution).await.status(), "RUNNING");
}
