//! `/_emulator/program/{programId}/pipeline/{pipelineId}/execution/{executionId}/wait`

use axum::http::StatusCode;
use serde_json::json;

use crate::app::{CODE_QUALITY, OVERSEEN, PRODUCTION, TestApp};

fn wait_path(execution: &str, query: &str) -> String {
    format!("{}/wait?{query}", execution.replace("/api/", "/_emulator/"))
}

#[tokio::test]
async fn it_answers_when_a_step_waits_with_the_execution_as_the_api_shows_it() {
    let app = TestApp::new().await;
    let execution = app.start(PRODUCTION).await;
    let path = wait_path(&execution, "for=WAITING");
    let (answer, _) = tokio::join!(app.get(&path), app.advance("PT30S"));
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json(), app.execution(&execution).await.0);
    // It waits already.
    assert_eq!(app.get(&path).await.bytes, answer.bytes);
    for timeout in ["PT0S", "0", "30"] {
        let again = app.get(&format!("{path}&timeout={timeout}")).await;
        assert_eq!(again.bytes, answer.bytes, "{timeout}");
    }
}

#[tokio::test]
async fn it_answers_when_the_execution_has_ended() {
    let app = TestApp::immediate().await;
    let execution = app.start(PRODUCTION).await;
    let path = wait_path(&execution, "for=ENDED&timeout=PT1H");
    let approved = json!({"approved": true});
    let (answer, ()) = tokio::join!(
        app.get(&path),
        app.accept(&execution, "prod approval", "pipeline/advance", &approved)
    );
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["status"], "FINISHED");
    // An execution that is over will never wait.
    let answer = app.get(&wait_path(&execution, "for=WAITING")).await;
    assert_eq!(answer.json()["status"], "FINISHED");
}

#[tokio::test]
async fn it_answers_when_time_alone_changes_the_execution() {
    let app = TestApp::new().await;
    let execution = app.start(CODE_QUALITY).await;
    let path = wait_path(&execution, "for=ENDED");
    let rate = json!({"rate": 1_000_000});
    let (answer, _) = tokio::join!(app.get(&path), app.put("/_emulator/clock", &rate));
    assert_eq!(answer.json()["status"], "FINISHED");
}

#[tokio::test]
async fn changes_of_other_executions_do_not_end_the_wait() {
    let app = TestApp::immediate().await;
    let execution = app.start(PRODUCTION).await;
    let path = wait_path(&execution, "for=ENDED&timeout=PT0.05S");
    let (answer, _) = tokio::join!(app.get(&path), app.start(OVERSEEN));
    assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn it_gives_up_after_real_time() {
    let app = TestApp::new().await;
    let execution = app.start(PRODUCTION).await;
    for (timeout, told) in [("PT0S", "PT0S"), ("PT0.01S", "PT0.01S"), ("0", "PT0S")] {
        let path = wait_path(&execution, &format!("for=WAITING&timeout={timeout}"));
        let answer = app.get(&path).await;
        assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
        assert!(answer.errors().contains(told), "{}", answer.errors());
    }
}

#[tokio::test]
async fn it_ends_when_the_emulator_stops() {
    let app = TestApp::new().await;
    let execution = app.start(PRODUCTION).await;
    let path = wait_path(&execution, "for=WAITING");
    let (answer, ()) = tokio::join!(app.get(&path), async { app.stop_waiting() });
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(app.get(&path).await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn what_can_not_be_waited_for_is_refused() {
    let app = TestApp::new().await;
    let execution = app.start(PRODUCTION).await;
    for (query, errors) in [
        ("", "for: must be WAITING or ENDED"),
        ("for=RUNNING", "for: must be WAITING or ENDED"),
        ("for=ENDED&timeout=PT1H0.001S", "timeout: must be at most PT1H"),
        ("for=ENDED&timeout=3601", "timeout: must be at most PT1H"),
        ("for=ENDED&until=PT1S", "until: is not a known parameter; known parameters: for, timeout"),
    ] {
        let answer = app.get(&wait_path(&execution, query)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.errors(), errors);
    }
    let answer = app.get(&wait_path(&execution, "for=x&timeout=30s")).await;
    assert!(answer.errors().starts_with("for: must be"), "{}", answer.errors());
    assert!(answer.errors().contains("; timeout: must be whole seconds"), "{}", answer.errors());
    let unknown = wait_path(&format!("{PRODUCTION}/execution/1"), "for=ENDED");
    assert_eq!(app.get(&unknown).await.status, StatusCode::NOT_FOUND);
}
