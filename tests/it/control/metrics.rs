//! `/_emulator/metrics`

use cloudmanager_emulator::domain::pace::Pace;
use cloudmanager_emulator::seed;

use crate::app::{CODE_QUALITY, PRODUCTION, TestApp};

/// The value of a figure, whose name is given without what all names begin with.
async fn figure(app: &TestApp, name: &str) -> Option<f64> {
    let answer = app.get("/_emulator/metrics").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4");
    let text = answer.text();
    let line = text.lines().find_map(|line| {
        line.strip_prefix("cloudmanager_emulator_")?.strip_prefix(name)?.strip_prefix(' ')
    });
    Some(line?.parse().unwrap())
}

#[tokio::test]
async fn requests_are_counted_and_measured_by_operation() {
    let app = TestApp::new().await;
    app.start(PRODUCTION).await;
    app.get("/api/programs").await;
    app.get("/api/programs").await;
    app.get("/api/nothing").await;
    for (name, expected) in [
        (r#"requests_total{operation="startPipeline",status="201"}"#, 1.0),
        (r#"requests_total{operation="getPrograms",status="200"}"#, 2.0),
        (r#"requests_total{operation="none",status="404"}"#, 1.0),
        (r#"request_duration_seconds_count{operation="getPrograms"}"#, 2.0),
        (r#"request_duration_seconds_bucket{operation="getPrograms",le="+Inf"}"#, 2.0),
    ] {
        assert_eq!(figure(&app, name).await, Some(expected), "{name}");
    }
}

#[tokio::test]
async fn the_work_of_the_engine_is_told() {
    let app = TestApp::new().await;
    for name in ["running_executions", "transitions_total", "scheduler_lateness_seconds"] {
        assert_eq!(figure(&app, name).await, Some(0.0), "{name}");
    }
    app.start(PRODUCTION).await;
    app.start(CODE_QUALITY).await;
    // The first steps have begun.
    assert_eq!(figure(&app, "transitions_total").await, Some(2.0));
    let settled = app.advance("PT1H").await;
    let transitions = 2.0 + settled["transitions"].as_f64().unwrap();
    assert_eq!(figure(&app, "transitions_total").await, Some(transitions));
    assert_eq!(figure(&app, "running_executions").await, Some(1.0));
}

#[tokio::test]
async fn events_for_subscribers_are_counted() {
    let text = include_str!("../../../src/seed/demo.yaml").to_owned()
        + "\nwebhooks: [{ tenantId: \"1\", clientId: ci, clientSecret: s, \
           url: \"http://127.0.0.1:9/\", events: [all] }]\n";
    let app = TestApp::with(Pace::Quick, seed::read(&text).unwrap()).await;
    app.start(CODE_QUALITY).await;
    // The execution and its first step have started.
    assert_eq!(figure(&app, "events_total").await, Some(2.0));
    let settled = app.advance("PT1H").await;
    let events = 2.0 + settled["events"].as_f64().unwrap();
    assert_eq!(figure(&app, "events_total").await, Some(events));
    assert_eq!(figure(&app, "pending_event_deliveries").await, Some(events));
}
