//! `PUT …/execution?stepId=…`: re-execution of a production deployment.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::app::{Answer, OVERSEEN, PRODUCTION, TestApp};

const RE_EXECUTE: &str = "pipeline/reExecute";

async fn put(app: &TestApp, path: &str) -> Answer {
    app.request(Method::PUT, path, Body::empty()).await
}

/// An execution whose production deployment ended as a scenario says.
async fn deployed(outcome: &str) -> (TestApp, String) {
    let app = TestApp::immediate().await;
    let entry = json!({"action": "deploy", "environmentType": "prod", "outcome": outcome,
        "message": "A disk was full."});
    app.scenario(PRODUCTION, &json!({"times": 1, "steps": [entry]})).await;
    let execution = app.start(PRODUCTION).await;
    app.accept(&execution, "prod approval", "pipeline/advance", &json!({"approved": true})).await;
    (app, execution)
}

#[tokio::test]
async fn a_production_deployment_that_is_over_is_re_executed_by_its_link() {
    for (outcome, status) in [("FINISHED", "FINISHED"), ("FAILED", "FAILED"), ("ERROR", "ERROR")] {
        let (app, execution) = deployed(outcome).await;
        let shown = app.execution(&execution).await;
        assert_eq!(shown.status(), status);
        let href = shown.link("prod deploy", RE_EXECUTE).unwrap();
        assert_eq!(href, "/api/program/4/pipeline/1/execution?stepId=2983530");

        let answer = put(&app, &href).await;
        assert_eq!(answer.status, StatusCode::CREATED);
        let created = answer.json();
        assert_eq!(created["trigger"], "RE_EXECUTE");
        assert_eq!(created["pipelineExecutionMode"], "NORMAL");
        let again = app.execution(created["_links"]["self"]["href"].as_str().unwrap()).await;
        assert_eq!(again.actions(), ["validate", "build", "prod deploy"]);
        assert_eq!(again.status(), "FINISHED");

        // The link has moved on to the last execution.
        assert!(again.link("prod deploy", RE_EXECUTE).is_some());
        let shown = app.execution(&execution).await;
        assert_eq!(shown.link("prod deploy", RE_EXECUTE), None);
    }
}

#[tokio::test]
async fn the_failure_is_told() {
    let (app, execution) = deployed("FAILED").await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.step("prod deploy")["details"]["message"], "A disk was full.");
}

#[tokio::test]
async fn it_copies_the_artifacts_and_says_so() {
    let (app, execution) = deployed("FAILED").await;
    let source = app.execution(&execution).await;
    let href = source.link("prod deploy", RE_EXECUTE).unwrap();
    let created = put(&app, &href).await.json();
    let again = app.execution(created["_links"]["self"]["href"].as_str().unwrap()).await;
    let build = again.step("build");
    assert_eq!(build["commitId"], source.step("build")["commitId"]);
    assert_eq!(
        build["details"]["message"],
        "The artifacts are copied from execution 953671; nothing is built."
    );
    let log = app.get(&again.link("build", "pipeline/logs").unwrap()).await.json();
    let url = log["redirect"].as_str().unwrap().replace("http://127.0.0.1:4600", "");
    let log = app.get(&url).await.text();
    assert!(log.contains("Artifacts copied from execution 953671, version "), "{log}");
    // Steps are those of the definition, step states are new.
    assert_eq!(build["stepId"], source.step("build")["stepId"]);
    assert_ne!(build["id"], source.step("build")["id"]);
}

#[tokio::test]
async fn the_source_must_be_the_last_execution() {
    let (app, _) = deployed("FAILED").await;
    let path = format!("{PRODUCTION}/execution?stepId=2983530&sourceExecutionId=");
    for source in ["1", "953670", "x", ""] {
        let answer = put(&app, &format!("{path}{source}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{source}");
        assert_eq!(answer.errors(), "sourceExecutionId is not the pipeline's last execution.");
    }
    assert_eq!(put(&app, &format!("{path}953671")).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn what_can_not_be_re_executed_is_refused_with_the_reason() {
    let (app, execution) = deployed("FAILED").await;
    let build = app.execution(&execution).await.step("build")["stepId"].clone();
    for (step, expected) in [
        (build.as_str().unwrap(), "The step can't be re-executed: the step is not a production"),
        ("77", "The pipeline's last execution has no step with this stepId."),
        ("", "The pipeline's last execution has no step with this stepId."),
    ] {
        let answer = put(&app, &format!("{PRODUCTION}/execution?stepId={step}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{step}");
        assert!(answer.errors().starts_with(expected), "{step}: {}", answer.errors());
    }
    let answer = put(&app, &format!("{OVERSEEN}/execution?stepId=1")).await;
    assert!(answer.errors().starts_with("The pipeline has no execution"), "{}", answer.errors());
}

#[tokio::test]
async fn what_failed_before_the_production_deployment_is_not_re_executed() {
    let app = TestApp::immediate().await;
    let failing = json!({"steps": [{"action": "build", "outcome": "FAILED"}]});
    app.scenario(PRODUCTION, &failing).await;
    let execution = app.start(PRODUCTION).await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.status(), "FAILED");
    assert_eq!(shown.link("prod deploy", RE_EXECUTE), None);
    let answer = put(&app, &format!("{PRODUCTION}/execution?stepId=2983530")).await;
    assert_eq!(
        answer.errors(),
        "The step can't be re-executed: the execution ended before its production deployment began; \
         start a whole execution instead."
    );
}

#[tokio::test]
async fn a_later_execution_takes_the_link_away() {
    let (app, execution) = deployed("FINISHED").await;
    assert!(app.execution(&execution).await.link("prod deploy", RE_EXECUTE).is_some());
    app.start(PRODUCTION).await;
    assert_eq!(app.execution(&execution).await.link("prod deploy", RE_EXECUTE), None);
}
