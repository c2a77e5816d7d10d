//! `PATCH /_emulator/program/{id}`

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::app::TestApp;

const PROGRAM: &str = "/_emulator/program/5";

#[tokio::test]
async fn only_what_is_sent_changes() {
    let app = TestApp::new().await;
    for (body, emergency_mode, response_time, page_views) in [
        ("{}", false, 3.0, 100.0),
        (r#"{"emergencyMode":true}"#, true, 3.0, 100.0),
        (r#"{"kpis":{"responseTime":1.5}}"#, true, 1.5, 100.0),
        (r#"{"emergencyMode":false,"kpis":{"pageViewsPerMinute":7}}"#, false, 1.5, 7.0),
    ] {
        let answer = app.request(Method::PATCH, PROGRAM, body).await;
        assert_eq!(
            answer.json(),
            json!({"id": "5", "name": "We.Retail Outlet", "emergencyMode": emergency_mode,
                "kpis": {"responseTime": response_time, "pageViewsPerMinute": page_views}})
        );
    }
    let app = app.restarted().await;
    let answer = app.request(Method::PATCH, PROGRAM, "{}").await.json();
    assert_eq!(answer["kpis"]["pageViewsPerMinute"], 7.0);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_changes_nothing() {
    let app = TestApp::new().await;
    for body in [
        "",
        "[]",
        r#"{"emergencyMode":"yes"}"#,
        r#"{"emergencyMode":true,"kpis":{"responseTime":0}}"#,
        r#"{"emergencyMode":true,"kpis":{"pageViewsPerMinute":-1}}"#,
        r#"{"emergencyMode":true,"colour":"red"}"#,
    ] {
        let answer = app.request(Method::PATCH, PROGRAM, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
    }
    let answer = app.request(Method::PATCH, PROGRAM, "{}").await.json();
    assert_eq!(answer["emergencyMode"], false);
    let answer = app.request(Method::PATCH, PROGRAM, r#"{"kpis":{"responseTime":0}}"#).await;
    assert_eq!(answer.json()["errors"]["kpis.responseTime"]["invalidValue"], 0);
    let answer = app.request(Method::PATCH, PROGRAM, r#"{"kpis":{"responseTime":"fast"}}"#).await;
    assert_eq!(answer.json()["errors"]["kpis.responseTime"]["invalidValue"], "fast");
    let answer = app.request(Method::PATCH, "/_emulator/program/77", "{}").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn simultaneous_changes_are_all_kept() {
    let app = std::sync::Arc::new(TestApp::new().await);
    for number in 1..=20 {
        let bodies = [
            json!({"emergencyMode": number % 2 == 0}),
            json!({"kpis": {"responseTime": number}}),
            json!({"kpis": {"pageViewsPerMinute": number}}),
        ];
        let changes = bodies.map(|body| {
            let app = app.clone();
            tokio::spawn(async move { app.request(Method::PATCH, PROGRAM, body.to_string()).await })
        });
        for change in changes {
            assert_eq!(change.await.unwrap().status, StatusCode::OK);
        }
        let answer = app.request(Method::PATCH, PROGRAM, "{}").await.json();
        let number = f64::from(number);
        assert_eq!(answer["emergencyMode"], number % 2.0 == 0.0);
        assert_eq!(answer["kpis"], json!({"responseTime": number, "pageViewsPerMinute": number}));
    }
}
