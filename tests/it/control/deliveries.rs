//! What subscribers receive, when, and in which order.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{CODE_QUALITY, Execution, OVERSEEN, PRODUCTION, TestApp, path_of};
use crate::receiver::Behaviour::Answer;
use crate::receiver::{Received, Receiver};

pub const DELIVERIES: &str = "/_emulator/deliveries";

const DEV: &str = "/api/program/4/pipeline/2";

pub async fn subscribe(app: &TestApp, receiver: &Receiver, events: Value) {
    let answer = app.post("/_emulator/webhooks", &receiver.subscription(&events)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
}

/// An immediate emulator and somebody who wants to know everything.
pub async fn told() -> (TestApp, Receiver) {
    let (app, receiver) = (TestApp::immediate().await, Receiver::start().await);
    subscribe(&app, &receiver, json!(["all"])).await;
    (app, receiver)
}

/// Deliveries as the emulator lists them, newest first.
pub async fn list(app: &TestApp, query: &str) -> Vec<Value> {
    let answer = app.get(&format!("{DELIVERIES}{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()["deliveries"].as_array().unwrap().clone()
}

/// The statuses of all deliveries in order, each with the statuses of the answers.
pub async fn progress(app: &TestApp) -> Vec<String> {
    let mut deliveries = list(app, "").await;
    deliveries.reverse();
    let answers = |delivery: &Value| -> Vec<String> {
        let attempts = delivery["attempts"].as_array().unwrap();
        attempts.iter().map(|attempt| attempt["status"].to_string()).collect()
    };
    let status = |delivery: &Value| delivery["status"].as_str().unwrap().to_owned();
    deliveries.iter().map(|it| format!("{} {}", status(it), answers(it).join(","))).collect()
}

async fn figure(app: &TestApp, name: &str) -> String {
    let text = app.get("/_emulator/metrics").await.text();
    let line = text.lines().find_map(|line| {
        line.strip_prefix("cloudmanager_emulator_")?.strip_prefix(name)?.strip_prefix(' ')
    });
    line.unwrap().to_owned()
}

/// The events of an execution without its identifiers: `started`, `ended build`.
fn story(execution: &Execution, receiver: &mut Receiver) -> Vec<String> {
    let id = execution.0["id"].as_str().unwrap().to_owned();
    let mut paths = vec![(id.clone(), String::new())];
    for step in execution.steps() {
        let path = format!("{id}/phase/{}/step/{}", text(step, "phaseId"), text(step, "stepId"));
        let target = step["environmentType"].as_str().map(|it| format!("{it} "));
        paths.push((path, format!(" {}{}", target.unwrap_or_default(), text(step, "action"))));
    }
    let events = receiver.take();
    let told = events.iter().map(|event| {
        let summary = event.summary();
        let (verb, path) = summary.split_once(' ').unwrap();
        let (_, name) = paths.iter().find(|(known, _)| known == path).unwrap();
        format!("{verb}{name}")
    });
    told.collect()
}

pub fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap()
}

#[tokio::test]
async fn a_run_is_told_from_its_start_to_its_end() {
    let (app, mut receiver) = told().await;
    let path = app.start(OVERSEEN).await;
    app.deliver().await;
    let waiting = [
        "started",
        "started validate",
        "ended validate",
        "started build",
        "ended build",
        "ended codeQuality",
        "started stage deploy",
        "ended stage deploy",
        "waiting stage approval",
    ];
    assert_eq!(story(&app.execution(&path).await, &mut receiver), waiting);

    app.accept(&path, "stage approval", "pipeline/advance", &json!({"approved": true})).await;
    app.accept(&path, "prod approval", "pipeline/advance", &json!({"approved": true})).await;
    let later = json!({"type": "SCHEDULED", "schedule": "2026-03-06T00:00:00Z"});
    app.accept(&path, "schedule", "pipeline/advance", &later).await;
    app.accept(&path, "schedule", "pipeline/advance", &json!({"type": "IMMEDIATE"})).await;
    app.accept(&path, "managed", "pipeline/advance", &json!({"start": true})).await;
    app.deliver().await;
    let rest = [
        "ended stage approval",
        "started stage securityTest",
        "ended stage securityTest",
        "started stage loadTest",
        "ended stage loadTest",
        "started stage reportPerformanceTest",
        "ended stage reportPerformanceTest",
        "waiting prod approval",
        "ended prod approval",
        "waiting prod schedule",
        "ended prod schedule",
        "waiting prod managed",
        "ended prod managed",
        "started prod deploy",
        "ended prod deploy",
        "ended",
    ];
    let execution = app.execution(&path).await;
    assert_eq!(story(&execution, &mut receiver), rest);
    assert_eq!(execution.status(), "FINISHED");
    assert!(list(&app, "").await.iter().all(|delivery| delivery["status"] == "DELIVERED"));
}

#[tokio::test]
async fn events_have_the_documented_form() {
    let (app, mut receiver) = told().await;
    let path = app.start(CODE_QUALITY).await;
    app.deliver().await;
    let events = receiver.take();
    insta::assert_json_snapshot!(
        [&events[0].body, &events[1].body],
        {"[].event_id" => "[id]", "[].event[\"@id\"]" => "[id]"}
    );
    let ids = |event: &Value| {
        let (id, urn) = (text(event, "event_id"), text(&event["event"], "@id"));
        assert_eq!(urn, format!("urn:oeid:cloudmanager:{id}"));
        id.to_owned()
    };
    let mut unique: Vec<_> = events.iter().map(|event| ids(&event.body)).collect();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), events.len());
    // The objects are at the addresses that name them.
    for event in &events {
        let object = text(&event.body["event"]["activitystreams:object"], "@id");
        let found = app.get(path_of(object)).await;
        assert_eq!(found.status, StatusCode::OK, "{object}");
        assert_eq!(found.json()["_links"]["self"]["href"], path_of(object));
    }
    assert!(path.ends_with("953671"));
}

#[tokio::test]
async fn each_subscriber_gets_what_it_wants() {
    let app = TestApp::immediate().await;
    let (mut ends, mut all) = (Receiver::start().await, Receiver::start().await);
    subscribe(&app, &ends, json!(["pipelineExecutionEnd", "pipelineExecutionStart"])).await;
    subscribe(&app, &all, json!(["all"])).await;
    app.start(CODE_QUALITY).await;
    app.deliver().await;
    let (ends, all) = (ends.take(), all.take());
    assert_eq!(
        ends.iter().map(Received::summary).collect::<Vec<_>>(),
        ["started 953671", "ended 953671"]
    );
    assert_eq!(all.len(), 7);
    assert_eq!(all[0].body["event_id"], ends[0].body["event_id"], "it is the same event");
}

#[tokio::test]
async fn what_a_commit_starts_has_no_actor() {
    let app = TestApp::immediate().await;
    let pipeline = json!({"id": "90", "name": "On commit", "trigger": "ON_COMMIT", "phases": [
        {"type": "VALIDATE"}, {"type": "BUILD", "repositoryId": "1", "branch": "main"}]});
    let made = app.post("/_emulator/program/4/pipelines", &pipeline).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let mut receiver = Receiver::start().await;
    subscribe(&app, &receiver, json!(["all"])).await;
    app.post("/_emulator/program/4/repository/1/branch/main/commits", &json!({})).await;
    app.deliver().await;
    let events = receiver.take();
    assert_eq!(events[0].summary(), "started 953671");
    assert!(events.iter().all(|event| event.body["event"].get("activitystreams:actor").is_none()));
}

#[tokio::test]
async fn headers_tell_what_happened_and_which_delivery_it_is() {
    let (app, mut receiver) = told().await;
    let path = app.start(OVERSEEN).await;
    app.accept(&path, "stage approval", "pipeline/cancel", &json!({"approved": false})).await;
    app.deliver().await;
    let events = receiver.take();
    let mut codes: Vec<_> =
        events.iter().map(|event| event.header("x-adobe-event-code").unwrap()).collect();
    let first_and_last = (codes[0], codes[codes.len() - 1]);
    assert_eq!(first_and_last, ("pipeline_execution_start", "pipeline_execution_end"));
    codes.sort_unstable();
    codes.dedup();
    let all = [
        "pipeline_execution_end",
        "pipeline_execution_start",
        "pipeline_execution_step_end",
        "pipeline_execution_step_start",
        "pipeline_execution_step_waiting",
    ];
    assert_eq!(codes, all);
    let mut told: Vec<_> = list(&app, "").await;
    told.reverse();
    let told: Vec<_> = told.iter().map(|delivery| text(delivery, "id").to_owned()).collect();
    let ids: Vec<_> =
        events.iter().map(|event| event.header("x-adobe-delivery-id").unwrap()).collect();
    assert_eq!(ids, told);
}

#[tokio::test]
async fn what_fails_is_tried_again_later_and_in_order() {
    let (app, mut receiver) = told().await;
    receiver.behave([503, 429].map(Answer));
    app.start(CODE_QUALITY).await;
    app.deliver().await;
    let first = receiver.take();
    assert_eq!(first.len(), 1, "the others wait for it");
    assert_eq!(first[0].header("x-adobe-retry-count"), None);
    let newest_first = list(&app, "").await;
    let delivery = newest_first.last().unwrap();
    assert_eq!(delivery["status"], "PENDING");
    assert_eq!(delivery["nextAttemptAt"], "2026-03-05T10:01:00.000+0000");
    assert_eq!(delivery["body"], first[0].body);
    let attempt = &delivery["attempts"][0];
    assert_eq!(attempt["at"], "2026-03-05T10:00:00.000+0000");
    assert_eq!((&attempt["status"], &attempt["answer"]), (&json!(503), &json!("so be it")));
    let waiting = &newest_first[0];
    assert_eq!((&waiting["status"], &waiting["attempts"]), (&json!("PENDING"), &json!([])));
    assert_eq!(waiting.get("nextAttemptAt"), None);

    app.advance("PT59.999S").await;
    app.deliver().await;
    assert_eq!(receiver.take().len(), 0);
    app.advance("PT0.001S").await;
    app.deliver().await;
    let second = receiver.take();
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].body, first[0].body, "the same event");
    assert_eq!(second[0].header("x-adobe-retry-count"), Some("1"));
    assert_eq!(
        list(&app, "").await.last().unwrap()["nextAttemptAt"],
        "2026-03-05T10:03:00.000+0000"
    );
    app.advance("PT2M").await;
    app.deliver().await;
    let rest = receiver.take();
    assert_eq!(rest[0].body, first[0].body);
    assert_eq!(rest[0].header("x-adobe-retry-count"), Some("2"));
    assert_eq!(rest[1].header("x-adobe-retry-count"), None, "each has its own attempts");
    let verbs: Vec<_> = rest.iter().map(Received::summary).collect();
    assert!(verbs[0].starts_with("started") && verbs.last().unwrap().starts_with("ended"));
    assert_eq!(rest.len(), 7);
    assert_eq!(progress(&app).await[..2], ["DELIVERED 503,429,200", "DELIVERED 200"]);
    assert_eq!(figure(&app, "event_deliveries_total{outcome=\"delivered\"}").await, "7");
    assert_eq!(figure(&app, "event_deliveries_total{outcome=\"failed\"}").await, "2");
    assert_eq!(figure(&app, "pending_event_deliveries").await, "0");
}

#[tokio::test]
async fn other_executions_and_subscribers_do_not_wait() {
    let (app, mut receiver) = told().await;
    let mut other = Receiver::start().await;
    subscribe(&app, &other, json!(["all"])).await;
    app.start(CODE_QUALITY).await;
    receiver.behave([500].map(Answer));
    app.deliver().await;
    assert_eq!((receiver.take().len(), other.take().len()), (1, 7));
    app.start(DEV).await;
    app.deliver().await;
    let told = receiver.take();
    assert_eq!(told.len(), 9);
    assert!(told.iter().all(|event| event.summary().contains("953672")));
    app.advance("PT1M").await;
    app.deliver().await;
    let told = receiver.take();
    assert_eq!(told.len(), 7);
    assert!(told.iter().all(|event| event.summary().contains("953671")));
}

#[tokio::test]
async fn what_is_refused_is_given_up_and_the_next_is_told() {
    let (app, mut receiver) = told().await;
    receiver.behave([400, 302, 505].map(Answer));
    app.start(CODE_QUALITY).await;
    app.deliver().await;
    assert_eq!(receiver.take().len(), 7);
    let progress = progress(&app).await;
    assert_eq!(progress[..4], ["FAILED 400", "FAILED 302", "FAILED 505", "DELIVERED 200"]);
}

#[tokio::test]
async fn nobody_is_tried_for_longer_than_a_day() {
    let (app, mut receiver) = told().await;
    receiver.behave([503; 4].map(Answer));
    app.start(CODE_QUALITY).await;
    app.deliver().await;
    app.advance("PT1M").await;
    app.deliver().await;
    assert_eq!(progress(&app).await[0], "PENDING 503,503");
    // However far time jumps, what became due is tried once.
    app.advance("P14D").await;
    app.deliver().await;
    assert_eq!(progress(&app).await[..2], ["FAILED 503,503,503", "PENDING 503"]);
    app.advance("PT1M").await;
    app.deliver().await;
    assert_eq!(
        progress(&app).await[..3],
        ["FAILED 503,503,503", "DELIVERED 503,200", "DELIVERED 200"]
    );
    assert_eq!(receiver.take().len(), 3 + 2 + 5);
}

#[tokio::test]
async fn a_dead_address_is_noted_without_its_secrets() {
    let (app, receiver) = told().await;
    drop(receiver);
    app.start(CODE_QUALITY).await;
    // The receiver's port closes when its task has gone.
    tokio::task::yield_now().await;
    app.deliver().await;
    let delivery = list(&app, "").await.pop().unwrap();
    let attempt = &delivery["attempts"][0];
    assert!(attempt.get("status").is_none());
    let error = text(attempt, "error");
    assert!(error.to_lowercase().contains("connection refused"), "{error}");
    assert!(!error.contains("key=1"), "{error}");
    assert_eq!(delivery["status"], "PENDING");
}

#[tokio::test]
async fn deliveries_are_listed_page_by_page_and_as_they_are_wanted() {
    let (app, receiver) = told().await;
    let other = Receiver::start().await;
    subscribe(&app, &other, json!(["pipelineExecutionEnd"])).await;
    receiver.behave([400, 503].map(Answer));
    app.start(CODE_QUALITY).await;
    app.start(DEV).await;
    app.deliver().await;
    let all = list(&app, "").await;
    assert_eq!(all.len(), 7 + 9 + 2);
    let ids = |some: &[Value]| some.iter().map(|it| text(it, "id").to_owned()).collect::<Vec<_>>();
    let mut paged = Vec::new();
    let mut query = "?limit=5".to_owned();
    loop {
        let page = ids(&list(&app, &query).await);
        let Some(last) = page.last() else { break };
        query = format!("?limit=5&before={last}");
        paged.extend(page);
    }
    assert_eq!(paged, ids(&all));
    let chosen = async |query: &str, is_meant: &dyn Fn(&Value) -> bool| {
        let expected: Vec<_> = all.iter().filter(|it| is_meant(it)).cloned().collect();
        assert!(!expected.is_empty(), "{query}");
        assert_eq!(ids(&list(&app, query).await), ids(&expected), "{query}");
    };
    chosen("?status=failed", &|it| it["status"] == "FAILED").await;
    chosen("?status=PENDING", &|it| it["status"] == "PENDING").await;
    chosen("?webhookId=2", &|it| it["webhookId"] == "2").await;
    chosen("?executionId=953672", &|it| it["executionId"] == "953672").await;
    chosen("?executionId=953671&webhookId=1&status=DELIVERED", &|it| {
        it["executionId"] == "953671" && it["webhookId"] == "1" && it["status"] == "DELIVERED"
    })
    .await;
    let wrong = "?status=LOST&limit=0&before=x&webhookId=-1&executionId=&page=2";
    let answer = app.get(&format!("{DELIVERIES}{wrong}")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json()["errors"].as_object().unwrap().len(), 6);
}

#[tokio::test]
async fn what_is_pending_survives_a_restart_and_a_restored_state() {
    let (app, mut receiver) = told().await;
    receiver.behave([Answer(503)]);
    app.start(CODE_QUALITY).await;
    app.deliver().await;
    let state = app.get("/_emulator/state").await.bytes;
    let before = receiver.take()[0].body.clone();
    let app = app.restarted().await;
    app.advance("PT1M").await;
    app.deliver().await;
    let told = receiver.take();
    assert_eq!((told.len(), &told[0].body), (7, &before));

    let other = TestApp::immediate().await;
    let imported = other.request(Method::PUT, "/_emulator/state", state).await;
    assert_eq!(imported.status, StatusCode::NO_CONTENT);
    other.advance("PT1M").await;
    other.deliver().await;
    let told = receiver.take();
    assert_eq!((told.len(), &told[0].body), (7, &before));
    other.post("/_emulator/reset", &json!({})).await;
    assert!(list(&other, "").await.is_empty());
    assert_eq!(other.get("/_emulator/webhooks").await.json(), json!({"webhooks": []}));
}

#[tokio::test]
async fn the_end_of_deleted_executions_is_told() {
    let app = TestApp::new().await;
    let mut receiver = Receiver::start().await;
    subscribe(&app, &receiver, json!(["all"])).await;
    app.start(PRODUCTION).await;
    assert_eq!(app.delete("/api/program/4").await.status, StatusCode::ACCEPTED);
    // Whether its rows are there still or not.
    let app = app.restarted().await;
    app.deliver().await;
    let told: Vec<_> = receiver.take().iter().map(Received::summary).collect();
    assert_eq!(told.len(), 4);
    assert!(told[2].starts_with("ended 953671/phase/"), "{told:?}");
    assert_eq!(told[3], "ended 953671");
}

#[tokio::test]
async fn waiting_ends_when_all_that_is_due_has_been_tried() {
    let (app, receiver) = told().await;
    let wait = format!("{DELIVERIES}/wait");
    let at_once = app.get(&format!("{wait}?timeout=PT0S")).await;
    assert_eq!(at_once.json(), json!({"deliveries": []}));
    receiver.behave([Answer(503)]);
    app.start(CODE_QUALITY).await;
    let answer = app.get(&format!("{wait}?timeout=PT0.01S")).await;
    assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
    assert!(answer.errors().contains("PT0.01S"), "{}", answer.errors());
    let path = format!("{wait}?timeout=PT1H&limit=1&before=2");
    let (answer, ()) = tokio::join!(app.get(&path), app.deliver());
    assert_eq!(answer.json()["deliveries"], json!(list(&app, "?limit=1&before=2").await));
    assert_eq!(answer.json()["deliveries"][0]["attempts"][0]["status"], 503);
    assert_eq!(app.get(&wait).await.status, StatusCode::OK, "what is due later can wait");
    app.advance("PT1M").await;
    let (answer, ()) = tokio::join!(app.get(&wait), async { app.stop_waiting() });
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let answer = app.get(&format!("{wait}?timeout=soon&for=ever&limit=0")).await;
    assert_eq!(answer.json()["errors"].as_object().unwrap().len(), 3);
}
