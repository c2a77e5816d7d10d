//! Time goes on, whatever the rows of executions say.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use axum::http::StatusCode;
use cloudmanager_emulator::domain::time::Timestamp;
use cloudmanager_emulator::engine::{Destination, Engine, EngineOptions};
use cloudmanager_emulator::seed::{self, Origin};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::app::{CODE_QUALITY, OVERSEEN, PRODUCTION, START, TestApp};
use crate::process::{Running, program};

/// How long it may take until everything has happened.
const PATIENCE: Duration = Duration::from_mins(1);

const DATABASE: &str = "cloudmanager.db";

async fn connect(directory: &Path) -> SqliteConnection {
    let url = format!("sqlite://{}", directory.join(DATABASE).display());
    SqliteConnection::connect(&url).await.unwrap()
}

/// When an execution is due, as its row says.
#[derive(Clone, Copy, Debug)]
enum DueAt {
    Never,
    At(i64),
}

/// What is written over the row of an execution, where there is something.
#[derive(Clone, Debug)]
struct Edit {
    execution: usize,
    due_at: Option<DueAt>,
    created_at: Option<i64>,
    status: Option<&'static str>,
    timeline: Option<&'static str>,
    plan: Option<&'static str>,
    damage: Option<&'static str>,
}

const STATUSES: [&str; 5] = ["NOT_STARTED", "RUNNING", "CANCELLING", "FINISHED", "DANCE"];

const TIMELINES: [&str; 9] = [
    "[]",
    "[1",
    r#"[{"r":[0,0,null]}]"#,
    r#"[{"r":[0,9000000000000000,null]}]"#,
    r#"[{"r":[5000,1000,null]}]"#,
    r#"[{"w":[0,0,null]}]"#,
    r#"[{"w":[0,0,[-9000,"then",0]]}]"#,
    r#"[{"e":["FINISHED",0,0,null,null,false]}]"#,
    r#"[{"e":["FAILED",0,0,null,null,false]},{"r":[0,0,null]}]"#,
];

// An earlier edit may have left a plan that is no JSON.
const PLANS: [&str; 3] = [
    "json_set(iif(json_valid(body), body, '{}'), '$.steps', json('[]'))",
    "'{}'",
    "CAST(x'ff' AS TEXT)",
];

const DAMAGES: [&str; 4] = [
    "plan_id = 999",
    "timeline = CAST(x'ff' AS TEXT)",
    "user = CAST(x'c0af' AS TEXT)",
    "trigger = CAST(x'ff' AS TEXT)",
];

/// Times around [`START`], and the most extreme ones.
fn times() -> impl Strategy<Value = i64> {
    let start = Timestamp::parse(START).unwrap().as_millis();
    prop_oneof![
        8 => (-100_000_i64..100_000).prop_map(move |offset| start + offset),
        1 => Just(i64::MIN),
        1 => Just(i64::MAX),
    ]
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = (
        0..3_usize,
        option::of(prop_oneof![1 => Just(DueAt::Never), 4 => times().prop_map(DueAt::At)]),
        option::weighted(0.2, times()),
        option::weighted(0.3, prop::sample::select(&STATUSES[..])),
        option::weighted(0.3, prop::sample::select(&TIMELINES[..])),
        option::weighted(0.1, prop::sample::select(&PLANS[..])),
        option::weighted(0.2, prop::sample::select(&DAMAGES[..])),
    );
    let edit = edit.prop_map(|(execution, due_at, created_at, status, timeline, plan, damage)| {
        Edit { execution, due_at, created_at, status, timeline, plan, damage }
    });
    vec(edit, 1..4)
}

impl Edit {
    async fn make(&self, connection: &mut SqliteConnection) {
        sqlx::query(
            "UPDATE executions SET due_at = iif($1, $2, due_at), \
             created_at = coalesce($3, created_at), status = coalesce($4, status), \
             timeline = coalesce($5, timeline) \
             WHERE id = (SELECT id FROM executions ORDER BY id LIMIT 1 OFFSET $6)",
        )
        .bind(self.due_at.is_some())
        .bind(match self.due_at {
            Some(DueAt::At(at)) => Some(at),
            Some(DueAt::Never) | None => None,
        })
        .bind(self.created_at)
        .bind(self.status)
        .bind(self.timeline)
        .bind(i64::try_from(self.execution).unwrap())
        .execute(&mut *connection)
        .await
        .unwrap();
        if let Some(plan) = self.plan {
            let update = format!(
                "UPDATE plans SET body = {plan} WHERE id = \
                 (SELECT plan_id FROM executions ORDER BY id LIMIT 1 OFFSET {})",
                self.execution
            );
            sqlx::query(sqlx::AssertSqlSafe(update)).execute(&mut *connection).await.unwrap();
        }
        if let Some(damage) = self.damage {
            let update = format!(
                "UPDATE executions SET {damage} \
                 WHERE id = (SELECT id FROM executions ORDER BY id LIMIT 1 OFFSET {})",
                self.execution
            );
            sqlx::query("PRAGMA foreign_keys = OFF").execute(&mut *connection).await.unwrap();
            sqlx::query(sqlx::AssertSqlSafe(update)).execute(&mut *connection).await.unwrap();
        }
    }
}

/// A database with an execution that waits for a person, one at work, and one that has begun.
async fn three_executions() -> TempDir {
    let app = TestApp::new().await;
    app.start(PRODUCTION).await;
    app.advance("PT30S").await;
    app.start(CODE_QUALITY).await;
    app.advance("PT2S").await;
    app.start(OVERSEEN).await;
    app.closed().await
}

/// Opens an edited database and moves the clock by a month.
async fn live_on(database: &Path, edits: &[Edit]) {
    let directory = TempDir::new().unwrap();
    std::fs::copy(database, directory.path().join(DATABASE)).unwrap();
    let mut connection = connect(directory.path()).await;
    for edit in edits {
        edit.make(&mut connection).await;
    }
    connection.close().await.unwrap();

    let path = directory.path().join(DATABASE);
    let opening = Engine::open(&path, EngineOptions::default(), Origin::Demo);
    let engine = timeout(PATIENCE, opening).await.expect("it starts").unwrap();
    let month = Destination::By(cloudmanager_emulator::domain::time::Duration::from_days(30));
    timeout(PATIENCE, engine.advance_clock(month)).await.expect("the clock moves").unwrap();
    let now = engine.now().as_millis();
    engine.close().await.unwrap();

    let mut connection = connect(directory.path()).await;
    let rows: Vec<(i64, Option<i64>, Option<i64>)> =
        sqlx::query_as("SELECT id, due_at, finished_at FROM executions ORDER BY id")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    for (position, (id, due_at, finished_at)) in rows.into_iter().enumerate() {
        assert!(due_at.is_none_or(|due| due > now), "execution {id} is due at {due_at:?}");
        let is_edited = edits.iter().any(|edit| edit.execution == position);
        assert!(is_edited || finished_at.is_some(), "execution {id} goes on beside the others");
    }
}

#[test]
fn time_goes_on_whatever_the_rows_say() {
    let runtime = Runtime::new().unwrap();
    let directory = runtime.block_on(three_executions());
    let database = directory.path().join(DATABASE);
    let config = ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() };
    proptest!(config, |(edits in edits())| {
        runtime.block_on(live_on(&database, &edits));
    });
}

#[tokio::test]
async fn a_due_time_that_is_wrong_is_put_right() {
    let app = TestApp::new().await;
    let execution = app.start(CODE_QUALITY).await;
    // It is due in a second.
    let app = app.restarted_after("UPDATE executions SET due_at = due_at - 1000").await;
    assert_eq!(app.execution(&execution).await.status(), "RUNNING");
    let mut connection = connect(app.directory()).await;
    let due_at: i64 = sqlx::query_scalar("SELECT due_at FROM executions")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(due_at, Timestamp::parse(START).unwrap().as_millis() + 1000);
}

#[tokio::test]
async fn the_clock_stops_between_batches_when_the_emulator_stops() {
    let app = TestApp::in_batches(1, seed::demo()).await;
    for _ in 0..3 {
        app.start(OVERSEEN).await;
        app.start(PRODUCTION).await;
        app.start(CODE_QUALITY).await;
        app.advance("P30D").await;
    }
    app.start(PRODUCTION).await;
    app.start(OVERSEEN).await;
    let mut changes = app.changes("", None).await;
    changes.begin().await;
    let month = json!({"by": "P30D"});
    let (answer, ()) =
        futures_util::future::join(app.post("/_emulator/clock/advance", &month), async {
            changes.next().await;
            app.stop_waiting();
        })
        .await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    let told = answer.errors();
    let reached =
        told.strip_prefix("The emulator is shutting down; the clock was moved to ").expect(&told);
    let (reached, _) = reached.split_once(' ').unwrap();

    let app = app.restarted().await;
    let now = app.get("/_emulator/clock").await.json()["now"].as_str().unwrap().to_owned();
    assert_eq!(now, reached);
    app.advance("P60D").await;
    let clock = app.get("/_emulator/clock").await.json();
    assert!(clock.get("nextDue").is_none(), "what was left has been done: {clock}");
}

/// Returns a value that is another one after each write to the database.
async fn data_version(connection: &mut SqliteConnection) -> i64 {
    sqlx::query_scalar("PRAGMA data_version").fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn the_scheduler_rests_at_the_end_of_time() {
    let last = Timestamp::MAX;
    let ahead = Timestamp::from_millis(last.as_millis() - 5000);
    for (clock_start, target) in [(ahead, None), (Timestamp::EPOCH, Some(ahead)), (last, None)] {
        let directory = TempDir::new().unwrap();
        let options = EngineOptions {
            clock_start: Some(clock_start),
            clock_rate: Some(1.0),
            ..EngineOptions::default()
        };
        let path = directory.path().join(DATABASE);
        let engine = Engine::open(&path, options, Origin::Demo).await.unwrap();
        if let Some(target) = target {
            engine.advance_clock(Destination::To(target)).await.unwrap();
        }
        let running = engine.clone();
        let scheduler = tokio::spawn(async move { running.run_scheduler().await });
        let mut connection = connect(directory.path()).await;
        let mut writes = 0;
        let mut before = data_version(&mut connection).await;
        for _ in 0..1000 {
            let version = data_version(&mut connection).await;
            writes += u32::from(version != before);
            before = version;
        }
        assert!(writes < 5, "{clock_start}: {writes} writes");
        engine.stop();
        scheduler.await.unwrap();
        connection.close().await.unwrap();
        engine.close().await.unwrap();
    }
}

/// Whether a process has a handler for SIGTERM.
#[cfg(target_os = "linux")]
fn listens_to_signals(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(caught.trim(), 16).unwrap() & (1 << (15 - 1)) != 0
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_signal_ends_a_start_that_has_much_to_do() {
    let app = TestApp::new().await;
    app.start(PRODUCTION).await;
    let directory = app.closed().await;
    // It waits for another's transaction before it can let happen what is due.
    let mut connection = connect(directory.path()).await;
    let due = "UPDATE executions SET due_at = 0";
    sqlx::query(due).execute(&mut connection).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
    let mut command = program(directory.path());
    let command = command.args(["--listen", "127.0.0.1:0"]).stderr(Stdio::null());
    let running = Running::spawn(command);
    while !listens_to_signals(running.id()) {}
    assert_eq!(running.stop("-TERM").code(), Some(0));
}
