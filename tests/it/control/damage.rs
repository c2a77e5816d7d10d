//! Rows that can't be read stop only themselves, and are reported.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::deliveries::{list, progress, told};
use crate::app::{CODE_QUALITY, OVERSEEN, TestApp};
use crate::receiver::Received;

/// How long it may take until everything has happened.
const PATIENCE: Duration = Duration::from_mins(1);

async fn health(app: &TestApp) -> (StatusCode, Value) {
    let answer = app.get("/_emulator/health").await;
    (answer.status, answer.json())
}

/// Damages the only execution, and checks that it is reported until its pipeline is gone.
async fn check_reported(pipeline: &str, damage: &'static str, deleted: &str) {
    let app = TestApp::new().await;
    app.start(pipeline).await;
    let app = app.restarted_after(damage).await;
    app.advance("PT1H").await;
    let app = app.restarted().await;
    for _ in 0..2 {
        let (status, told) = health(&app).await;
        assert_eq!((status, &told["status"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("failing")));
        let invalid = &told["invalidExecutions"][0];
        assert_eq!(invalid["executionId"], "953671", "{told}");
        assert!(pipeline.ends_with(invalid["pipelineId"].as_str().unwrap()), "{told}");
        let problem = invalid["problem"].as_str().unwrap();
        assert!(problem.starts_with("executions 953671: "), "{problem}");
        app.advance("PT1H").await;
    }
    let answer = app.delete(deleted).await;
    assert!(answer.status.is_success(), "{damage}: {answer:?}");
    assert_eq!(health(&app).await.0, StatusCode::OK);
    let app = app.restarted().await;
    assert_eq!(health(&app).await.0, StatusCode::OK);
}

#[tokio::test]
async fn an_execution_that_can_not_be_read_is_reported_until_its_pipeline_is_deleted() {
    for damage in [
        "UPDATE executions SET timeline = '[1'",
        "UPDATE executions SET timeline = CAST(x'ff' AS TEXT)",
        "UPDATE executions SET trigger = 'DANCE'",
        "UPDATE plans SET body = CAST(x'ff' AS TEXT)",
        "PRAGMA foreign_keys = OFF; DELETE FROM plans",
    ] {
        check_reported(CODE_QUALITY, damage, CODE_QUALITY).await;
        check_reported(OVERSEEN, damage, "/api/program/5").await;
    }
}

#[tokio::test]
async fn a_reset_ends_the_report() {
    let app = TestApp::new().await;
    app.start(CODE_QUALITY).await;
    let app = app.restarted_after("UPDATE executions SET timeline = '[1'").await;
    app.advance("PT1H").await;
    assert_eq!(health(&app).await.0, StatusCode::SERVICE_UNAVAILABLE);
    app.post("/_emulator/reset", &json!({})).await;
    assert_eq!(health(&app).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_delivery_that_can_not_be_read_fails_and_the_others_go_on() {
    for damage in [
        "UPDATE deliveries SET kind = 'dance' WHERE id = 3",
        "UPDATE deliveries SET event_id = CAST(x'ff' AS TEXT) WHERE id = 3",
        "UPDATE deliveries SET step_id = NULL WHERE id = 3",
    ] {
        let (app, mut receiver) = told().await;
        app.start(CODE_QUALITY).await;
        let app = app.restarted_after(damage).await;
        app.deliver().await;
        assert_eq!(receiver.take().len(), 6, "{damage}");
        assert_eq!(progress(&app).await, ["DELIVERED 200"; 6], "{damage}");
        let failed = "SELECT count(*) FROM deliveries JOIN attempts ON delivery_id = id \
            WHERE id = 3 AND deliveries.status = 'FAILED' AND error LIKE 'deliveries 3: %'";
        assert_eq!(app.query(failed).await, 1, "{damage}");
        assert_eq!(app.query("SELECT count(*) FROM queues").await, 0, "{damage}");
    }
}

#[tokio::test]
async fn a_queue_without_a_pending_delivery_is_removed() {
    let (app, mut receiver) = told().await;
    app.start(CODE_QUALITY).await;
    let app = app.restarted_after("INSERT INTO queues VALUES (1, 1, 0), (1, 2, 0)").await;
    let deliverer = app.run_deliverer();
    let removed = async { while app.query("SELECT count(*) FROM queues").await > 0 {} };
    timeout(PATIENCE, removed).await.unwrap();
    app.stop_waiting();
    deliverer.await.unwrap();
    assert_eq!(receiver.take().len(), 7);
}

#[tokio::test]
async fn attempts_go_on_after_a_gap_in_their_numbers() {
    let (app, mut receiver) = told().await;
    app.start(CODE_QUALITY).await;
    let app =
        app.restarted_after("INSERT INTO attempts VALUES (1, 2, 0, 503, NULL, NULL, 0)").await;
    app.deliver().await;
    let told: Vec<_> = receiver.take().iter().map(Received::summary).collect();
    assert_eq!(told.len(), 7, "{told:?}");
    assert_eq!(progress(&app).await[0], "DELIVERED 503,200");
}

#[tokio::test]
async fn the_last_hundred_attempts_at_a_delivery_are_kept() {
    let (app, _receiver) = told().await;
    app.start(CODE_QUALITY).await;
    let app = app
        .restarted_after(
            "INSERT INTO attempts WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n \
             WHERE n < 250) SELECT 1, n, n, 503, NULL, NULL, 0 FROM n",
        )
        .await;
    app.deliver().await;
    let first = list(&app, "").await.pop().unwrap();
    let attempts = first["attempts"].as_array().unwrap().clone();
    assert_eq!((attempts.len(), &attempts[99]["status"]), (100, &json!(200)));
    assert_eq!(app.query("SELECT min(number) FROM attempts WHERE delivery_id = 1").await, 152);
    // The state that this leaves can be restored.
    let state = app.get("/_emulator/state").await.bytes;
    let answer = app.request(axum::http::Method::PUT, "/_emulator/state", state).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
}

/// Starts a pipeline twice, and damages the second execution; returns both paths.
async fn start_twice(damage: &'static str) -> (TestApp, String, String) {
    let app = TestApp::new().await;
    let first = app.start(CODE_QUALITY).await;
    app.advance("P30D").await;
    let second = app.start(CODE_QUALITY).await;
    app.start(OVERSEEN).await;
    (app.restarted_after(damage).await, first, second)
}

#[tokio::test]
async fn an_execution_that_can_not_be_read_is_left_out_of_lists_and_named_by_problems() {
    for damage in [
        "UPDATE executions SET timeline = '[1' WHERE id = 953672",
        "UPDATE executions SET timeline = CAST(x'ff' AS TEXT) WHERE id = 953672",
        "UPDATE executions SET trigger = 'DANCE', finished_at = 0, due_at = NULL, \
             status = 'FINISHED' WHERE id = 953672",
    ] {
        let (app, first, second) = start_twice(damage).await;
        let pipeline = CODE_QUALITY;
        let list = app.get(&format!("{pipeline}/executions")).await.json();
        let listed = list["_embedded"]["executions"].as_array().unwrap();
        assert_eq!(listed.len(), 1, "{damage}: {list}");
        assert!(first.ends_with(listed[0]["id"].as_str().unwrap()), "{damage}: {list}");
        for path in [
            pipeline,
            "/api/program/4/pipelines",
            "/_emulator/program/4/executions",
            "/_emulator/program/4/environment/59252/instances",
            "/_emulator/timers",
            "/_emulator/status",
        ] {
            let answer = app.get(path).await;
            assert_eq!(answer.status, StatusCode::OK, "{damage}: {path} {}", answer.text());
        }
        let current = format!("{pipeline}/execution");
        for answer in
            [app.get(&second).await, app.get(&current).await, app.put(&current, &json!({})).await]
        {
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{damage}");
            let problem = answer.json();
            let told = problem["errors"][0].as_str().unwrap().to_owned();
            assert!(told.contains("executions 953672: "), "{damage}: {told}");
        }
        let (status, told) = health(&app).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{damage}");
        assert_eq!(told["invalidExecutions"][0]["executionId"], "953672", "{told}");
        assert!(app.delete(pipeline).await.status.is_success(), "{damage}");
        assert_eq!(health(&app).await.0, StatusCode::OK, "{damage}");
    }
}
