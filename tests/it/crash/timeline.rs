//! Each execution has taken its time, whatever happened to the process meanwhile.

use std::path::Path;

use cloudmanager_emulator::domain::time::{Duration, Timestamp};
use serde_json::Value;
use sqlx::{Connection, SqliteConnection};

use crate::app::Execution;

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str().map(|text| Timestamp::parse(text).unwrap())
}

/// Each step began when the one before it ended, and its work took as long as it takes.
pub fn check_times(execution: &Value) {
    let execution = Execution(execution.clone());
    let re_executed = execution.0["trigger"] == "RE_EXECUTE";
    let mut ended = time(&execution.0["createdAt"]);
    for step in execution.steps() {
        let action = step["action"].as_str().unwrap();
        if step["status"] == "NOT_STARTED" {
            continue;
        }
        let (began, finished) = (ended, time(&step["finishedAt"]));
        if action != "codeQuality" {
            assert_eq!(time(&step["startedAt"]), began, "{step}");
        }
        ended = finished;
        let took = finished.unwrap().since(began.unwrap());
        let usual = match (action, step["environmentType"].as_str()) {
            ("validate" | "securityTest" | "reportPerformanceTest", _) => 1000,
            ("build", _) if step["details"]["message"].is_string() => 500,
            ("build", _) if re_executed => panic!("re-executions copy: {step}"),
            ("build", _) => 5000,
            ("codeQuality", _) => 3000,
            ("deploy", Some("stage")) | ("loadTest", _) => 4000,
            ("deploy", _) => 6000,
            // These wait; if for nothing, then for exactly as long as they may.
            (_, environment) if step["details"]["timedOut"] == true => {
                let days = if environment == Some("stage") { 7 } else { 14 };
                assert_eq!(took, Duration::from_days(days), "{step}");
                continue;
            }
            _ => continue,
        };
        if step["status"] == "FINISHED" {
            assert_eq!(took, Duration::from_millis(usual), "{step}");
        } else {
            assert_eq!(step["status"], "CANCELLED", "{step}");
            assert!(took <= Duration::from_millis(usual), "{step}");
        }
    }
    let finished = time(&execution.0["finishedAt"]).unwrap();
    let stopped = execution.steps().iter().any(|step| step["details"]["input"]["cancel"] == true);
    let waited = execution
        .steps()
        .iter()
        .any(|step| step["action"] == "schedule" && step["status"] == "CANCELLED");
    let cancelling = i64::from(stopped && !waited);
    assert_eq!(
        finished.since(ended.unwrap()),
        Duration::from_secs(cancelling),
        "{:#}",
        execution.0
    );
}

pub async fn check_integrity(database: &Path) {
    let url = format!("sqlite://{}?mode=ro", database.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let found: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap();
    assert_eq!(found, "ok");
    let running: i64 =
        sqlx::query_scalar("SELECT count(*) FROM executions WHERE finished_at IS NULL")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    assert_eq!(running, 0);
}
