//! `PUT …/execution?rollback=true`: a rollback of a production deployment.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{Answer, CODE_QUALITY, Execution, PRODUCTION, TestApp, link};

const ROLLBACK: &str = "rollbackLastSuccessfulExecution";

async fn put(app: &TestApp, query: &str) -> Answer {
    let path = format!("{PRODUCTION}/execution?{query}");
    app.request(Method::PUT, &path, Body::empty()).await
}

async fn commit(app: &TestApp, commit: &str) {
    let path = "/_emulator/program/4/repository/1/branch/main/commits";
    assert_eq!(app.post(path, &json!({ "commitId": commit })).await.status, StatusCode::CREATED);
}

/// Deploys what is on the branch to production.
async fn deploy(app: &TestApp) -> Execution {
    let execution = app.start(PRODUCTION).await;
    app.accept(&execution, "prod approval", "pipeline/advance", &json!({"approved": true})).await;
    app.execution(&execution).await
}

/// The link of a rollback, in the pipeline and in the list of pipelines.
async fn href(app: &TestApp) -> Option<String> {
    let href = link(&app.get(PRODUCTION).await.json(), ROLLBACK);
    let list = app.get("/api/program/4/pipelines").await.json();
    assert_eq!(link(&list["_embedded"]["pipelines"][0], ROLLBACK), href);
    href
}

async fn roll_back(app: &TestApp) -> Execution {
    let href = href(app).await.expect("a link");
    assert_eq!(href, format!("{PRODUCTION}/execution?rollback=true"));
    let answer = app.request(Method::PUT, &href, Body::empty()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    app.execution(&link(&answer.json(), "self").unwrap()).await
}

/// Checks that a rollback is refused with that reason and has no link.
async fn check_refusal(app: &TestApp, reason: &str) {
    assert_eq!(href(app).await, None, "{reason}");
    let answer = put(app, "rollback=true").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.errors(), format!("The pipeline can't be rolled back: {reason}."));
}

fn commit_of(execution: &Execution) -> &Value {
    &execution.step("build")["commitId"]
}

#[tokio::test]
async fn a_rollback_deploys_the_newest_other_artifacts() {
    let app = TestApp::immediate().await;
    let first = deploy(&app).await;
    commit(&app, "two").await;
    let second = deploy(&app).await;
    // The same commit again: its artifacts are reused.
    deploy(&app).await;

    let back = roll_back(&app).await;
    assert_eq!((back.status(), back.0["trigger"].as_str()), ("FINISHED", Some("ROLLBACK")));
    assert_eq!(back.actions(), ["validate", "build", "prod deploy"]);
    assert_eq!(commit_of(&back), commit_of(&first));
    let message = "The artifacts are copied from execution 953671; nothing is built.";
    assert_eq!(back.step("build")["details"]["message"], message);
    assert_eq!(back.link("prod deploy", "pipeline/reExecute"), None);
    let deployed = back.step("prod deploy")["details"]["deployCommands"].as_str().unwrap();
    let version = first.0["artifactsVersion"].as_str().unwrap();
    assert!(deployed.contains(version), "{deployed}");

    // A rollback of the rollback goes forward again.
    assert_eq!(commit_of(&roll_back(&app).await), commit_of(&second));
}

#[tokio::test]
async fn a_failed_deployment_is_rolled_back_to_what_was_there() {
    let app = TestApp::immediate().await;
    let first = deploy(&app).await;
    commit(&app, "two").await;
    let entry = json!({"action": "deploy", "environmentType": "prod", "outcome": "FAILED"});
    app.scenario(PRODUCTION, &json!({"times": 1, "steps": [entry]})).await;
    assert_eq!(deploy(&app).await.status(), "FAILED");
    assert_eq!(commit_of(&roll_back(&app).await), commit_of(&first));
}

#[tokio::test]
async fn a_rollback_that_is_not_possible_is_refused_with_the_reason() {
    let app = TestApp::immediate().await;
    check_refusal(&app, "it has no execution").await;
    let nothing_earlier = "no earlier execution finished with another commit or other artifacts";
    deploy(&app).await;
    check_refusal(&app, nothing_earlier).await;
    deploy(&app).await;
    check_refusal(&app, nothing_earlier).await;

    commit(&app, "two").await;
    let running = app.start(PRODUCTION).await;
    assert_eq!(href(&app).await, None);
    assert_eq!(put(&app, "rollback=true").await.status, StatusCode::PRECONDITION_FAILED);
    let rejected = json!({"approved": false});
    app.accept(&running, "prod approval", "pipeline/cancel", &rejected).await;
    check_refusal(&app, "its last execution ended before its production deployment began").await;

    let path = format!("{CODE_QUALITY}/execution?rollback=true");
    let answer = app.request(Method::PUT, &path, Body::empty()).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let said = "The pipeline can't be rolled back: it is not a production pipeline.";
    assert_eq!(answer.errors(), said);
}

#[tokio::test]
async fn one_of_several_rollbacks_at_once_is_started() {
    let app = TestApp::new().await;
    app.post("/_emulator/program/4/pipeline/1/history", &json!({"count": 2})).await;
    let answers = futures_util::future::join_all((0..10).map(|_| put(&app, "rollback=true"))).await;
    let started = answers.iter().filter(|it| it.status == StatusCode::CREATED).count();
    let busy = answers.iter().filter(|it| it.status == StatusCode::PRECONDITION_FAILED).count();
    assert_eq!((started, busy), (1, 9));
}

#[tokio::test]
async fn the_target_is_known_after_a_restart_and_an_import() {
    let app = TestApp::immediate().await;
    let first = deploy(&app).await;
    commit(&app, "two").await;
    let second = deploy(&app).await;
    let app = app.restarted().await;
    assert_eq!(commit_of(&roll_back(&app).await), commit_of(&first));

    let state = app.get("/_emulator/state").await.bytes;
    let other = TestApp::immediate().await;
    let answer = other.request(Method::PUT, "/_emulator/state", state).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(commit_of(&roll_back(&other).await), commit_of(&second));
    other.post("/_emulator/reset", &json!({})).await;
    check_refusal(&other, "it has no execution").await;
}

#[tokio::test]
async fn a_history_can_be_rolled_back() {
    let app = TestApp::in_batches(1, cloudmanager_emulator::seed::demo()).await;
    let history = "/_emulator/program/4/pipeline/1/history";
    app.post(history, &json!({"count": 3})).await;
    let back = put(&app, "rollback=true").await.json();
    let back = app.execution(&link(&back, "self").unwrap()).await;
    assert_eq!(back.actions(), ["validate", "build", "prod deploy"]);
    app.advance("PT1H").await;
    let shown = app.execution(&format!("{PRODUCTION}/execution/953674")).await;
    let message = "The artifacts are copied from execution 953672; nothing is built.";
    assert_eq!(shown.step("build")["details"]["message"], message);

    // All of these have the same artifacts, so only those before them are others.
    let app = TestApp::in_batches(2, cloudmanager_emulator::seed::demo()).await;
    app.post(history, &json!({"count": 5, "trigger": "RE_EXECUTE"})).await;
    let reason = "no earlier execution finished with another commit or other artifacts";
    check_refusal(&app, reason).await;
    app.post(history, &json!({"count": 1})).await;
    assert_eq!(put(&app, "rollback=true").await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_rollback_has_no_other_parameters() {
    let app = TestApp::immediate().await;
    app.post("/_emulator/program/4/pipeline/1/history", &json!({"count": 2})).await;
    for (query, expected) in [
        ("rollback=yes", "rollback: must be true or false"),
        ("rollback=", "rollback: must be true or false"),
        ("rollback=true&rollback=true", "rollback: is given more than once"),
        ("rollback=true&stepId=2983530", "stepId: can't be used with rollback=true"),
        ("rollback=true&sourceExecutionId=1", "sourceExecutionId: can't be used with"),
        ("rollback=true&pipelineExecutionMode=EMERGENCY", "pipelineExecutionMode: can't be used"),
    ] {
        let answer = put(&app, query).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(answer.errors().starts_with(expected), "{query}: {}", answer.errors());
    }
    let answer = put(&app, "rollback=false&pipelineExecutionMode=NORMAL").await;
    assert_eq!(answer.json()["trigger"], "MANUAL");
}
