//! The pauses between steps at the pace `realistic`.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use cloudmanager_emulator::domain::pace::Pace;
use cloudmanager_emulator::domain::time::Timestamp;
use cloudmanager_emulator::seed;
use serde_json::{Value, json};

use crate::app::{CODE_QUALITY, PRODUCTION, TestApp, link};

async fn realistic() -> TestApp {
    TestApp::with(Pace::Realistic, seed::demo()).await
}

fn time(resource: &Value, field: &str) -> Timestamp {
    Timestamp::parse(resource[field].as_str().expect(field)).unwrap()
}

/// The pauses of an execution that is over, in milliseconds.
async fn pauses(app: &TestApp, execution: &str) -> Vec<i64> {
    let shown = app.execution(execution).await;
    let mut before = time(&shown.0, "createdAt");
    let mut pauses = Vec::new();
    for step in shown.steps() {
        pauses.push(time(step, "startedAt").since(before).as_millis());
        before = time(step, "finishedAt");
    }
    pauses.push(time(&shown.0, "finishedAt").since(before).as_millis());
    pauses
}

#[tokio::test]
async fn no_step_runs_in_a_pause_and_the_pipeline_is_busy() {
    let app = realistic().await;
    let execution = app.start(CODE_QUALITY).await;
    app.advance("PT1S").await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.status(), "RUNNING");
    assert!(shown.steps().iter().all(|step| step["status"] == "NOT_STARTED"), "{:?}", shown.0);
    assert_eq!(app.execution(&format!("{CODE_QUALITY}/execution")).await.status(), "RUNNING");
    assert_eq!(app.get(CODE_QUALITY).await.json()["status"], "BUSY");
    let path = format!("{CODE_QUALITY}/execution");
    let answer = app.request(Method::PUT, &path, Body::empty()).await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    let timers = app.get("/_emulator/timers").await.json();
    assert_eq!(timers["timers"][0]["kind"], "STEP_START");
    assert_eq!(timers["timers"][0]["action"], "validate");
    for verb in ["advance", "cancel"] {
        let path = shown.link("validate", "self").unwrap() + "/" + verb;
        let answer = app.put(&path, &json!({"cancel": true})).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{verb}");
    }

    let app = app.restarted().await;
    app.advance("PT20M").await;
    assert_eq!(app.execution(&execution).await.status(), "FINISHED");
    let pauses = pauses(&app, &execution).await;
    assert!((3_000..=5_000).contains(&pauses[0]), "{pauses:?}");
    assert!(pauses[1..3].iter().all(|pause| (1_000..=21_000).contains(pause)), "{pauses:?}");
    assert!((15_000..=20_000).contains(&pauses[3]), "{pauses:?}");
}

#[tokio::test]
async fn executions_that_go_alike_have_equal_pauses_and_one_plan() {
    let app = realistic().await;
    let mut found = Vec::new();
    for _ in 0..3 {
        let execution = app.start(CODE_QUALITY).await;
        app.advance("PT1H").await;
        found.push(pauses(&app, &execution).await);
    }
    assert_eq!(found[0], found[1]);
    assert_eq!(found[1], found[2]);
    // The first one builds, the others reuse its artifacts.
    assert_eq!(app.query("SELECT count(*) FROM plans").await, 2);
}

#[tokio::test]
async fn an_execution_that_fails_ends_with_its_step() {
    let app = realistic().await;
    let entry = json!({"action": "codeQuality", "outcome": "FAILED"});
    app.scenario(CODE_QUALITY, &json!({ "steps": [entry] })).await;
    let execution = app.start(CODE_QUALITY).await;
    app.advance("PT1H").await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.status(), "FAILED");
    assert_eq!(shown.0["finishedAt"], shown.step("codeQuality")["finishedAt"]);
}

#[tokio::test]
async fn nothing_is_re_executed_before_the_closing_pause_is_over() {
    let app = realistic().await;
    app.post("/_emulator/program/4/pipeline/1/history", &json!({"count": 1})).await;
    let execution = app.start(PRODUCTION).await;
    app.advance("PT3H").await;
    app.accept(&execution, "prod approval", "pipeline/advance", &json!({"approved": true})).await;
    let is_deployed =
        async || app.execution(&execution).await.step("prod deploy")["status"] == "FINISHED";
    while !is_deployed().await {
        let moved = app.post("/_emulator/clock/advance", &json!({})).await.json();
        assert_ne!(moved["transitions"], 0, "{moved}");
    }
    let shown = app.execution(&execution).await;
    assert_eq!(shown.status(), "RUNNING");
    assert_eq!(shown.link("prod deploy", "pipeline/reExecute"), None);
    assert_eq!(link(&app.get(PRODUCTION).await.json(), "rollbackLastSuccessfulExecution"), None);
    for query in ["stepId=2983530", "rollback=true"] {
        let path = format!("{PRODUCTION}/execution?{query}");
        let answer = app.request(Method::PUT, &path, Body::empty()).await;
        assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED, "{query}");
    }
    let timers = app.get("/_emulator/timers").await.json();
    assert_eq!(timers["timers"][0]["kind"], "END");

    app.post("/_emulator/clock/advance", &json!({})).await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.status(), "FINISHED");
    assert!(shown.link("prod deploy", "pipeline/reExecute").is_some());
    assert!(link(&app.get(PRODUCTION).await.json(), "rollbackLastSuccessfulExecution").is_some());
}

#[tokio::test]
async fn a_program_that_is_deleted_in_a_pause_leaves_a_sound_state() {
    let app = realistic().await;
    app.start(PRODUCTION).await;
    app.advance("PT1S").await;
    assert_eq!(app.delete("/api/program/4").await.status, StatusCode::ACCEPTED);
    let state = app.get("/_emulator/state").await.bytes;
    let other = realistic().await;
    let answer = other.request(Method::PUT, "/_emulator/state", state).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
}
