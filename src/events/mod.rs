//! The deliverer: it sends events to subscribers, those of one execution in order, with retries
//! until an event is accepted or refused, or a day has passed.

pub mod body;
mod sender;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::task::{Id, JoinError, JoinSet};

use crate::access::event_signature;
use crate::domain::delivery::Attempt;
use crate::domain::id::{ExecutionId, WebhookId};
use crate::domain::time::Timestamp;
use crate::engine::changes::Topic;
use crate::engine::deliveries::ReadyDelivery;
use crate::engine::{Engine, Worker};
use crate::store::{StoreError, with_causes};
use body::EventBody;
pub use sender::Sender;

/// How many deliveries are made to a subscriber at once. They are about different executions.
const AT_ONCE: usize = 16;

/// How long the deliverer waits after the database failed, in real time: without a pause it would
/// fill the log while the failure lasts.
const RECOVERY: Duration = Duration::from_secs(1);

/// The headers of each digital signature: the signature, and the path of its key.
const SIGNATURES: [(HeaderName, HeaderName); 2] = [
    (
        HeaderName::from_static("x-adobe-digital-signature-1"),
        HeaderName::from_static("x-adobe-public-key1-path"),
    ),
    (
        HeaderName::from_static("x-adobe-digital-signature-2"),
        HeaderName::from_static("x-adobe-public-key2-path"),
    ),
];

/// Delivers events. It keeps no state between two rounds: what is due is stored in the database, so
/// a restart loses nothing.
pub struct Deliverer {
    engine: Arc<Engine>,
    base_url: String,
    sender: Sender,
    /// Whether deliveries carry digital signatures, whose keys clients find under a real name only.
    signs_digitally: bool,
}

impl Deliverer {
    /// Returns a deliverer of an engine's events, in which addresses begin with `base_url`.
    #[must_use]
    pub fn new(engine: Arc<Engine>, base_url: &str) -> Self {
        let base_url = base_url.trim_end_matches('/').to_owned();
        Self { engine, base_url, sender: Sender::default(), signs_digitally: false }
    }

    /// Returns the same deliverer, which adds digital signatures if `signs_digitally`.
    #[must_use]
    pub fn signing_digitally(mut self, signs_digitally: bool) -> Self {
        self.signs_digitally = signs_digitally;
        self
    }

    /// Returns the base of the addresses in events.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Returns the HTTP client for subscribers.
    #[must_use]
    pub fn sender(&self) -> &Sender {
        &self.sender
    }

    /// Delivers events as they fall due, until the engine stops. Attempts that are under way then
    /// are dropped, and made again after the next start.
    pub async fn run(self: Arc<Self>) {
        // One task for each subscriber: one that is slow or down does not delay the others.
        let mut busy: HashMap<Id, WebhookId> = HashMap::new();
        let mut under_way = JoinSet::new();
        // A task ends when nothing is due to its subscriber; later deliveries get a new one.
        let mut listener = self.engine.listen([Topic::AnyDeliveries, Topic::Clock]);
        while !self.engine.is_stopping() {
            // While outcomes can't be recorded, the same deliveries would be sent again and again.
            tokio::select! {
                () = self.engine.wait_for_recovery() => {}
                () = self.engine.wait_for_stop() => continue,
            }
            listener.mark_seen();
            let times = self.engine.list_delivery_times().await;
            self.engine.note_work(Worker::Deliverer, &times);
            let times = match times {
                Ok(times) => times,
                Err(error) => {
                    self.recover_from(&error).await;
                    continue;
                }
            };
            self.engine.forget_deliveries(|webhook| times.contains_key(&webhook));
            let now = self.engine.now();
            let mut next: Option<Timestamp> = None;
            let served: HashSet<_> = busy.values().copied().collect();
            for (webhook, due) in times.into_iter().filter(|(id, _)| !served.contains(id)) {
                if due > now {
                    next = Some(next.map_or(due, |next| next.min(due)));
                    continue;
                }
                let deliverer = self.clone();
                let task = under_way.spawn(async move {
                    let outcome = deliverer.deliver_to(webhook).await;
                    deliverer.engine.note_work(Worker::DelivererTo(webhook), &outcome);
                    if let Err(error) = outcome {
                        deliverer.recover_from(&error).await;
                    }
                });
                busy.insert(task.id(), webhook);
            }
            tokio::select! {
                () = listener.changed() => {}
                () = self.engine.sleep_until(next) => {}
                Some(done) = under_way.join_next_with_id() => {
                    busy.remove(&id_of(done));
                }
                () = self.engine.wait_for_stop() => {}
            }
        }
        // The tasks end by themselves; those that record answers do so first.
        while let Some(done) = under_way.join_next_with_id().await {
            id_of(done);
        }
    }

    /// Makes all deliveries to a subscriber that are due, until none is or the engine stops.
    /// Deliveries about one execution are made one after the other, others in parallel.
    pub async fn deliver_to(&self, webhook: WebhookId) -> Result<(), StoreError> {
        let mut executions = HashSet::new();
        let mut under_way = FuturesUnordered::new();
        let mut listener = self.engine.listen([Topic::Deliveries(webhook), Topic::Clock]);
        loop {
            listener.mark_seen();
            if self.engine.is_stopping() || self.engine.trouble().is_some() {
                return Ok(());
            }
            let mut next = None;
            if under_way.len() < AT_ONCE {
                let found = self.engine.list_ready_deliveries(webhook, AT_ONCE).await?;
                next = found.next;
                for ready in found.ready {
                    if under_way.len() < AT_ONCE && executions.insert(execution_of(&ready)) {
                        under_way.push(self.attempt(ready));
                    }
                }
            }
            if under_way.is_empty() {
                return Ok(());
            }
            let mut answered = (&mut under_way).ready_chunks(AT_ONCE);
            tokio::select! {
                // Answers first: an attempt that is answered but not recorded would be repeated.
                biased;
                Some(attempts) = answered.next() => {
                    for (ready, _) in &attempts {
                        executions.remove(&execution_of(ready));
                    }
                    self.engine.record_attempts(attempts).await?;
                }
                () = listener.changed() => {}
                () = self.engine.sleep_until(next) => {}
                () = self.engine.wait_for_stop() => {}
            }
        }
    }

    /// Logs why the database failed, and waits a while.
    async fn recover_from(&self, error: &StoreError) {
        {
            let error: &dyn std::error::Error = error;
            tracing::error!(error, "events are not delivered");
        }
        tokio::select! {
            () = tokio::time::sleep(RECOVERY) => {}
            () = self.engine.wait_for_stop() => {}
        }
    }

    async fn attempt(&self, ready: ReadyDelivery) -> (ReadyDelivery, Attempt) {
        let ReadyDelivery { due, subscriber, organisation, .. } = &ready;
        let notice = &due.delivery.notice;
        let body = EventBody::new(notice, organisation, &subscriber.client_id, self.base_url());
        // Serialising texts can't fail.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let signatures = match self.digital_signatures(&body).await {
            Ok(signatures) => signatures,
            Err(error) => {
                // The subscriber gets the event, and may do without these.
                tracing::error!("an event can't be signed: {}", with_causes(&error));
                HeaderMap::new()
            }
        };
        let attempt = self.sender.deliver(&ready, body, signatures).await;
        (ready, attempt)
    }

    /// Returns the headers with the digital signatures of a body, if there are any.
    async fn digital_signatures(&self, body: &[u8]) -> Result<HeaderMap, StoreError> {
        let mut headers = HeaderMap::new();
        if !self.signs_digitally {
            return Ok(headers);
        }
        for (key, (signature, path)) in
            self.engine.stored_event_keys().await?.iter().zip(SIGNATURES)
        {
            // Base64 and paths are values of headers.
            if let Ok(value) = event_signature::sign(key, body)?.parse() {
                headers.insert(signature, value);
            }
            if let Ok(value) = event_signature::key_path(key).parse() {
                headers.insert(path, value);
            }
        }
        Ok(headers)
    }
}

/// Returns the identifier of a task that has ended. A panic of it goes on in the deliverer, so that
/// it does not end unnoticed.
fn id_of(done: Result<(Id, ()), JoinError>) -> Id {
    match done.map_err(JoinError::try_into_panic) {
        Ok((id, ())) => id,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Err(Err(cut_off)) => cut_off.id(),
    }
}

fn execution_of(ready: &ReadyDelivery) -> ExecutionId {
    ready.due.delivery.notice.execution_id
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[tokio::test]
    async fn a_delivery_that_panics_is_not_taken_for_one_that_ended() {
        let mut tasks = JoinSet::new();
        let id = tasks.spawn(async {}).id();
        assert_eq!(id_of(tasks.join_next_with_id().await.unwrap()), id);
        tasks.spawn(async { panic!("on purpose") });
        let done = tasks.join_next_with_id().await.unwrap();
        let panic = catch_unwind(AssertUnwindSafe(|| id_of(done))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
    }
}
