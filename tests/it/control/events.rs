//! The stream of what changes.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use cloudmanager_emulator::engine::changes::Change;
use serde_json::json;

use crate::app::{Answer, CODE_QUALITY, OVERSEEN, PRODUCTION, TestApp};

/// Ends what a test looks at.
async fn set_clock(app: &TestApp) {
    let answer = app.put("/_emulator/clock", &json!({"rate": 0})).await;
    assert_eq!(answer.status, StatusCode::OK);
}

fn done(answer: &Answer) {
    assert!(answer.status.is_success(), "{answer:?}");
}

#[tokio::test]
async fn whatever_changes_is_told_once_and_in_order() {
    let app = TestApp::new().await;
    let mut events = app.changes("", None).await;
    events.begin().await;
    app.start(PRODUCTION).await;
    app.advance("PT5S").await;
    assert_eq!(
        events.until("clock").await,
        ["execution 953671 1 4", "request 1", "execution 953671 1 4", "clock"]
    );

    app.scenario("/api/program/4/pipeline/3", &json!({"steps": []})).await;
    done(&app.patch("/_emulator/program/4", &json!({"emergencyMode": false})).await);
    let variables = json!([{"name": "FIRST", "value": "1"}]);
    done(&app.patch("/api/program/4/pipeline/3/variables", &variables).await);
    done(&app.patch("/api/program/4/environment/59252/variables", &variables).await);
    done(&app.delete("/api/program/4/pipeline/2").await);
    done(&app.delete("/api/program/4/environment/59252").await);
    done(&app.post("/_emulator/program/4/repository/1/branch/main/commits", &json!({})).await);
    done(&app.post("/_emulator/program/5/pipeline/8/history", &json!({"count": 2000})).await);
    done(&app.delete("/api/program/5").await);
    set_clock(&app).await;
    let told = events.until("clock").await;
    let told: Vec<_> = told.iter().filter(|it| !it.starts_with("request")).collect();
    assert_eq!(
        told,
        [
            "pipeline 3 4",
            "program 4",
            "pipeline 3 4",
            "environment 59252 4",
            "pipeline 2 4",
            "environment 59252 4",
            "program 4",
            "pipeline 8 5",
            "pipeline 7 5",
            "pipeline 8 5",
            "program 5",
            "clock",
        ]
    );

    app.post("/_emulator/reset", &json!({})).await;
    assert_eq!(events.until("reset").await, ["reset"]);
}

#[tokio::test]
async fn what_is_added_or_used_up_is_told() {
    let app = TestApp::immediate().await;
    let mut events = app.changes("", None).await;
    events.begin().await;
    let environment = json!({"id": "60000", "name": "new-dev", "type": "dev"});
    done(&app.post("/_emulator/program/4/environments", &environment).await);
    let pipeline = json!({"id": "11", "name": "New", "phases": [{"type": "VALIDATE"},
        {"type": "BUILD", "repositoryId": "1", "branch": "main"}]});
    done(&app.post("/_emulator/program/4/pipelines", &pipeline).await);
    set_clock(&app).await;
    assert_eq!(events.until("clock").await, ["environment 60000 4", "pipeline 11 4", "clock"]);

    app.scenario(CODE_QUALITY, &json!({"times": 1, "steps": []})).await;
    app.start(CODE_QUALITY).await;
    done(&app.delete("/_emulator/requests").await);
    set_clock(&app).await;
    assert_eq!(
        events.until("clock").await,
        ["pipeline 3 4", "pipeline 3 4", "execution 953671 3 4", "request 1", "request 1", "clock"]
    );
}

#[tokio::test]
async fn subscriptions_and_deliveries_are_told() {
    let app = TestApp::immediate().await;
    let mut events = app.changes("?types=webhook,delivery,clock", None).await;
    events.begin().await;
    let webhook = json!({"tenantId": "1", "clientId": "ci", "clientSecret": "s3cret",
        "url": "http://127.0.0.1:9/", "events": ["all"]});
    let answer = app.post("/_emulator/webhooks?challenge=false", &webhook).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    app.start(PRODUCTION).await;
    app.delete("/_emulator/webhooks/1").await;
    set_clock(&app).await;
    assert_eq!(events.until("clock").await, ["webhook 1", "delivery 1", "webhook 1", "clock"]);
}

#[tokio::test]
async fn only_what_is_wanted_is_told() {
    let app = TestApp::new().await;
    let mut of_program = app.changes("?program=5", None).await;
    let mut of_types = app.changes("?types=execution,clock", None).await;
    let mut both = app.changes("?program=5&types=execution", None).await;
    for stream in [&mut of_program, &mut of_types, &mut both] {
        stream.begin().await;
    }
    app.start(PRODUCTION).await;
    app.start(OVERSEEN).await;
    set_clock(&app).await;
    app.post("/_emulator/reset", &json!({})).await;
    assert_eq!(
        of_program.until("reset").await,
        ["execution 953672 7 5", "request 2", "clock", "reset"]
    );
    assert_eq!(
        of_types.until("reset").await,
        ["execution 953671 1 4", "execution 953672 7 5", "clock", "reset"]
    );
    assert_eq!(both.until("reset").await, ["execution 953672 7 5", "reset"]);
}

#[tokio::test]
async fn a_stream_goes_on_after_the_last_event_that_was_read() {
    let app = TestApp::new().await;
    let mut events = app.changes("?types=execution,clock", None).await;
    let begin = events.begin().await;
    app.start(PRODUCTION).await;
    let first = events.next().await.unwrap();
    drop(events);
    app.start(OVERSEEN).await;
    set_clock(&app).await;

    let mut events = app.changes("?types=execution,clock", Some(&first.id)).await;
    assert_eq!(events.until("clock").await, ["execution 953672 7 5", "clock"]);
    let mut events = app.changes("?types=clock", Some(&begin)).await;
    assert_eq!(events.until("clock").await, ["clock"]);
}

#[tokio::test]
async fn whoever_has_missed_something_is_told() {
    let app = TestApp::new().await;
    let mut slow = app.changes("", None).await;
    let begin = slow.begin().await;
    for _ in 0..=10 {
        app.tell(&vec![Change::Clock; 1000]);
    }
    let missed = slow.next().await.unwrap();
    assert_eq!(missed.event, "missed");
    let (start, _) = begin.split_once('-').unwrap();
    let future = format!("{start}-999999");
    for id in [begin.as_str(), "1-1", &future, "x", "", "1", "-1--1"] {
        let mut events = app.changes("", Some(id)).await;
        let missed = events.next().await.unwrap();
        assert_eq!(missed.event, "missed", "{id}");
        app.tell(&[Change::Everything]);
        assert_eq!(events.until("reset").await, ["reset"], "it goes on after {}", missed.id);
    }
}

#[tokio::test]
async fn the_stop_ends_a_stream() {
    let app = TestApp::new().await;
    let mut events = app.changes("", None).await;
    events.begin().await;
    app.stop_waiting();
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn queries_that_make_no_sense_are_refused() {
    let app = TestApp::new().await;
    for (query, message) in [
        ("types=steps", "types: must be one or more of execution, pipeline"),
        ("types=", "types: must be one or more of"),
        ("types=execution,", "types: must be one or more of"),
        ("program=x", "program: must be the identifier of a program"),
        ("tenant=1", "tenant: is not a known parameter; known parameters: program, types"),
        ("types=clock&types=reset", "types: is given more than once"),
    ] {
        let path = format!("/_emulator/events?{query}");
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = app.send(request).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(answer.errors().starts_with(message), "{query}: {}", answer.errors());
    }
    let answer = app.request(Method::POST, "/_emulator/events", "").await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
}
