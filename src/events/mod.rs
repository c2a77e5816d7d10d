//! Events on their way to subscribers: each is delivered at least once, those of an execution in
//! order.

pub mod body;
mod sender;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};

use crate::domain::id::WebhookId;
use crate::domain::time::Timestamp;
use crate::domain::webhook::NewWebhook;
use crate::engine::Engine;
use crate::engine::deliveries::{DueDeliveries, Outcome};
use crate::http::host::Hosts;
use crate::store::StoreError;
use crate::store::deliveries::DueDelivery;
use body::EventBody;
pub use sender::Sender;

/// How many deliveries are made to a subscriber at once.
const AT_ONCE: u32 = 16;

/// How long deliveries to a subscriber rest after the database failed, in real time.
const RECOVERY: Duration = Duration::from_secs(1);

/// Delivers events. It remembers nothing: what is due stands in the database.
pub struct Deliverer {
    engine: Arc<Engine>,
    hosts: Hosts,
    sender: Sender,
}

impl Deliverer {
    /// Delivers an engine's events, in which addresses begin as `hosts` say.
    #[must_use]
    pub fn new(engine: Arc<Engine>, hosts: Hosts) -> Self {
        Self { engine, hosts, sender: Sender::default() }
    }

    /// How the addresses in events begin.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.hosts.own_url()
    }

    /// Calls subscribers.
    #[must_use]
    pub fn sender(&self) -> &Sender {
        &self.sender
    }

    /// Delivers events as they fall due, until told to stop; what is on its way then is sent again
    /// by the next one.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut busy: HashMap<Id, WebhookId> = HashMap::new();
        let mut under_way = JoinSet::new();
        loop {
            // Listening begins before reading, so that nothing between is missed.
            let change = self.engine.deliveries_change();
            let times = self.engine.list_delivery_times().await.inspect_err(log);
            let failed = times.is_err();
            let now = self.engine.now();
            let mut next: Option<Timestamp> = None;
            let served: HashSet<_> = busy.values().copied().collect();
            for (webhook, due) in times.into_iter().flatten().filter(|(id, _)| !served.contains(id))
            {
                if due > now {
                    next = Some(next.map_or(due, |next| next.min(due)));
                    continue;
                }
                let deliverer = self.clone();
                let task = under_way.spawn(async move {
                    if let Err(error) = deliverer.deliver_to(webhook).await {
                        log(&error);
                        tokio::time::sleep(RECOVERY).await;
                    }
                });
                busy.insert(task.id(), webhook);
            }
            tokio::select! {
                () = change => {}
                () = self.engine.sleep_until(next) => {}
                () = tokio::time::sleep(RECOVERY), if failed => {}
                Some(done) = under_way.join_next_with_id() => {
                    busy.remove(&done.map_or_else(|error| error.id(), |(id, ())| id));
                }
                _ = stop.changed() => return,
            }
        }
    }

    /// Makes all deliveries to a subscriber that are due.
    pub async fn deliver_to(&self, webhook: WebhookId) -> Result<(), StoreError> {
        while let Some(found) = self.engine.find_due_deliveries(webhook, AT_ONCE).await? {
            let DueDeliveries { subscriber, organisation, due, now } = found;
            if due.is_empty() {
                return Ok(());
            }
            let attempts = due.into_iter().map(async |due| {
                let outcome = self.attempt(&subscriber, &organisation, &due).await;
                (due, outcome)
            });
            let outcomes = join_all(attempts).await;
            self.engine.record_deliveries(outcomes, now).await?;
        }
        Ok(())
    }

    async fn attempt(
        &self,
        subscriber: &NewWebhook,
        organisation: &str,
        due: &DueDelivery,
    ) -> Outcome {
        let DueDelivery { delivery, failures } = due;
        let notice = &delivery.notice;
        let body = EventBody::new(notice, organisation, &subscriber.client_id, self.base_url());
        // Serialising texts can't fail.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let failures = failures.map_or(0, |failures| failures.count);
        self.sender.deliver(subscriber, &notice.event_id, body, failures).await
    }
}

fn log(error: &StoreError) {
    // On the way to the end of the program nothing is delivered any more.
    if !matches!(error, StoreError::Closed) {
        let error: &dyn std::error::Error = error;
        tracing::error!(error, "events are not delivered");
    }
}
