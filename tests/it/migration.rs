//! Databases of each version of the schema, as programs of that time left them, are opened and
//! go on. A new migration brings a new file in fixtures/: `sqlite3 cloudmanager.db .dump` of what
//! the new program made, with its `application_id` in front.

use std::path::Path;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use cloudmanager_emulator::domain::pace::Pace;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use crate::app::{CODE_QUALITY, OVERSEEN, PRODUCTION, TestApp};
use crate::control::deliveries::{DELIVERIES, text};

/// In each of them, one execution has ended, one waits for the approval of going live, and one
/// builds. From version 2 on there are variables, from version 3 on a delivery, and from version 5
/// on the stage environment remembers what was deployed to it. In version 4 a commit started the
/// first execution.
const VERSIONS: [&str; 6] = [
    include_str!("fixtures/version-1.sql"),
    include_str!("fixtures/version-2.sql"),
    include_str!("fixtures/version-3.sql"),
    include_str!("fixtures/version-4.sql"),
    include_str!("fixtures/version-5.sql"),
    include_str!("fixtures/version-6.sql"),
];

const DEV: &str = "/api/program/4/pipeline/2";

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", path.display())).await.unwrap()
}

/// A directory with a database that holds what a dump says.
async fn restore(dump: &'static str) -> TempDir {
    let directory = TempDir::new().unwrap();
    let mut connection = connect(&directory.path().join("cloudmanager.db")).await;
    sqlx::raw_sql(dump).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    directory
}

/// The tables, indexes and views of a database, and the migrations that made them.
async fn schema(path: &Path) -> (Vec<(String, String, Option<String>)>, Vec<(i64, Vec<u8>)>) {
    let mut connection = connect(path).await;
    let objects = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' \
        ORDER BY type, name";
    let migrations = "SELECT version, checksum FROM _sqlx_migrations ORDER BY version";
    (
        sqlx::query_as(objects).fetch_all(&mut connection).await.unwrap(),
        sqlx::query_as(migrations).fetch_all(&mut connection).await.unwrap(),
    )
}

/// Checks that everything of a version is there, as it was left.
async fn check_content(app: &TestApp, version: usize) {
    let clock = app.get("/_emulator/clock").await.json();
    assert_eq!(clock["now"], "2026-03-05T10:02:03.000+0000");
    let ended = app.execution(&format!("{CODE_QUALITY}/execution/953671")).await;
    assert_eq!(ended.status(), "FINISHED");
    let user = if version == 4 { "AnonymousNoPermission" } else { "ci@techacct.adobe.com" };
    assert_eq!(ended.0["user"], user);
    assert_eq!(ended.0["finishedAt"], "2026-03-05T10:00:09.000+0000");
    assert_eq!(ended.step("build")["commitId"], "7f0c3f8a1d7b5e2b0a4c6d9e8f71625344a5b6c7");
    let waiting = app.execution(&format!("{PRODUCTION}/execution/953672")).await;
    assert_eq!(waiting.step("prod approval")["status"], "WAITING");
    assert_eq!(waiting.progress().len(), 9);
    let building = app.execution(&format!("{OVERSEEN}/execution/953673")).await;
    assert_eq!(building.progress(), ["validate:FINISHED", "build:RUNNING"]);
    let log = app.log(&format!("{CODE_QUALITY}/execution/953671"), "build").await;
    assert!(log.contains("BUILD SUCCESS"), "{log}");

    let scenario = DEV.replace("/api/", "/_emulator/") + "/scenario";
    let expected = json!({"times": 3, "steps": [{"action": "build", "message": "kept"}]});
    assert_eq!(app.get(&scenario).await.json(), expected);
    let variables = app.get(&format!("{DEV}/variables")).await.json();
    let variables = variables["_embedded"]["variables"].as_array().unwrap();
    let names: Vec<_> = variables.iter().map(|it| (text(it, "name"), text(it, "value"))).collect();
    let expected = if version < 2 { vec![] } else { vec![("KEY", "plain")] };
    assert_eq!(names, expected);
    let deliveries = app.get(DELIVERIES).await.json()["deliveries"].as_array().unwrap().clone();
    let told: Vec<_> = deliveries.iter().map(|it| text(it, "executionId")).collect();
    let expected = if version < 3 { vec![] } else { vec!["953671"] };
    assert_eq!(told, expected);
    assert_eq!(installed(app, "59253").await, if version < 5 { 0 } else { 2 });
    assert_eq!(installed(app, "59254").await, 0);
}

/// How many packages the author of an environment has.
async fn installed(app: &TestApp, environment: &str) -> usize {
    let path = format!("/_emulator/program/4/environment/{environment}/instances");
    let shown = app.get(&path).await.json();
    shown["instances"][0]["packages"].as_array().unwrap().len()
}

/// Checks that what was under way goes on, and that there can be more.
async fn check_future(app: &TestApp) {
    let waiting = format!("{PRODUCTION}/execution/953672");
    app.accept(&waiting, "prod approval", "pipeline/advance", &json!({"approved": true})).await;
    // It has the commit of the execution that has finished.
    let update = CODE_QUALITY.replace("/api/", "/_emulator/") + "/push-update";
    let answer = app.post(&update, &json!({})).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    app.advance("PT1M").await;
    assert_eq!(app.execution(&waiting).await.status(), "FINISHED");
    assert_eq!(installed(app, "59254").await, 2);
    let building = app.execution(&format!("{OVERSEEN}/execution/953673")).await;
    assert_eq!(building.step("build")["finishedAt"], "2026-03-05T10:02:06.000+0000");
    assert_eq!(building.step("stage approval")["status"], "WAITING");
    let last = app.execution(&format!("{CODE_QUALITY}/execution/953674")).await;
    assert_eq!(last.status(), "FINISHED");
    assert_eq!(last.step("build")["commitId"], "7f0c3f8a1d7b5e2b0a4c6d9e8f71625344a5b6c7");
}

#[tokio::test]
async fn a_database_of_each_version_is_opened_and_goes_on() {
    let new = TestApp::new().await.closed().await;
    let expected = schema(&new.path().join("cloudmanager.db")).await;
    assert_eq!(expected.1.len(), VERSIONS.len(), "each migration has its fixture");
    for (version, dump) in (1..).zip(VERSIONS) {
        let app = TestApp::on(restore(dump).await, Pace::Quick).await;
        check_content(&app, version).await;
        let app = app.restarted().await;
        check_content(&app, version).await;
        check_future(&app).await;
        let directory = app.closed().await;
        assert_eq!(schema(&directory.path().join("cloudmanager.db")).await, expected);
    }
}

#[tokio::test]
async fn a_state_of_each_version_is_imported() {
    for (version, dump) in (1..).zip(VERSIONS) {
        let state = std::fs::read(restore(dump).await.path().join("cloudmanager.db")).unwrap();
        let app = TestApp::new().await;
        let answer = app.request(Method::PUT, "/_emulator/state", Body::from(state)).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{version}: {}", answer.text());
        check_content(&app, version).await;
        check_future(&app).await;
    }
}

#[tokio::test]
async fn executions_of_the_release_before_have_no_pauses() {
    let app = TestApp::on(restore(VERSIONS[3]).await, Pace::Realistic).await;
    app.advance("PT10S").await;
    let old = app.execution(&format!("{OVERSEEN}/execution/953673")).await;
    assert_eq!(old.step("build")["finishedAt"], "2026-03-05T10:02:06.000+0000");
    assert_eq!(old.step("codeQuality")["startedAt"], old.step("build")["finishedAt"]);
    let new = app.start(CODE_QUALITY).await;
    app.advance("PT10S").await;
    let new = app.execution(&new).await;
    assert_ne!(new.step("validate")["startedAt"], new.0["createdAt"], "but new ones have");
    let waiting = format!("{PRODUCTION}/execution/953672");
    app.accept(&waiting, "prod approval", "pipeline/advance", &json!({"approved": true})).await;
    let approved = app.execution(&waiting).await;
    assert_eq!(approved.step("prod deploy")["status"], "RUNNING", "at once");
    app.advance("PT6S").await;
    let over = app.execution(&waiting).await;
    assert_eq!(over.0["finishedAt"], over.step("prod deploy")["finishedAt"]);
}
