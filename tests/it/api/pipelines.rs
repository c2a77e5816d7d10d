//! `/api/program/{id}/pipelines`, `/api/program/{id}/pipeline/{id}`

use serde_json::json;

use crate::app::{CODE_QUALITY, PRODUCTION, TestApp, link};

#[tokio::test]
async fn a_pipeline_is_shown() {
    let app = TestApp::new().await;
    insta::assert_json_snapshot!(app.get("/api/program/5/pipeline/7").await.json());
}

#[tokio::test]
async fn pipelines_are_listed_with_what_they_are_doing() {
    let app = TestApp::new().await;
    app.start(PRODUCTION).await;
    app.start(CODE_QUALITY).await;
    app.advance("PT9S").await;
    let list = app.get("/api/program/4/pipelines").await.json();
    let pipelines = list["_embedded"]["pipelines"].as_array().unwrap();
    let activity: Vec<_> = pipelines
        .iter()
        .map(|pipeline| {
            let field = |name: &str| pipeline[name].as_str().unwrap_or("-").to_owned();
            [field("id"), field("status"), field("lastStartedAt"), field("lastFinishedAt")]
        })
        .collect();
    let (start, end) = ("2026-03-05T10:00:00.000+0000", "2026-03-05T10:00:09.000+0000");
    assert_eq!(
        json!(activity),
        json!([["1", "BUSY", start, "-"], ["2", "IDLE", "-", "-"], ["3", "IDLE", start, end]])
    );
    // Each pipeline answers alone, the same.
    for pipeline in pipelines {
        let href = pipeline["_links"]["self"]["href"].as_str().unwrap();
        assert_eq!(app.get(href).await.json(), *pipeline);
    }
}

#[tokio::test]
async fn a_pipeline_that_waits_is_busy() {
    let app = TestApp::immediate().await;
    let execution = app.start(PRODUCTION).await;
    app.advance("PT1H").await;
    assert_eq!(app.get(PRODUCTION).await.json()["status"], "BUSY");
    app.accept(&execution, "prod approval", "pipeline/cancel", &json!({"approved": false})).await;
    let pipeline = app.get(PRODUCTION).await.json();
    assert_eq!(pipeline["status"], "IDLE");
    assert_eq!(pipeline["lastFinishedAt"], "2026-03-05T11:00:00.000+0000");
    // While the next one runs, the last one that ended is still told.
    app.start(PRODUCTION).await;
    let pipeline = app.get(PRODUCTION).await.json();
    assert_eq!(pipeline["status"], "BUSY");
    assert_eq!(pipeline["lastFinishedAt"], "2026-03-05T11:00:00.000+0000");
}

#[tokio::test]
async fn pipelines_are_filtered_by_type() {
    let app = TestApp::new().await;
    for (query, count) in [("type=CI_CD", 3), ("type=CODE_GENERATOR", 0), ("limit=2", 2)] {
        let list = app.get(&format!("/api/program/4/pipelines?{query}")).await.json();
        let pipelines = list["_embedded"]["pipelines"].as_array().unwrap();
        assert_eq!(pipelines.len(), count, "{query}");
    }
}

#[tokio::test]
async fn a_page_of_pipelines_has_at_most_500_and_tells_where_others_are() {
    let app = TestApp::new().await;
    let path = "/api/program/4/pipelines";
    let page = |start: u32, limit: u32| format!("{path}?start={start}&limit={limit}");
    for (query, limit) in [("", 500), ("?limit=101", 101), ("?limit=501", 500)] {
        let list = app.get(&format!("{path}{query}")).await.json();
        assert_eq!(list["_page"], json!({"limit": limit, "property": []}), "{query}");
        assert_eq!(link(&list, "self"), Some(page(0, limit)), "{query}");
        let template = format!("{path}?start={{start}}&limit={{limit}}");
        assert_eq!(list["_links"]["page"], json!({"href": template, "templated": true}));
    }
    let list = app.get(&page(1, 1)).await.json();
    assert_eq!(list["_page"], json!({"limit": 1, "property": [], "next": 2, "prev": 0}));
    assert_eq!((link(&list, "prev"), link(&list, "next")), (Some(page(0, 1)), Some(page(2, 1))));
    let whole = app.get("/api/program/4/environments").await.json();
    assert_eq!(whole.get("_page"), None);
    assert_eq!(whole["_links"]["page"]["templated"], true);
}
