use axum::body::Body;
use axum::http::{Method, StatusCode};
use cloudmanager_emulator::domain::pace::Pace;
use cloudmanager_emulator::seed;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use crate::app::{CODE_QUALITY, PRODUCTION, TestApp};

const STATE: &str = "/_emulator/state";

pub(super) const WEBHOOK: &str = "INSERT INTO webhooks (id, tenant_id, client_id, client_secret, url, events) \
    VALUES (1, 1, 'ci', 's', 'http://127.0.0.1:9/', '[\"all\"]')";

pub(super) const DELIVERY: &str = "INSERT INTO deliveries (webhook_id, event_id, kind, published_at, \
    program_id, pipeline_id, execution_id) VALUES (1, 'e', 'pipelineExecutionEnd', 0, 4, 1, 1)";

const ATTEMPT: &str = "INSERT INTO attempts VALUES (1, 2, 0, 503, NULL, NULL, 0)";

pub(super) async fn export(app: &TestApp) -> Vec<u8> {
    let answer = app.get(STATE).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/vnd.sqlite3");
    assert_eq!(answer.header("content-length"), answer.bytes.len().to_string());
    answer.bytes
}

pub(super) async fn import(app: &TestApp, state: &[u8]) -> (StatusCode, String) {
    let answer = app.request(Method::PUT, STATE, state.to_vec()).await;
    let told = if answer.bytes.is_empty() { String::new() } else { answer.errors() };
    (answer.status, told)
}

/// Changes a state by SQL.
pub(super) async fn changed(state: &[u8], statements: &[&'static str]) -> Vec<u8> {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("state.db");
    std::fs::write(&path, state).unwrap();
    let url = format!("sqlite://{}", path.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    for statement in statements {
        sqlx::query(*statement).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    std::fs::read(&path).unwrap()
}

/// What can be seen of everything.
pub(super) async fn picture(app: &TestApp) -> Vec<String> {
    let mut picture = Vec::new();
    for path in [
        "/_emulator/clock".to_owned(),
        "/_emulator/timers".to_owned(),
        "/_emulator/info".to_owned(),
        "/api/program/4".to_owned(),
        "/api/program/4/pipelines".to_owned(),
        "/api/program/4/environment/59252/variables".to_owned(),
        format!("{PRODUCTION}/executions"),
        format!("{CODE_QUALITY}/executions"),
    ] {
        picture.push(app.get(&path).await.text());
    }
    picture
}

#[tokio::test]
async fn a_state_is_restored_as_it_was() {
    let app = TestApp::new().await;
    app.start(PRODUCTION).await;
    app.start(CODE_QUALITY).await;
    app.advance("PT7S").await;
    let variables = json!([{"name": "KEY", "value": "s3cret", "type": "secretString"}]);
    let path = "/api/program/4/environment/59252/variables";
    app.request(Method::PATCH, path, variables.to_string()).await;
    let before = picture(&app).await;
    let state = export(&app).await;
    assert!(!state.windows(6).any(|bytes| bytes == b"s3cret"), "secrets are encrypted");

    app.advance("P1D").await;
    app.start(CODE_QUALITY).await;
    app.request(Method::DELETE, "/api/program/5", "").await;
    assert_ne!(picture(&app).await, before);
    assert_eq!(import(&app, &state).await, (StatusCode::NO_CONTENT, String::new()));
    assert_eq!(picture(&app).await, before);
    assert_eq!(app.get("/api/program/5").await.status, StatusCode::OK);
    // It goes on from there, and again from another emulator.
    assert!(app.advance("PT1M").await["transitions"].as_u64().unwrap() > 5);
    let other = TestApp::immediate().await;
    assert_eq!(import(&other, &state).await.0, StatusCode::NO_CONTENT);
    assert_eq!(picture(&other).await[3..], before[3..]);
    let other = other.restarted().await;
    assert_eq!(picture(&other).await[3..], before[3..]);
}

#[tokio::test]
async fn what_is_overdue_in_a_state_has_happened_when_it_is_restored() {
    let app = TestApp::new().await;
    let execution = app.start(CODE_QUALITY).await;
    let state = export(&app).await;
    let later = changed(
        &state,
        &["UPDATE emulator SET clock_base = clock_base + 3600000, seen_at = seen_at + 3600000"],
    )
    .await;
    assert_eq!(import(&app, &later).await.0, StatusCode::NO_CONTENT);
    let shown = app.execution(&execution).await;
    assert_eq!(shown.status(), "FINISHED");
    assert_eq!(shown.0["finishedAt"], "2026-03-05T10:00:09.000+0000", "each at its own time");
}

/// What somebody may have put into a state, and how it is told.
const HOSTILE: [(&[&str], &str); 19] = [
    (
        &["INSERT INTO scenarios VALUES (4, 1, NULL, '[{\"action\": 5}]')"],
        "scenarios (4, 1): invalid type",
    ),
    (
        &["CREATE TRIGGER t AFTER INSERT ON emulator BEGIN DELETE FROM executions; END"],
        "its schema is not that of an emulator",
    ),
    // Written by hand: SQLite has no such module here.
    (
        &[
            "PRAGMA writable_schema = 1",
            "INSERT INTO sqlite_schema VALUES \
             ('table', 'words', 'words', 0, 'CREATE VIRTUAL TABLE words USING fts5 (word)')",
        ],
        "is not as in an emulator's database",
    ),
    (
        &["DROP VIEW step_states", "CREATE VIEW step_states AS SELECT randomblob(9)"],
        "the view step_states is not as in an emulator's database",
    ),
    (
        &["DROP INDEX one_running_execution"],
        "the index one_running_execution is not as in an emulator's database",
    ),
    (&["UPDATE emulator SET clock_rate = -1.0"], "the rate of the clock is invalid"),
    (
        &["UPDATE emulator SET seen_at = 9223372036854775807"],
        "emulator.seen_at holds a time that can't be written",
    ),
    (
        &["UPDATE emulator SET next_execution_id = 2"],
        "an execution has an identifier that is still to be given",
    ),
    (
        &["UPDATE emulator SET next_execution_id = 9223372036854775807"],
        "the next identifier is out of bounds",
    ),
    (
        &["UPDATE executions SET sequence = 9223372036854775807"],
        "the executions of a pipeline are not numbered without gaps",
    ),
    (
        &[WEBHOOK, "UPDATE webhooks SET id = 9223372036854775807"],
        "a webhook has an impossible identifier",
    ),
    (
        &[WEBHOOK, DELIVERY, "UPDATE deliveries SET id = 9223372036854775807"],
        "a delivery has an impossible identifier or round",
    ),
    (
        &[WEBHOOK, DELIVERY, "UPDATE deliveries SET round = 9223372036854775807"],
        "a delivery has an impossible identifier or round",
    ),
    (
        &[WEBHOOK, DELIVERY, ATTEMPT, "UPDATE attempts SET number = 9223372036854775807"],
        "the attempts at a delivery are not numbered without gaps",
    ),
    (
        &[WEBHOOK, DELIVERY, ATTEMPT, "UPDATE attempts SET number = 0"],
        "the attempts at a delivery are not numbered without gaps",
    ),
    (
        &[WEBHOOK, DELIVERY, ATTEMPT, "INSERT INTO attempts VALUES (1, 9, 0, 503, NULL, NULL, 0)"],
        "the attempts at a delivery are not numbered without gaps",
    ),
    (&["UPDATE plans SET body = json_set(body, '$.steps', json('[]'))"], "plans 1: no steps"),
    (&["UPDATE plans SET digest = zeroblob(32)"], "plans 1: the digest is not that of the body"),
    (
        &["UPDATE executions SET timeline = '[]'"],
        "executions 953671: its status does not fit its timeline",
    ),
];

#[tokio::test]
async fn a_hostile_state_is_refused_and_changes_nothing() {
    let app = TestApp::new().await;
    app.start(PRODUCTION).await;
    let before = picture(&app).await;
    let state = export(&app).await;
    for (statements, told) in HOSTILE {
        let (status, errors) = import(&app, &changed(&state, statements).await).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{statements:?}: {errors}");
        assert!(errors.contains(told), "{statements:?}: {errors}");
    }
    assert_eq!(picture(&app).await, before);
}

#[tokio::test]
async fn what_is_no_state_is_refused_and_changes_nothing() {
    let app = TestApp::new().await;
    app.start(PRODUCTION).await;
    let before = picture(&app).await;
    let state = export(&app).await;
    let mut torn = state.clone();
    torn.truncate(state.len() / 2);
    let mut scrambled = state.clone();
    for byte in scrambled.iter_mut().skip(4096).step_by(7) {
        *byte ^= 0x5a;
    }
    for (what, bytes, told) in [
        ("nothing", Vec::new(), "holds no state"),
        ("text", b"hello".to_vec(), "not a database of the Cloud Manager emulator"),
        (
            "a foreign database",
            changed(&state, &["PRAGMA application_id = 7"]).await,
            "not a database of the Cloud Manager emulator",
        ),
        ("half", torn, ""),
        ("scrambled", scrambled, ""),
        (
            "newer",
            changed(&state, &["UPDATE _sqlx_migrations SET version = 99 WHERE version = 2"]).await,
            "99",
        ),
        ("without a clock", changed(&state, &["DELETE FROM emulator"]).await, "holds no state"),
        (
            "without a table",
            changed(&state, &["DROP TABLE builds"]).await,
            "the table builds is not as in an emulator's database",
        ),
        (
            "with another column",
            changed(&state, &["ALTER TABLE attempts ADD COLUMN note TEXT"]).await,
            "the table attempts is not as in an emulator's database",
        ),
        (
            "an unknown action",
            changed(&state, &["UPDATE steps SET action = 'dance' WHERE action = 'build'"]).await,
            "steps (4, 1, 1, 0): unknown variant `dance`",
        ),
        (
            "an execution without a plan",
            changed(&state, &["PRAGMA foreign_keys = OFF", "DELETE FROM plans"]).await,
            "refers to what is not there",
        ),
        (
            "an execution that can't be read",
            changed(&state, &["UPDATE executions SET timeline = '[1'"]).await,
            "executions 953671: expected value",
        ),
        (
            "a delivery of an unknown event",
            changed(&state, &[WEBHOOK, DELIVERY, "UPDATE deliveries SET kind = 'dance'"]).await,
            "deliveries 1: the event dance",
        ),
        (
            "a pending delivery that nobody comes to",
            changed(&state, &[WEBHOOK, DELIVERY]).await,
            "1 pending deliveries are in no queue",
        ),
        (
            "a queue without end",
            changed(&state, &[WEBHOOK, "INSERT INTO queues VALUES (1, 1, 0)"]).await,
            "1 queues hold no pending delivery",
        ),
    ] {
        let (status, errors) = import(&app, &bytes).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{what}: {errors}");
        assert!(errors.contains(told), "{what}: {errors}");
    }
    assert_eq!(picture(&app).await, before);
}

#[tokio::test]
async fn a_state_does_not_hold_the_key_of_signatures() {
    let app = TestApp::new().await;
    let execution = app.start(CODE_QUALITY).await;
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("cloudmanager.db");
    let mut connection = SqliteConnection::connect(&format!(
        "sqlite://{}",
        app.directory().join("cloudmanager.db").display()
    ))
    .await
    .unwrap();
    let select = "SELECT signing_key FROM emulator";
    let key: Vec<u8> = sqlx::query_scalar(select).fetch_one(&mut connection).await.unwrap();
    let state = export(&app).await;
    assert!(key.len() == 32 && !state.windows(32).any(|bytes| bytes == key));

    // An import keeps the key that is there, and a start makes a new one.
    app.advance("PT7S").await;
    let href = app.execution(&execution).await.link("build", "pipeline/logs").unwrap();
    let address = app.address(&href).await;
    assert_eq!(import(&app, &state).await.0, StatusCode::NO_CONTENT);
    app.advance("PT7S").await;
    assert_eq!(app.fetch(Method::GET, &address, &[]).await.status, StatusCode::OK);
    std::fs::write(&path, &state).unwrap();
    let other = TestApp::on(directory, Pace::Quick).await;
    let url = format!("sqlite://{}", other.directory().join("cloudmanager.db").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let new: Vec<u8> = sqlx::query_scalar(select).fetch_one(&mut connection).await.unwrap();
    assert!(new.len() == 32 && new != key);
}

#[tokio::test]
async fn an_imported_due_time_is_put_right() {
    let app = TestApp::new().await;
    let execution = app.start(CODE_QUALITY).await;
    let never = changed(&export(&app).await, &["UPDATE executions SET due_at = NULL"]).await;
    assert_eq!(import(&app, &never).await.0, StatusCode::NO_CONTENT);
    assert!(app.advance("PT1M").await["transitions"].as_u64().unwrap() > 4);
    assert_eq!(app.execution(&execution).await.status(), "FINISHED");
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_copies_and_those_of_a_kill_are_taken_away() {
    use std::os::unix::fs::PermissionsExt;
    let app = TestApp::new().await;
    export(&app).await;
    let copies = app.directory().join("cloudmanager.db.tmp");
    assert_eq!(copies.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(std::fs::read_dir(&copies).unwrap().count(), 0);
    let directory = app.closed().await;
    assert!(!copies.exists());
    std::fs::create_dir_all(copies.join("copy-left")).unwrap();
    std::fs::write(copies.join("copy-left").join("body"), "state").unwrap();
    TestApp::on(directory, Pace::Quick).await;
    assert!(!copies.exists());
}

#[tokio::test]
async fn what_is_left_of_a_deleted_webhook_is_no_fault() {
    let app = TestApp::new().await;
    let statements = [WEBHOOK, DELIVERY, "UPDATE webhooks SET deleted_at = 0"];
    let state = changed(&export(&app).await, &statements).await;
    assert_eq!(import(&app, &state).await, (StatusCode::NO_CONTENT, String::new()));
}

#[tokio::test]
async fn reset_goes_back_to_the_beginning() {
    let app = TestApp::new().await;
    let before = picture(&app).await;
    let first = app.start(PRODUCTION).await;
    app.advance("P20D").await;
    app.request(Method::DELETE, "/api/program/5", "").await;
    app.scenario(CODE_QUALITY, &json!({"steps": [{"action": "build", "outcome": "FAILED"}]})).await;
    app.post("/_emulator/faults", &json!({"status": 503})).await;
    app.put("/_emulator/clock", &json!({"rate": 5})).await;

    let answer = app.request(Method::POST, "/_emulator/reset", Body::empty()).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get("/_emulator/requests/count").await.json()["count"], 0);
    assert_eq!(picture(&app).await, before);
    let scenario = CODE_QUALITY.replace("/api/", "/_emulator/") + "/scenario";
    assert_eq!(app.get(&scenario).await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.start(PRODUCTION).await, first, "identifiers begin again");
}

#[tokio::test]
async fn reset_to_empty_leaves_nothing_but_the_clock() {
    let app = TestApp::new().await;
    app.start(PRODUCTION).await;
    let answer = app.post("/_emulator/reset", &json!({"to": "empty"})).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let info = app.get("/_emulator/info").await.json();
    assert_eq!(info["counts"]["tenants"], 0);
    assert_eq!(info["counts"]["executions"], 0);
    assert_eq!(app.get("/api/programs").await.status, StatusCode::FORBIDDEN);
    for wrong in [json!({"to": "nowhere"}), json!({"too": "seed"}), json!([])] {
        let answer = app.post("/_emulator/reset", &wrong).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    app.post("/_emulator/reset", &json!({"to": "seed"})).await;
    assert_eq!(app.get("/api/programs").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_state_is_exported_while_executions_go_on() {
    let app = TestApp::with(cloudmanager_emulator::domain::pace::Pace::Quick, seed::demo()).await;
    let (state, execution) = futures_util::future::join(export(&app), app.start(PRODUCTION)).await;
    assert_eq!(app.execution(&execution).await.status(), "RUNNING");
    assert_eq!(import(&app, &state).await.0, StatusCode::NO_CONTENT);
    let total = app.get(&format!("{PRODUCTION}/executions")).await.json();
    assert!(total["_totalNumberOfItems"].as_u64().unwrap() <= 1);
}
