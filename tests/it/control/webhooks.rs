//! Subscriptions.

use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::routing::get;
use cloudmanager_emulator::domain::id::WebhookId;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::app::{CODE_QUALITY, TestApp};
use crate::receiver::{Received, Receiver};

const WEBHOOKS: &str = "/_emulator/webhooks";

/// Serves `/{form}` with its own way to answer a challenge; the base of the addresses.
async fn start_challenged() -> String {
    type Parameters = Query<Vec<(String, String)>>;
    let challenge = |Query(query): Parameters| query[0].1.clone();
    let router = Router::new()
        .route("/text", get(async move |query: Parameters| format!("{}\n", challenge(query))))
        .route(
            "/json",
            get(async move |query: Parameters| json!({"challenge": challenge(query)}).to_string()),
        )
        .route("/other", get(async || "hello"))
        .route("/empty", get(async || ""))
        .route("/failing", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route(
            "/elsewhere",
            get(async || (StatusCode::FOUND, [("location", "/text?challenge=x")])),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    url
}

fn webhook(url: &str) -> Value {
    json!({"tenantId": "1", "clientId": "ci", "clientSecret": "s", "url": url,
        "events": ["pipelineExecutionEnd"]})
}

#[tokio::test]
async fn webhooks_are_added_shown_without_their_secrets_and_removed() {
    let app = TestApp::new().await;
    assert_eq!(app.get(WEBHOOKS).await.json(), json!({"webhooks": []}));
    let receiver = Receiver::start().await;
    let all = receiver.subscription(&json!(["all", "pipelineExecutionEnd"]));
    let answer = app.post(WEBHOOKS, &all).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let first = json!({"id": "1", "tenantId": "1", "clientId": "ci", "url": receiver.url,
        "events": ["all"]});
    assert_eq!(answer.json(), first);
    let other = start_challenged().await;
    let second = app.post(WEBHOOKS, &webhook(&format!("{other}/json"))).await.json();
    assert_eq!(second["events"], json!(["pipelineExecutionEnd"]));
    assert_eq!(app.get(WEBHOOKS).await.json(), json!({"webhooks": [first, second]}));

    let path = format!("{WEBHOOKS}/1");
    assert_eq!(app.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.delete(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.get(WEBHOOKS).await.json(), json!({"webhooks": [second]}));
    assert_eq!(app.delete(WEBHOOKS).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.delete(WEBHOOKS).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get(WEBHOOKS).await.json(), json!({"webhooks": []}));
    let app = app.restarted().await;
    assert_eq!(app.get(WEBHOOKS).await.json(), json!({"webhooks": []}));
}

#[tokio::test]
async fn an_address_must_answer_the_challenge() {
    let app = TestApp::new().await;
    let url = start_challenged().await;
    for (path, reason) in [
        ("other", "it returned something else"),
        ("empty", "it returned something else"),
        ("failing", "it returned 500"),
        ("elsewhere", "it returned 302"),
        ("nothing", "it returned 404"),
    ] {
        let answer = app.post(WEBHOOKS, &webhook(&format!("{url}/{path}"))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(answer.errors().contains(reason), "{path}: {}", answer.errors());
        assert!(answer.errors().contains("?challenge=false"), "{}", answer.errors());
    }
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nobody = webhook(&format!("http://{free}/"));
    let answer = app.post(WEBHOOKS, &nobody).await;
    assert!(answer.errors().to_lowercase().contains("connection refused"), "{}", answer.errors());
    assert_eq!(app.get(WEBHOOKS).await.json(), json!({"webhooks": []}));

    for path in ["text", "json"] {
        let answer = app.post(WEBHOOKS, &webhook(&format!("{url}/{path}"))).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{path}: {}", answer.text());
    }
    let unasked = format!("{WEBHOOKS}?challenge=false");
    assert_eq!(app.post(&unasked, &nobody).await.status, StatusCode::CREATED);
    let with_password = webhook("http://user:hidden@127.0.0.1:9/");
    let shown = app.post(&unasked, &with_password).await.json();
    assert_eq!(shown["url"], "http://user:***@127.0.0.1:9/");
    let answer = app.post(&format!("{unasked}&challenge=true"), &nobody).await;
    assert_eq!(answer.errors(), "challenge: is given more than once");
    let answer = app.post(&format!("{WEBHOOKS}?challenge=no"), &nobody).await;
    assert_eq!(answer.errors(), "challenge: must be true or false");
}

#[tokio::test]
async fn a_subscriber_has_one_webhook_for_an_address() {
    let app = TestApp::new().await;
    let receiver = Receiver::start().await;
    let subscription = receiver.subscription(&json!(["all"]));
    assert_eq!(app.post(WEBHOOKS, &subscription).await.status, StatusCode::CREATED);
    let answer = app.post(WEBHOOKS, &subscription).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.errors().contains("the webhook 1"), "{}", answer.errors());
    app.delete(&format!("{WEBHOOKS}/1")).await;
    assert_eq!(app.post(WEBHOOKS, &subscription).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn every_mistake_of_a_webhook_is_told() {
    let app = TestApp::new().await;
    let wrong = json!({"tenantId": "9", "clientId": "", "clientSecret": "", "url": "/hook",
        "events": ["all", "end", "start"]});
    let answer = app.post(WEBHOOKS, &wrong).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let errors = answer.json()["errors"].as_object().unwrap().clone();
    let fields: Vec<_> = errors.keys().collect();
    assert_eq!(fields, ["clientId", "clientSecret", "events", "tenantId", "url"]);
    let names = "all, pipelineExecutionStart, pipelineExecutionStepStart, \
        pipelineExecutionStepWaiting, pipelineExecutionStepEnd, pipelineExecutionEnd";
    let both = format!(
        "end is not a known event; known events: {names}; start is not a known event; known events: {names}"
    );
    assert_eq!(errors["events"]["message"], both);
    let none = json!({"tenantId": "1", "clientId": "a", "clientSecret": "s",
        "url": "http://127.0.0.1:9", "events": []});
    assert!(app.post(WEBHOOKS, &none).await.errors().contains("must contain at least one event"));
    let wrong = json!({"tenantId": "1", "clientId": "a", "clientSecret": ["hidden"],
        "url": "http://127.0.0.1:9", "events": ["all"]});
    let answer = app.post(WEBHOOKS, &wrong).await;
    assert_eq!(answer.json()["errors"]["clientSecret"]["invalidValue"], "***");
    let wrong = json!({"tenantId": "1", "clientId": "a", "clientSecret": "b",
        "url": "ftp://user:hidden@127.0.0.1/", "events": ["all"]});
    let answer = app.post(WEBHOOKS, &wrong).await;
    assert_eq!(answer.json()["errors"]["url"]["invalidValue"], "ftp://user:***@127.0.0.1/");
    let seed = json!({"clients": {"clientId": "a", "clientSecret": "hidden"}});
    let answer = app.post("/_emulator/seed", &seed).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(!answer.text().contains("hidden"), "{}", answer.text());
    let missing = app.post(WEBHOOKS, &json!({})).await;
    assert_eq!(missing.errors(), "tenantId: is missing");
    assert_eq!(missing.json()["missingParams"], json!([{"name": "tenantId", "type": "string"}]));
    for body in ["", "[]", "{}", "{\"tenantId\": 1, \"more\": 2}", "\u{1}"] {
        let answer = app.request(axum::http::Method::POST, WEBHOOKS, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body:?}");
    }
    for id in ["2", "0", "x", "99999999999999999999"] {
        let answer = app.delete(&format!("{WEBHOOKS}/{id}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{id}");
    }
}

#[tokio::test]
async fn who_has_unsubscribed_gets_nothing_any_more() {
    let app = TestApp::immediate().await;
    let mut receiver = Receiver::start().await;
    app.post(WEBHOOKS, &receiver.subscription(&json!(["all"]))).await;
    app.start(CODE_QUALITY).await;
    app.delete(WEBHOOKS).await;
    app.deliver_to(WebhookId::new(1)).await;
    assert_eq!(receiver.take().len(), 0);
    assert_eq!(app.get("/_emulator/deliveries").await.json(), json!({"deliveries": []}));
    app.post(WEBHOOKS, &receiver.subscription(&json!(["pipelineExecutionEnd"]))).await;
    let execution = app.start(CODE_QUALITY).await;
    app.deliver().await;
    let told: Vec<_> = receiver.take().iter().map(Received::summary).collect();
    let id = execution.rsplit('/').next().unwrap();
    assert_eq!(told, [format!("ended {id}")]);
}
