//! `…/executions`

use axum::http::StatusCode;
use serde_json::Value;

use crate::app::{CODE_QUALITY, PRODUCTION, TestApp, link};

fn ids(list: &Value) -> Vec<i64> {
    let executions = list["_embedded"]["executions"].as_array().unwrap();
    executions.iter().map(|e| e["id"].as_str().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn executions_come_newest_first_a_page_at_a_time() {
    let app = TestApp::immediate().await;
    for _ in 0..45 {
        app.start(CODE_QUALITY).await;
    }
    let newest_first: Vec<i64> = (953_671..953_671 + 45).rev().collect();
    let mut next = Some(format!("{CODE_QUALITY}/executions"));
    let mut seen = Vec::new();
    let mut pages = 0;
    while let Some(path) = next {
        let list = app.get(&path).await.json();
        assert_eq!(list["_totalNumberOfItems"], 45);
        seen.extend(ids(&list));
        next = link(&list, "next");
        pages += 1;
    }
    assert_eq!((seen, pages), (newest_first.clone(), 3));

    let list = app.get(&format!("{CODE_QUALITY}/executions?start=40&limit=3")).await.json();
    assert_eq!(ids(&list), newest_first[40..43]);
    assert_eq!(list["_page"]["next"], 43);
    assert_eq!(list["_page"]["prev"], 37);
    assert_eq!(list["_page"]["limit"], 3);
}

#[tokio::test]
async fn a_page_past_the_end_is_an_empty_list() {
    let app = TestApp::immediate().await;
    for (pipeline, start) in [(CODE_QUALITY, "0"), (CODE_QUALITY, "99"), (PRODUCTION, "5")] {
        if start == "99" {
            app.start(CODE_QUALITY).await;
        }
        let list = app.get(&format!("{pipeline}/executions?start={start}")).await.json();
        assert_eq!(ids(&list), [0; 0], "{start}");
        assert_eq!(link(&list, "next"), None);
    }
    let far = u64::MAX;
    let list = app.get(&format!("{CODE_QUALITY}/executions?start={far}")).await.json();
    assert_eq!(ids(&list), [0; 0]);
}

#[tokio::test]
async fn start_that_is_no_number_counts_from_the_beginning() {
    let app = TestApp::immediate().await;
    app.start(CODE_QUALITY).await;
    for start in ["undefined", "", "-3", "1.5", "%ff"] {
        let answer = app.get(&format!("{CODE_QUALITY}/executions?start={start}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{start}");
        assert_eq!(ids(&answer.json()).len(), 1, "{start}");
    }
}

#[tokio::test]
async fn a_limit_is_from_1_to_100_and_what_is_above_is_clamped() {
    let app = TestApp::immediate().await;
    let list = app.get(&format!("{CODE_QUALITY}/executions?limit=5000")).await;
    assert_eq!(list.json()["_page"]["limit"], 100);
    for limit in ["0", "-1", "x", ""] {
        let answer = app.get(&format!("{CODE_QUALITY}/executions?limit={limit}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{limit}");
        assert_eq!(answer.errors(), "limit: must be a whole number from 1 to 100");
    }
}
