//! The view of step states, for people who look into the database.

use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};

use crate::app::{OVERSEEN, PRODUCTION, TestApp};

type Row = (String, String, Option<String>, Option<String>);

/// What the view shows of an execution.
async fn viewed(app: &TestApp, execution: &str) -> Vec<Row> {
    let url = format!("sqlite://{}", app.directory().join("cloudmanager.db").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let id: i64 = execution.rsplit('/').next().unwrap().parse().unwrap();
    let rows = sqlx::query_as(
        "SELECT action, status, started, finished FROM step_states WHERE execution = $1",
    );
    rows.bind(id).fetch_all(&mut connection).await.unwrap()
}

/// What the API shows of it.
async fn shown(app: &TestApp, execution: &str) -> Vec<Row> {
    let execution = app.execution(execution).await;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let row = |step: &Value| {
        let named = |name: &str| text(&step[name]);
        let (action, status) = (named("action").unwrap(), named("status").unwrap());
        (action, status, named("startedAt"), named("finishedAt"))
    };
    execution.steps().iter().map(row).collect()
}

#[tokio::test]
async fn the_view_shows_each_step_as_the_api_does() {
    let app = TestApp::new().await;
    let waiting = app.start(PRODUCTION).await;
    let stopped = app.start(OVERSEEN).await;
    // Saves every change of a running step.
    for _ in 0..40 {
        app.advance("PT1S").await;
        assert_eq!(viewed(&app, &waiting).await, shown(&app, &waiting).await);
        assert_eq!(viewed(&app, &stopped).await, shown(&app, &stopped).await);
    }
    app.accept(&stopped, "stage approval", "pipeline/cancel", &json!({"approved": false})).await;
    let rows = viewed(&app, &stopped).await;
    assert_eq!(rows, shown(&app, &stopped).await);
    let statuses: Vec<_> = rows.iter().map(|(_, status, ..)| status.as_str()).collect();
    assert!(statuses.contains(&"CANCELLED") && statuses.contains(&"NOT_STARTED"), "{statuses:?}");
    let rows = viewed(&app, &waiting).await;
    assert_eq!(rows[rows.len() - 2].1, "WAITING", "{rows:?}");
}
