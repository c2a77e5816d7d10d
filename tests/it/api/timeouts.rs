//! The seven time-outs: a millisecond before the deadline the step waits, at the deadline it is
//! over.

use serde_json::{Value, json};

use crate::app::{OVERSEEN, PRODUCTION, START, TestApp};

/// Brings an execution to where it waits at `step`, lets it wait, and checks how it ends.
async fn times_out(pipeline: &str, step: &str, scenario: Value, days: u32, end: &str) {
    let app = TestApp::immediate().await;
    app.scenario(pipeline, &scenario).await;
    let execution = app.start(pipeline).await;
    // Time passes before each answer, so that waiting is counted from where it began.
    for (waiting, yes) in [
        ("stage approval", json!({"approved": true})),
        ("prod approval", json!({"approved": true})),
        ("schedule", json!({"type": "IMMEDIATE"})),
    ] {
        let shown = app.execution(&execution).await;
        if waiting == step || shown.step(step)["status"] == "WAITING" {
            break;
        }
        app.advance("PT1H").await;
        app.accept(&execution, waiting, "pipeline/advance", &yes).await;
    }
    let shown = app.execution(&execution).await;
    assert_eq!(shown.step(step)["status"], "WAITING");
    let since = shown.step(step)["updatedAt"].as_str().unwrap().to_owned();

    app.advance(&format!("P{}DT86399.999S", days - 1)).await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.step(step)["status"], "WAITING", "{step}: a millisecond before");
    let advance = shown.link(step, "pipeline/advance").unwrap();

    app.advance("PT0.001S").await;
    let answer = app.put(&advance, &json!({"approved": true})).await;
    assert_eq!(answer.status.as_u16(), 404, "a command at the deadline is refused");
    let shown = app.execution(&execution).await;
    let ended = shown.step(step);
    assert_eq!(ended["status"], end, "{step}: at the deadline");
    assert_eq!(shown.status(), end);
    assert_eq!(ended["details"]["timedOut"], true);
    assert_eq!(ended["details"]["message"], format!("Nobody answered within {days} days."));
    let deadline = cloudmanager_emulator::domain::time::Timestamp::parse(&since).unwrap()
        + cloudmanager_emulator::domain::time::Duration::from_days(days.into());
    assert_eq!(ended["finishedAt"], deadline.to_string());
    assert_eq!(shown.0["finishedAt"], deadline.to_string());
}

fn failing(action: &str, kpi: &str, value: &str) -> Value {
    json!({"steps": [{"action": action, "metrics": {kpi: value}}]})
}

#[tokio::test]
async fn code_quality_waits_7_days() {
    let scenario = failing("codeQuality", "coverage", "1");
    times_out(PRODUCTION, "codeQuality", scenario, 7, "FAILED").await;
}

#[tokio::test]
async fn security_waits_7_days() {
    let scenario = failing("securityTest", "crxde_support", "false");
    times_out(PRODUCTION, "securityTest", scenario, 7, "FAILED").await;
}

#[tokio::test]
async fn performance_waits_7_days() {
    let scenario = failing("loadTest", "response_time", "100");
    times_out(PRODUCTION, "reportPerformanceTest", scenario, 7, "FAILED").await;
}

#[tokio::test]
async fn approval_after_stage_deployment_waits_7_days() {
    times_out(OVERSEEN, "stage approval", json!({}), 7, "CANCELLED").await;
}

#[tokio::test]
async fn go_live_approval_waits_14_days() {
    times_out(OVERSEEN, "prod approval", json!({}), 14, "CANCELLED").await;
    times_out(PRODUCTION, "prod approval", json!({}), 14, "CANCELLED").await;
}

#[tokio::test]
async fn schedule_waits_14_days() {
    times_out(OVERSEEN, "schedule", json!({}), 14, "CANCELLED").await;
}

#[tokio::test]
async fn oversight_waits_14_days() {
    times_out(OVERSEEN, "managed", json!({}), 14, "CANCELLED").await;
}

#[tokio::test]
async fn waiting_is_counted_from_when_it_began() {
    let app = TestApp::new().await;
    let execution = app.start(PRODUCTION).await;
    app.advance("PT20S").await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.step("prod approval")["startedAt"], "2026-03-05T10:00:20.000+0000");
    assert_eq!(shown.0["createdAt"], START);
    let clock = app.get("/_emulator/clock").await.json();
    assert_eq!(clock["nextDue"], "2026-03-19T10:00:20.000+0000");
}
