//! `GET /_emulator/program/{id}/executions`

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{CODE_QUALITY, PRODUCTION, TestApp};
use crate::control::deliveries::text;

const EXECUTIONS: &str = "/_emulator/program/4/executions";

async fn list(app: &TestApp, query: &str) -> Vec<Value> {
    let answer = app.get(&format!("{EXECUTIONS}{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()["executions"].as_array().unwrap().clone()
}

async fn ids(app: &TestApp, query: &str) -> Vec<String> {
    list(app, query).await.iter().map(|it| text(it, "id").to_owned()).collect()
}

#[tokio::test]
async fn the_executions_of_all_pipelines_are_listed_newest_first() {
    let app = TestApp::new().await;
    let first = app.start(CODE_QUALITY).await;
    app.advance("PT1M").await;
    app.start(PRODUCTION).await;
    app.advance("PT1S").await;
    app.start(CODE_QUALITY).await;
    app.start("/api/program/5/pipeline/8").await;
    assert_eq!(ids(&app, "").await, ["953673", "953672", "953671"]);
    assert_eq!(ids(&app, "?status=FINISHED").await, ["953671"]);
    assert_eq!(ids(&app, "?status=running").await, ["953673", "953672"]);
    assert_eq!(ids(&app, "?status=FAILED").await, [""; 0]);

    let listed = list(&app, "?status=FINISHED").await;
    let mut shown = app.execution(&first).await.0;
    let removed = ["_embedded", "_links", "pipelineType"];
    shown.as_object_mut().unwrap().retain(|name, _| !removed.contains(&name.as_str()));
    assert_eq!(listed, [shown]);
}

#[tokio::test]
async fn pages_are_read_by_the_last_execution_of_the_page_before() {
    let app = TestApp::immediate().await;
    let history = "/_emulator/program/4/pipeline/2/history";
    app.start(CODE_QUALITY).await;
    app.post(history, &json!({"count": 30})).await;
    app.start(PRODUCTION).await;
    for status in ["", "&status=FINISHED"] {
        let (mut all, mut query) = (Vec::new(), format!("?limit=7{status}"));
        loop {
            let page = list(&app, &query).await;
            let Some(last) = page.last() else { break };
            query = format!("?limit=7{status}&before={}", text(last, "id"));
            all.extend(page);
        }
        let expected = if status.is_empty() { 32 } else { 31 };
        assert_eq!(all.len(), expected);
        assert_eq!(all.iter().map(|it| text(it, "id")).collect::<BTreeSet<_>>().len(), expected);
        assert!(all.is_sorted_by(|one, next| text(one, "createdAt") >= text(next, "createdAt")));
    }
    assert_eq!(ids(&app, "").await.len(), 20);
}

#[tokio::test]
async fn what_can_not_be_listed_is_refused() {
    let app = TestApp::immediate().await;
    app.start("/api/program/5/pipeline/8").await;
    for (query, error) in [
        ("?status=BUSY", "status: "),
        ("?limit=0", "limit: must be a whole number from 1 to 100"),
        ("?limit=101", "limit: must be a whole number from 1 to 100"),
        ("?before=x", "before: "),
        ("?before=953671", "before: is not an execution of the program"),
        ("?start=5", "start: is not a known parameter"),
    ] {
        let answer = app.get(&format!("{EXECUTIONS}{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(answer.errors().contains(error), "{query}: {}", answer.errors());
    }
    let unknown = app.get("/_emulator/program/99/executions").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}
