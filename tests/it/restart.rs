//! A restart continues every execution with the times that it would have had.

use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use crate::app::{OVERSEEN, PRODUCTION, TestApp};
use crate::process::start;

/// The emulated time that a running program tells.
async fn now(url: &str) -> String {
    let clock = reqwest::get(format!("{url}/_emulator/clock")).await.unwrap();
    let clock: Value = clock.json().await.unwrap();
    clock["now"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn no_time_is_told_twice_after_a_kill_and_a_wall_clock_that_was_set_back() {
    for rate in ["0", "1", "1000"] {
        let directory = TempDir::new().unwrap();
        let running = start(directory.path(), &["--clock-rate", rate]);
        let (mut told, mut reads) = (now(&running.url).await, 0);
        // Some of it is told after the program has begun.
        while reads < 20 {
            told = now(&running.url).await;
            reads += 1;
        }
        running.kill();
        let url = format!("sqlite://{}", directory.path().join("cloudmanager.db").display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        // As if it were an hour earlier.
        let earlier = "UPDATE emulator SET clock_wall_base = clock_wall_base + 3600000";
        sqlx::query(earlier).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let running = start(directory.path(), &[]);
        let first = now(&running.url).await;
        assert!(first >= told, "{rate}: {first} after {told}");
        assert_eq!(first == told, rate == "0", "{rate}: {first} after {told}");
        running.stop("-TERM");
    }
}

#[tokio::test]
async fn a_restart_does_not_make_time_jump() {
    let directory = TempDir::new().unwrap();
    let running = start(directory.path(), &["--clock-start", "2030-01-01T00:00:00Z"]);
    let told = now(&running.url).await;
    running.stop("-TERM");
    let url = format!("sqlite://{}", directory.path().join("cloudmanager.db").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    // As if no time had passed.
    let told_until: i64 = sqlx::query_scalar("SELECT told_until FROM emulator")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    let told = cloudmanager_emulator::domain::time::Timestamp::parse(&told).unwrap().as_millis();
    assert!((told..told + 5_000).contains(&told_until), "{told_until} is not just after {told}");
}

#[tokio::test]
async fn a_restart_changes_nothing() {
    let app = TestApp::new().await;
    let execution = app.start(PRODUCTION).await;
    app.advance("PT7.5S").await;
    let before = app.execution(&execution).await.0;
    let app = app.restarted().await;
    assert_eq!(app.execution(&execution).await.0, before);
}

#[tokio::test]
async fn executions_go_on_after_a_restart_as_they_would_have() {
    let mut bodies = Vec::new();
    for restart in [false, true] {
        let mut app = TestApp::new().await;
        let execution = app.start(OVERSEEN).await;
        for by in ["PT0.5S", "PT3S", "PT10S"] {
            app.advance(by).await;
            if restart {
                app = app.restarted().await;
            }
        }
        app.accept(&execution, "stage approval", "pipeline/advance", &json!({"approved": true}))
            .await;
        app.advance("P1D").await;
        if restart {
            app = app.restarted().await;
        }
        app.advance("P20D").await;
        bodies.push(app.execution(&execution).await.0);
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(bodies[0]["status"], "CANCELLED");
}
