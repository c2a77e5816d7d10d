//! `PUT …/execution?pipelineExecutionMode=EMERGENCY`

use axum::body::Body;
use axum::http::{Method, StatusCode};
use cloudmanager_emulator::domain::pace::Pace;
use cloudmanager_emulator::seed;
use serde_json::json;

use crate::app::{OVERSEEN, PRODUCTION, TestApp};

const EMERGENCY: &str = "?pipelineExecutionMode=EMERGENCY";

#[tokio::test]
async fn tests_are_left_out_and_approvals_are_not() {
    let app = TestApp::immediate().await;
    let execution = app.start_with(PRODUCTION, EMERGENCY).await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.0["pipelineExecutionMode"], "EMERGENCY");
    assert_eq!(
        shown.actions(),
        ["validate", "build", "codeQuality", "stage deploy", "prod approval", "prod deploy"]
    );
    assert_eq!(shown.progress().last().unwrap(), "prod approval:WAITING");
    app.accept(&execution, "prod approval", "pipeline/advance", &json!({"approved": true})).await;
    assert_eq!(app.execution(&execution).await.status(), "FINISHED");
}

#[tokio::test]
async fn approval_after_stage_deployment_schedule_and_oversight_stay() {
    let app = TestApp::immediate().await;
    app.request(Method::PATCH, "/_emulator/program/5", r#"{"emergencyMode":true}"#).await;
    let execution = app.start_with(OVERSEEN, EMERGENCY).await;
    let actions = app.execution(&execution).await.actions();
    let expected = ["stage deploy", "stage approval", "prod approval", "schedule", "managed"];
    assert_eq!(actions[3..8], expected);
}

#[tokio::test]
async fn the_content_audit_stays() {
    let demo = include_str!("../../../src/seed/demo.yaml");
    let seed = seed::read(&demo.replacen(
        "- { name: assetsTest }",
        "- { name: assetsTest }\n              - { name: contentAudit }",
        1,
    ));
    let app = TestApp::with(Pace::Immediate, seed.unwrap()).await;
    let normal = app.start(PRODUCTION).await;
    let actions = app.execution(&normal).await.actions();
    assert!(actions.contains(&"contentAudit".to_owned()), "{actions:?}");
    app.accept(&normal, "prod approval", "pipeline/cancel", &json!({"approved": false})).await;
    let emergency = app.start_with(PRODUCTION, EMERGENCY).await;
    let left_out = ["securityTest", "loadTest", "assetsTest", "reportPerformanceTest"];
    let expected: Vec<_> =
        actions.into_iter().filter(|action| !left_out.contains(&action.as_str())).collect();
    assert_eq!(app.execution(&emergency).await.actions(), expected);
}

#[tokio::test]
async fn it_is_refused_where_it_is_not_activated() {
    let app = TestApp::new().await;
    let path = format!("{OVERSEEN}/execution{EMERGENCY}");
    let answer = app.request(Method::PUT, &path, Body::empty()).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.errors().contains("not activated for this program"), "{}", answer.errors());
    let executions = app.get(&format!("{OVERSEEN}/executions")).await.json();
    assert_eq!(executions["_totalNumberOfItems"], 0);
}

#[tokio::test]
async fn it_is_refused_for_other_than_production_pipelines() {
    let app = TestApp::new().await;
    for pipeline in ["/api/program/4/pipeline/2", "/api/program/4/pipeline/3"] {
        let path = format!("{pipeline}/execution{EMERGENCY}");
        let answer = app.request(Method::PUT, &path, Body::empty()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.errors().contains("Only production pipelines"), "{}", answer.errors());
    }
}
