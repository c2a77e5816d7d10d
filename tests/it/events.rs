//! Events from the real program: they come by themselves, whatever happens to it.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{CODE_QUALITY, ORGANISATION};
use crate::process::{Running, start};
use crate::receiver::Behaviour::{Answer, Hang, Hold};
use crate::receiver::{Received, Receiver};

/// How many events a code quality execution has.
const EVENTS: usize = 7;

/// The program in a directory, where automated steps take no time, with the demo and these
/// subscribers if it has no data yet.
fn start_for(directory: &TempDir, receivers: &[&Receiver], options: &[&str]) -> Running {
    let webhooks: Vec<_> = receivers.iter().map(|it| it.subscription(&json!(["all"]))).collect();
    let webhooks = Value::from(webhooks);
    let seed = format!("{}webhooks: {webhooks}\n", include_str!("../../src/seed/demo.yaml"));
    let path = directory.path().join("seed.yaml");
    std::fs::write(&path, seed).unwrap();
    let always = ["--pace", "immediate", "--seed", path.to_str().unwrap()];
    start(directory.path(), &[&always, options].concat())
}

async fn start_execution(running: &Running) {
    let url = format!("{}{CODE_QUALITY}/execution", running.url);
    let request = reqwest::Client::new().put(url).bearer_auth("token");
    let request = request.header("x-api-key", "k").header("x-gw-ims-org-id", ORGANISATION);
    assert_eq!(request.send().await.unwrap().status().as_u16(), 201);
}

/// Whether any event of an execution is still to be delivered.
async fn is_pending(running: &Running, execution: &str) -> bool {
    let url = &running.url;
    let url = format!("{url}/_emulator/deliveries?status=PENDING&executionId={execution}");
    let answer: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    answer["deliveries"] != json!([])
}

async fn next(receiver: &mut Receiver, count: usize) -> Vec<Received> {
    let mut events = Vec::new();
    while events.len() < count {
        events.push(receiver.next().await);
    }
    events
}

#[tokio::test]
async fn events_that_were_under_way_when_it_was_killed_come_again() {
    let directory = TempDir::new().unwrap();
    let mut receiver = Receiver::start().await;
    receiver.behave([Hang]);
    let running = start_for(&directory, &[&receiver], &[]);
    start_execution(&running).await;
    let before = receiver.next().await;
    running.kill();
    let running = start_for(&directory, &[&receiver], &[]);
    let events = next(&mut receiver, EVENTS).await;
    assert_eq!(events[0].body["event_id"], before.body["event_id"]);
    assert_eq!(events[0].summary(), "started 953671");
    assert_eq!(events[EVENTS - 1].summary(), "ended 953671");
    // The last answer is on its way back still.
    while is_pending(&running, "953671").await {}
    assert_eq!(running.stop("-TERM").code(), Some(0));
    // Those that were taken stay taken.
    let running = start_for(&directory, &[&receiver], &[]);
    start_execution(&running).await;
    assert_eq!(receiver.next().await.summary(), "started 953672");
}

#[tokio::test]
async fn nobody_waits_for_a_subscriber_that_never_answers() {
    let directory = TempDir::new().unwrap();
    let (mut hanging, mut other) = (Receiver::start().await, Receiver::start().await);
    hanging.behave([Hang]);
    let public = ["--ephemeral", "--public-url", "https://cloudmanager.example.com/"];
    let running = start_for(&directory, &[&hanging, &other], &public);
    start_execution(&running).await;
    let events = next(&mut other, EVENTS).await;
    let object = &events[0].body["event"]["activitystreams:object"]["@id"];
    let execution = "https://cloudmanager.example.com/api/program/4/pipeline/3/execution/953671";
    assert_eq!(object, execution);
    hanging.next().await;
    assert_eq!(running.stop("-TERM").code(), Some(0));
}

#[tokio::test]
async fn addresses_inside_events_can_begin_with_a_url_of_their_own() {
    let directory = TempDir::new().unwrap();
    let mut receiver = Receiver::start().await;
    let urls = ["--public-url", "https://cm.example.com", "--event-url"];
    let options = [&["--ephemeral"], &urls[..], &["https://cloudmanager.adobe.io/"]].concat();
    let running = start_for(&directory, &[&receiver], &options);
    start_execution(&running).await;
    let event = receiver.next().await;
    let object = &event.body["event"]["activitystreams:object"]["@id"];
    let execution = "https://cloudmanager.adobe.io/api/program/4/pipeline/3/execution/953671";
    assert_eq!(object, execution);
    assert_eq!(running.stop("-TERM").code(), Some(0));
}

#[tokio::test]
async fn other_executions_do_not_wait_for_one_that_is_not_answered() {
    let directory = TempDir::new().unwrap();
    let mut receiver = Receiver::start().await;
    receiver.behave([Hang]);
    let running = start_for(&directory, &[&receiver], &[]);
    start_execution(&running).await;
    assert_eq!(receiver.next().await.summary(), "started 953671");
    start_execution(&running).await;
    let events = next(&mut receiver, EVENTS).await;
    assert!(events.iter().all(|event| event.summary().contains("953672")));
    while is_pending(&running, "953672").await {}
    assert_eq!(running.stop("-TERM").code(), Some(0));
    // What was answered does not come again; what was not comes first, with all after it.
    let running = start_for(&directory, &[&receiver], &[]);
    let events = next(&mut receiver, EVENTS).await;
    assert!(events.iter().all(|event| event.summary().contains("953671")));
    assert_eq!(running.stop("-TERM").code(), Some(0));
    assert_eq!(receiver.take().len(), 0);
}

#[tokio::test]
async fn a_retry_does_not_wait_for_another_execution_that_is_not_answered() {
    let directory = TempDir::new().unwrap();
    let mut receiver = Receiver::start().await;
    receiver.behave([Hold(200), Answer(503)]);
    let fast = ["--ephemeral", "--clock-rate", "1000"];
    let running = start_for(&directory, &[&receiver], &fast);
    start_execution(&running).await;
    receiver.next().await;
    start_execution(&running).await;
    // The first is answered only after all events of the second have come.
    let events = next(&mut receiver, EVENTS + 1).await;
    assert!(events.iter().all(|event| event.summary().contains("953672")));
    receiver.release();
    let events = next(&mut receiver, EVENTS - 1).await;
    assert!(events.iter().all(|event| event.summary().contains("953671")));
    assert_eq!(running.stop("-TERM").code(), Some(0));
}

#[tokio::test]
async fn the_end_does_not_wait_for_a_challenge() {
    let directory = TempDir::new().unwrap();
    // Somebody who takes connections and never says anything.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let running = start(directory.path(), &["--ephemeral"]);
    let webhook = json!({"tenantId": "1", "clientId": "ci", "clientSecret": "s", "url": url,
        "events": ["all"]});
    let request = reqwest::Client::new().post(format!("{}/_emulator/webhooks", running.url));
    let answer = tokio::spawn(request.body(webhook.to_string()).send());
    let _asked = listener.accept().await.unwrap();
    assert_eq!(running.stop("-TERM").code(), Some(0));
    assert_eq!(answer.await.unwrap().unwrap().status().as_u16(), 503);
}

#[tokio::test]
async fn what_failed_is_tried_again_as_time_passes() {
    let directory = TempDir::new().unwrap();
    let mut receiver = Receiver::start().await;
    receiver.behave([500, 500, 500].map(Answer));
    let fast = ["--ephemeral", "--clock-rate", "1000"];
    let running = start_for(&directory, &[&receiver], &fast);
    start_execution(&running).await;
    let events = next(&mut receiver, EVENTS + 3).await;
    let counts: Vec<_> =
        events.iter().map(|event| event.header("x-adobe-retry-count").unwrap_or("0")).collect();
    assert_eq!(counts[..5], ["0", "1", "2", "3", "0"]);
    assert_eq!(events[3].body["event_id"], events[0].body["event_id"]);
    assert_eq!(running.stop("-TERM").code(), Some(0));
}
