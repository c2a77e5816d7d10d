//! Deleting programs, pipelines and environments.

use std::path::Path;

use axum::http::StatusCode;
use cloudmanager_emulator::domain::pace::Pace;
use cloudmanager_emulator::seed;
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};

use crate::app::{CODE_QUALITY, OVERSEEN, PRODUCTION, TestApp, path_of};

const DEV: &str = "/api/program/4/pipeline/2";
const DEV_ENVIRONMENT: &str = "/api/program/4/environment/59252";

async fn open(directory: &Path) -> SqliteConnection {
    let url = format!("sqlite://{}", directory.join("cloudmanager.db").display());
    SqliteConnection::connect(&url).await.unwrap()
}

async fn count(connection: &mut SqliteConnection, table: &str) -> i64 {
    let query = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sqlx::query_scalar(query).fetch_one(connection).await.unwrap()
}

/// The ids of the items of a list.
async fn ids(app: &TestApp, path: &str, items: &str) -> Vec<String> {
    let list = app.get(path).await.json();
    let items = list["_embedded"][items].as_array().unwrap();
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_deleted_pipeline_is_gone_with_all_that_it_had() {
    let app = TestApp::immediate().await;
    let execution = app.start(CODE_QUALITY).await;
    let shown = app.execution(&execution).await;
    let step = shown.link("build", "self").unwrap();
    let file = app.address(&format!("{step}/logs")).await;
    let variables = format!("{CODE_QUALITY}/variables");
    app.patch(&variables, &json!([{"name": "AA", "value": "x"}])).await;
    app.scenario(CODE_QUALITY, &json!({"steps": []})).await;

    let answer = app.delete(CODE_QUALITY).await;
    assert_eq!((answer.status, answer.bytes.len()), (StatusCode::NO_CONTENT, 0));
    let mut app = app;
    for _ in 0..2 {
        assert_eq!(ids(&app, "/api/program/4/pipelines", "pipelines").await, ["1", "2"]);
        for path in [
            CODE_QUALITY,
            &format!("{CODE_QUALITY}/execution"),
            &format!("{CODE_QUALITY}/executions"),
            &execution,
            &execution.replace("/pipeline/3/", "/pipeline/2/"),
            &step,
            &format!("{step}/logs"),
            &format!("{step}/metrics"),
            &format!("{step}/artifacts"),
            &format!("{step}/artifact/1"),
            &variables,
            &file,
            "/_emulator/program/4/pipeline/3/scenario",
        ] {
            assert_eq!(app.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        let start = app.put(&format!("{CODE_QUALITY}/execution"), &json!({})).await;
        assert_eq!(start.status, StatusCode::NOT_FOUND);
        assert_eq!(app.delete(CODE_QUALITY).await.status, StatusCode::NOT_FOUND);
        assert_eq!(
            app.delete(&format!("{CODE_QUALITY}/cache")).await.status,
            StatusCode::NOT_FOUND
        );
        let history =
            app.post("/_emulator/program/4/pipeline/3/history", &json!({"count": 1})).await;
        assert_eq!(history.status, StatusCode::NOT_FOUND);
        app = app.restarted().await;
    }
    assert_eq!(app.get(PRODUCTION).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_pipeline_is_not_deleted_while_it_runs() {
    let app = TestApp::new().await;
    let execution = app.start(CODE_QUALITY).await;
    let answer = app.delete(CODE_QUALITY).await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    assert!(
        answer.errors().contains("while the pipeline 3 has an unfinished execution"),
        "{}",
        answer.errors()
    );
    assert_eq!(app.execution(&execution).await.status(), "RUNNING");
    app.advance("PT1M").await;
    assert_eq!(app.delete(CODE_QUALITY).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_long_history_goes_away_behind_the_answer_while_others_go_on() {
    let app = TestApp::immediate().await;
    app.start(DEV).await;
    let history = "/_emulator/program/4/pipeline/3/history";
    assert_eq!(app.post(history, &json!({"count": 25_000})).await.status, StatusCode::CREATED);
    assert_eq!(app.delete(CODE_QUALITY).await.status, StatusCode::NO_CONTENT);
    let (_, left) = counts(&app).await;
    assert_eq!(left, 1, "what is deleted does not count, gone or not");
    // The right to write goes round: with each change, one more portion is taken away.
    for turn in 0..6 {
        let body = json!([{"name": format!("N{turn}"), "value": "x"}]);
        let answer = app.patch(&format!("{DEV}/variables"), &body).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
    let directory = app.closed().await;
    let mut database = open(directory.path()).await;
    assert_eq!(count(&mut database, "executions").await, 1);
    assert_eq!(count(&mut database, "pipelines").await, 4);
}

/// How many programs and executions the emulator says it has.
async fn counts(app: &TestApp) -> (i64, i64) {
    let info = app.get("/_emulator/info").await.json();
    let of = |name: &str| info["counts"][name].as_i64().unwrap_or_else(|| panic!("{name}: {info}"));
    (of("programs"), of("executions"))
}

#[tokio::test]
async fn a_deleted_program_is_gone_with_everything_in_it_and_no_other_is_touched() {
    let app = TestApp::immediate().await;
    let file = {
        let finished = app.start(DEV).await;
        let step = app.execution(&finished).await.link("build", "self").unwrap();
        app.address(&format!("{step}/logs")).await
    };
    let waiting = app.start(PRODUCTION).await;
    let other = app.start(OVERSEEN).await;
    let before = app.get(&other).await.json();
    let logs = app.get("/api/program/4/environment/59252/logs?days=1").await.json();
    let tail =
        logs["_embedded"]["downloads"][0]["_links"]["http://ns.adobe.com/adobecloud/rel/logs/tail"]
            ["href"]
            .clone();
    let tail = path_of(tail.as_str().unwrap()).to_owned();

    let answer = app.delete("/api/program/4").await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.json()["id"], "4");
    let mut app = app;
    for _ in 0..2 {
        assert_eq!(ids(&app, "/api/programs", "programs").await, ["5"]);
        assert_eq!(ids(&app, "/api/tenant/1/programs", "programs").await, ["5"]);
        for path in [
            "",
            "/pipelines",
            "/environments",
            "/repositories",
            "/regions",
            "/pipeline/1",
            "/pipeline/1/execution",
            "/pipeline/1/executions",
            "/pipeline/1/variables",
            "/environment/59252",
            "/environment/59252/logs?days=1",
            "/environment/59252/variables",
            "/repository/1",
            "/repository/1/branches",
        ] {
            let path = format!("/api/program/4{path}");
            assert_eq!(app.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        for path in [waiting.as_str(), &waiting.replace("/program/4/", "/program/5/"), &file, &tail]
        {
            assert_eq!(app.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        let start = app.put("/api/program/4/pipeline/1/execution", &json!({})).await;
        assert_eq!(start.status, StatusCode::NOT_FOUND);
        assert_eq!(app.delete("/api/program/4").await.status, StatusCode::NOT_FOUND);
        assert_eq!(app.get(&other).await.json(), before);
        app = app.restarted().await;
    }
    assert_eq!(app.advance("P20D").await["transitions"], 1, "only the other program has time-outs");
}

/// The demo with somebody who wants to be told of everything.
fn with_webhook() -> seed::Seed {
    let webhook = "webhooks: [{ tenantId: \"1\", clientId: ci, clientSecret: s, \
        url: \"http://127.0.0.1:9/\", events: [all] }]\n";
    seed::read(&format!("{}{webhook}", include_str!("../../../src/seed/demo.yaml"))).unwrap()
}

#[tokio::test]
async fn executions_of_a_deleted_program_are_cancelled_and_that_is_told() {
    let app = TestApp::with(Pace::Quick, with_webhook()).await;
    app.start(PRODUCTION).await;
    app.start(DEV).await;
    app.advance("PT3S").await;
    app.start(CODE_QUALITY).await;
    // The executions go away with the program: a trigger of the database keeps how they ended.
    let directory = app.directory().to_owned();
    let mut database = open(&directory).await;
    sqlx::raw_sql(
        "CREATE TABLE told (text TEXT NOT NULL); \
         CREATE TRIGGER tell AFTER INSERT ON deliveries BEGIN INSERT INTO told \
         SELECT new.execution_id || ' ' || new.kind || ' ' || status || ' ' || new.published_at \
         FROM executions WHERE id = new.execution_id; END",
    )
    .execute(&mut database)
    .await
    .unwrap();
    app.advance("PT0.5S").await;
    assert_eq!(app.delete("/api/program/4").await.status, StatusCode::ACCEPTED);
    let directory = app.closed().await;
    let told: Vec<String> = sqlx::query_scalar("SELECT text FROM told ORDER BY rowid")
        .fetch_all(&mut database)
        .await
        .unwrap();
    // In the middle of a build, a build, and a validation.
    let at = "1772704803500";
    let expected: Vec<_> = ["953671", "953672", "953673"]
        .iter()
        .flat_map(|id| {
            ["pipelineExecutionStepEnd", "pipelineExecutionEnd"]
                .map(|kind| format!("{id} {kind} CANCELLED {at}"))
        })
        .collect();
    assert_eq!(told, expected);
    drop(directory);
}

#[tokio::test]
async fn an_environment_is_not_deleted_while_an_execution_needs_it() {
    let app = TestApp::new().await;
    let execution = app.start(PRODUCTION).await;
    app.advance("PT1M").await;
    assert_eq!(app.execution(&execution).await.step("prod approval")["status"], "WAITING");
    for environment in ["59253", "59254"] {
        let answer = app.delete(&format!("/api/program/4/environment/{environment}")).await;
        assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED, "{environment}");
    }
    let answer = app.delete("/api/program/4/environment/59252").await;
    assert_eq!(answer.status, StatusCode::CREATED, "nobody deploys to dev");
    assert_eq!(answer.json()["status"], "deleting");
    app.accept(&execution, "prod approval", "pipeline/cancel", &json!({"approved": false})).await;
    let answer = app.delete("/api/program/4/environment/59253").await;
    assert_eq!(answer.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_deleted_environment_is_gone_and_validations_say_so() {
    let app = TestApp::immediate().await;
    app.patch(&format!("{DEV_ENVIRONMENT}/variables"), &json!([{"name": "AA", "value": "findme"}]))
        .await;
    assert_eq!(app.delete(DEV_ENVIRONMENT).await.status, StatusCode::CREATED);
    let app = app.restarted().await;
    assert_eq!(ids(&app, "/api/program/4/environments", "environments").await, ["59253", "59254"]);
    for path in [
        DEV_ENVIRONMENT,
        &format!("{DEV_ENVIRONMENT}/variables"),
        &format!("{DEV_ENVIRONMENT}/logs?days=1"),
    ] {
        assert_eq!(app.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(app.delete(DEV_ENVIRONMENT).await.status, StatusCode::NOT_FOUND);
    let execution = app.start(DEV).await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.progress(), ["validate:FAILED"]);
    let message = "The environment 59252 does not exist.";
    assert_eq!(shown.step("validate")["details"]["message"], message);
    assert_eq!(shown.step("dev deploy").get("environment"), None::<&Value>);
    let directory = app.closed().await;
    assert_eq!(count(&mut open(directory.path()).await, "variables").await, 0);
}
