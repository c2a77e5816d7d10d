//! Somebody who subscribes to events: a real server that keeps what it gets and answers as it is
//! told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;
use tokio::time::timeout;

pub const SECRET: &str = "s3cret";

/// How long an event may take that has to come.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the receiver does with a request.
#[derive(Clone, Copy, Debug)]
pub enum Behaviour {
    /// Answers so.
    Answer(u16),
    /// Answers so when it is released.
    Hold(u16),
    /// Never answers.
    Hang,
}

#[derive(Clone)]
struct Shared {
    behaviours: Arc<Mutex<VecDeque<Behaviour>>>,
    released: Arc<Semaphore>,
    received: UnboundedSender<Result<Received, String>>,
}

/// A receiver; gone when dropped.
pub struct Receiver {
    pub url: String,
    shared: Shared,
    received: UnboundedReceiver<Result<Received, String>>,
    server: AbortHandle,
}

/// An event as it arrived; its signature has been checked.
#[derive(Clone, Debug)]
pub struct Received {
    pub headers: HeaderMap,
    pub body: Value,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Receiver {
    /// Takes everything.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?key=1", listener.local_addr().unwrap());
        let (sender, received) = unbounded_channel();
        let released = Arc::new(Semaphore::new(0));
        let shared = Shared { behaviours: Arc::default(), released, received: sender };
        let router =
            Router::new().route("/hook", get(challenge).post(receive)).with_state(shared.clone());
        let server = tokio::spawn(axum::serve(listener, router).into_future()).abort_handle();
        Self { url, shared, received, server }
    }

    /// Does this with the next requests, and takes everything after them.
    pub fn behave(&self, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.shared.behaviours.lock().unwrap().extend(behaviours);
    }

    /// Answers one of those that it holds.
    pub fn release(&self) {
        self.shared.released.add_permits(1);
    }

    /// The next event, as soon as it is there.
    pub async fn next(&mut self) -> Received {
        let next = timeout(PATIENCE, self.received.recv()).await.expect("an event comes");
        next.unwrap().unwrap()
    }

    /// All events that are there.
    pub fn take(&mut self) -> Vec<Received> {
        std::iter::from_fn(|| Some(self.received.try_recv().ok()?.unwrap())).collect()
    }

    /// A subscription for it, as it is written in a seed.
    pub fn subscription(&self, events: &Value) -> Value {
        json!({"tenantId": "1", "clientId": "ci", "clientSecret": SECRET, "url": self.url,
            "events": events})
    }
}

impl Received {
    /// What happened to what: `ended 1/phase/2/step/3`, where 1 is the execution.
    pub fn summary(&self) -> String {
        let event = &self.body["event"];
        let verb = event["@type"].as_str().unwrap().rsplit('/').next().unwrap();
        let object = event["activitystreams:object"]["@id"].as_str().unwrap();
        let (_, object) = object.split_once("/execution/").unwrap();
        format!("{verb} {object}")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// The signature that a text must have.
pub fn signature(text: &[u8]) -> String {
    let hmac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    STANDARD.encode(hmac.chain_update(text).finalize().into_bytes())
}

async fn challenge(
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<String, StatusCode> {
    let (_, challenge) =
        query.into_iter().find(|(name, _)| name == "challenge").ok_or(StatusCode::BAD_REQUEST)?;
    assert_eq!(headers["x-adobe-signature"], signature(challenge.as_bytes()));
    assert_eq!(headers["x-adobe-event-code"], "challenge");
    assert_eq!(headers["x-adobe-provider"], "cloudmanager");
    assert!(!headers["x-adobe-event-id"].is_empty());
    Ok(challenge)
}

/// What is wrong with an event, or the event.
fn check(headers: HeaderMap, body: &[u8]) -> Result<Received, String> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let expect = |what: &str, found: Option<&str>, expected: &str| {
        let same = found == Some(expected);
        if same { Ok(()) } else { Err(format!("{what}: {found:?} in place of {expected}")) }
    };
    let parsed: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    expect("content-type", header("content-type"), "application/json; charset=utf-8")?;
    expect("signature", header("x-adobe-signature"), &signature(body))?;
    expect("event_id", parsed["event_id"].as_str(), header("x-adobe-event-id").unwrap_or("none"))?;
    expect("provider", header("x-adobe-provider"), "cloudmanager")?;
    expect("recipient", parsed["recipient_client_id"].as_str(), "ci")?;
    Ok(Received { headers, body: parsed })
}

async fn receive(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    shared.received.send(check(headers, &body)).unwrap();
    let behaviour = shared.behaviours.lock().unwrap().pop_front();
    let status = match behaviour {
        None => 200,
        Some(Behaviour::Answer(status)) => status,
        Some(Behaviour::Hold(status)) => {
            shared.released.acquire().await.unwrap().forget();
            status
        }
        Some(Behaviour::Hang) => std::future::pending().await,
    };
    (StatusCode::from_u16(status).unwrap(), "so be it").into_response()
}
