//! HTTP calls to subscribers: signed, without redirects, and with a time-out.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use uuid::Uuid;

use crate::access::signer::Signer;
use crate::domain::delivery::{Attempt, DueDelivery, Reply};
use crate::domain::webhook::NewWebhook;
use crate::engine::deliveries::ReadyDelivery;
use crate::outgoing;
use crate::store::with_causes;

/// How long a call may take, in real time, as with Adobe I/O Events.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How much of the body of a failed answer is kept for the user to read, in bytes.
const KEPT: usize = 1024;

/// The signature of what is sent.
const X_ADOBE_SIGNATURE: &str = "x-adobe-signature";

/// Identifies the event.
const X_ADOBE_EVENT_ID: &str = "x-adobe-event-id";

/// What happened.
const X_ADOBE_EVENT_CODE: &str = "x-adobe-event-code";

/// Whose event it is.
const X_ADOBE_PROVIDER: &str = "x-adobe-provider";

/// The provider of all events here.
const PROVIDER: &str = "cloudmanager";

/// The HTTP client for subscribers. It is created with the first call: many emulators never need
/// it.
#[derive(Debug, Default)]
pub struct Sender(OnceLock<Client>);

impl Sender {
    fn client(&self) -> reqwest::Result<&Client> {
        if let Some(client) = self.0.get() {
            return Ok(client);
        }
        // Subscribers mostly run on this machine, where a proxy from the environment can't reach
        // them.
        let client = outgoing::build(|| {
            Client::builder()
                .no_proxy()
                .redirect(Policy::none())
                .timeout(TIMEOUT)
                .user_agent(concat!("cloudmanager-emulator/", env!("CARGO_PKG_VERSION")))
        })?;
        Ok(self.0.get_or_init(|| client))
    }

    /// Sends a request. Returns the answer, or why there is none.
    async fn call(
        &self,
        request: impl FnOnce(&Client) -> RequestBuilder,
    ) -> Result<Response, String> {
        let answer = match self.client() {
            Ok(client) => request(client).send().await,
            Err(error) => Err(error),
        };
        // The URL may hold secrets, and the user knows it anyway.
        answer.map_err(|error| with_causes(&error.without_url()))
    }

    /// Makes one attempt at a delivery.
    pub async fn deliver(
        &self,
        ready: &ReadyDelivery,
        body: Vec<u8>,
        signatures: HeaderMap,
    ) -> Attempt {
        let began = real_time();
        let ReadyDelivery { due: DueDelivery { delivery, failures }, subscriber, at, .. } = ready;
        let answer = self.call(|client| {
            let request = client
                .post(&subscriber.url)
                .header(CONTENT_TYPE, "application/json; charset=utf-8")
                .header(X_ADOBE_EVENT_ID, &delivery.notice.event_id)
                .header("x-adobe-delivery-id", delivery.id.to_string())
                .header(X_ADOBE_PROVIDER, PROVIDER)
                .header(X_ADOBE_EVENT_CODE, delivery.notice.kind.code())
                .header(X_ADOBE_SIGNATURE, signature(subscriber, &body))
                .headers(signatures)
                .body(body);
            match failures {
                None => request,
                Some(failures) => request.header("x-adobe-retry-count", failures.count),
            }
        });
        let (reply, answer) = match answer.await {
            Ok(answer) if answer.status().is_success() => {
                (Reply::Status(answer.status().as_u16()), None)
            }
            Ok(answer) => (Reply::Status(answer.status().as_u16()), beginning_of(answer).await),
            Err(reason) => (Reply::None(reason), None),
        };
        let duration = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        Attempt { at: *at, reply, answer, duration }
    }

    /// Sends a challenge to the URL of a subscriber: the response proves that it expects events.
    /// Returns an error message if the response is wrong.
    ///
    /// Source: Adobe I/O Events, "Webhooks": a `GET` with the query parameter `challenge`, which
    /// is to be answered with its value, as it is or as `{"challenge":…}`.
    pub async fn challenge(&self, subscriber: &NewWebhook) -> Result<(), String> {
        let challenge = Uuid::new_v4().to_string();
        let answer = self.call(|client| {
            let signature = signature(subscriber, challenge.as_bytes());
            client
                .get(&subscriber.url)
                .query(&[("challenge", &challenge)])
                .header(X_ADOBE_EVENT_ID, Uuid::new_v4().to_string())
                .header(X_ADOBE_PROVIDER, PROVIDER)
                .header(X_ADOBE_EVENT_CODE, "challenge")
                .header(X_ADOBE_SIGNATURE, signature)
        });
        let answer = answer.await?;
        let status = answer.status();
        if !status.is_success() {
            return Err(format!("it returned {}", status.as_u16()));
        }
        let text = beginning_of(answer).await.unwrap_or_default();
        let echo = serde_json::from_str::<Value>(&text)
            .ok()
            .and_then(|json| Some(json.get("challenge")?.as_str()?.to_owned()))
            .unwrap_or_else(|| text.trim().to_owned());
        if echo == challenge { Ok(()) } else { Err("it returned something else".into()) }
    }
}

/// Returns the first bytes of an answer, as far as they arrive.
async fn beginning_of(mut answer: Response) -> Option<String> {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() >= KEPT {
            break;
        }
    }
    bytes.truncate(KEPT);
    Some(String::from_utf8_lossy(&bytes).into_owned()).filter(|text| !text.is_empty())
}

/// Returns the signature of a request in base64.
fn signature(subscriber: &NewWebhook, sent: &[u8]) -> String {
    STANDARD.encode(Signer::new(subscriber.client_secret.as_bytes()).sign(sent))
}

#[allow(clippy::disallowed_methods, reason = "how long a call takes is real time")]
fn real_time() -> Instant {
    Instant::now()
}
