//! What works by itself goes on by itself after the database failed: a table is gone for a while.

use std::time::Duration;

use cloudmanager_emulator::log::Recent;
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};
use tokio::time::timeout;

use crate::app::{CODE_QUALITY, TestApp};
use crate::control::deliveries::{list, told};
use crate::log;
use crate::receiver::Behaviour::Hold;
use crate::receiver::Received;

/// How long it may take until everything has happened.
const PATIENCE: Duration = Duration::from_mins(1);

/// A connection beside those of the emulator.
async fn connect(app: &TestApp) -> SqliteConnection {
    let path = app.directory().join("cloudmanager.db");
    SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap()
}

async fn execute(connection: &mut SqliteConnection, sql: &'static str) {
    sqlx::query(sql).execute(connection).await.unwrap();
}

/// The workers that fail, as health says.
async fn failing_workers(app: &TestApp) -> Vec<String> {
    let health = app.get("/_emulator/health").await.json();
    let workers = health["workers"].as_array().cloned().unwrap_or_default();
    workers.iter().map(|it| it["worker"].as_str().unwrap().to_owned()).collect()
}

/// Waits until no worker fails.
async fn recovery(app: &TestApp) {
    while !failing_workers(app).await.is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_scheduler_goes_on_after_the_database_failed() {
    let recent = Recent::default();
    let _logging = log::record(&recent);
    let app = TestApp::new().await;
    let mut database = connect(&app).await;
    app.put("/_emulator/clock", &json!({"rate": 1000})).await;
    app.start(CODE_QUALITY).await;

    execute(&mut database, "ALTER TABLE executions RENAME TO lost").await;
    let scheduler = app.run_scheduler();
    log::wait_for(&recent, "the scheduler failed; it tries again").await;
    assert_eq!(failing_workers(&app).await, ["scheduler"]);
    execute(&mut database, "ALTER TABLE lost RENAME TO executions").await;

    // Reads look ahead: only the database says what the scheduler has done.
    let ended = async {
        loop {
            let status: String = sqlx::query_scalar("SELECT status FROM executions")
                .fetch_one(&mut database)
                .await
                .unwrap();
            if status == "FINISHED" {
                break;
            }
        }
    };
    timeout(PATIENCE, ended).await.unwrap();
    timeout(PATIENCE, recovery(&app)).await.unwrap();
    app.stop_waiting();
    scheduler.await.unwrap();
}

#[tokio::test]
async fn the_purger_goes_on_after_the_database_failed() {
    let recent = Recent::default();
    let _logging = log::record(&recent);
    let app = TestApp::immediate().await;
    let mut database = connect(&app).await;
    app.start(CODE_QUALITY).await;
    execute(&mut database, "ALTER TABLE queues RENAME TO lost").await;
    assert!(app.delete(CODE_QUALITY).await.status.is_success());
    let purger = app.run_purger();
    log::wait_for(&recent, "the purger tries again").await;
    assert_eq!(failing_workers(&app).await, ["purger"]);
    execute(&mut database, "ALTER TABLE lost RENAME TO queues").await;
    timeout(PATIENCE, recovery(&app)).await.unwrap();
    assert_eq!(app.query("SELECT count(*) FROM pipelines WHERE deleted_at > 0").await, 0);
    app.stop_waiting();
    purger.await.unwrap();
}

#[tokio::test]
async fn deliveries_go_on_after_the_database_failed() {
    let recent = Recent::default();
    let _logging = log::record(&recent);
    let (app, mut receiver) = told().await;
    let mut database = connect(&app).await;
    app.start(CODE_QUALITY).await;

    // At first it does not get to know what is due.
    execute(&mut database, "ALTER TABLE queues RENAME TO lost").await;
    let deliverer = app.run_deliverer();
    log::wait_for(&recent, "no such table: queues").await;
    assert_eq!(failing_workers(&app).await, ["deliverer"]);
    receiver.behave([Hold(200)]);
    execute(&mut database, "ALTER TABLE lost RENAME TO queues").await;
    let first = receiver.next().await;

    // Then it can't record what came of a delivery, which is made once more.
    execute(&mut database, "ALTER TABLE attempts RENAME TO lost").await;
    receiver.release();
    log::wait_for(&recent, "no such table: attempts").await;
    assert_eq!(failing_workers(&app).await, ["deliverer, webhook 1"]);
    execute(&mut database, "ALTER TABLE lost RENAME TO attempts").await;
    let mut told = vec![receiver.next().await];
    assert_eq!(told[0].body, first.body);
    while told.len() < 7 {
        told.push(receiver.next().await);
    }
    assert!(Received::summary(&told[6]).starts_with("ended"));
    timeout(PATIENCE, recovery(&app)).await.unwrap();
    app.stop_waiting();
    deliverer.await.unwrap();
    let statuses: Vec<Value> =
        list(&app, "").await.iter().map(|delivery| delivery["status"].clone()).collect();
    assert_eq!(statuses, ["DELIVERED"; 7]);
}

#[tokio::test]
async fn the_check_of_the_database_is_repeated_after_it_failed() {
    let recent = Recent::default();
    let _logging = log::record(&recent);
    let app = TestApp::new().await;
    let file = app.directory().join("cloudmanager.db");
    let elsewhere = app.directory().join("elsewhere");
    std::fs::rename(&file, &elsewhere).unwrap();
    let inspector = app.run_inspector();
    log::wait_for(&recent, "was deleted").await;
    std::fs::rename(&elsewhere, &file).unwrap();
    let health = app.get("/_emulator/health").await.text();
    assert!(health.contains("checking the database failed"), "{health}");
    // Its pauses are over at once.
    tokio::time::pause();
    let mut looks = 0;
    while app.get("/_emulator/health").await.status != 200 {
        assert!(looks < 20_000, "the check is not repeated");
        looks += 1;
        tokio::time::advance(Duration::from_secs(10)).await;
    }
    app.stop_waiting();
    inspector.await.unwrap();
}
