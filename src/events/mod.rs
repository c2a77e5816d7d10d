//! Events on their way to subscribers: those of an execution in order, and each again until it is
//! taken, refused, or a day has passed.

pub mod body;
mod sender;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::task::{Id, JoinError, JoinSet};

use crate::domain::delivery::Attempt;
use crate::domain::id::{ExecutionId, WebhookId};
use crate::domain::time::Timestamp;
use crate::engine::Engine;
use crate::engine::changes::Topic;
use crate::engine::deliveries::Turn;
use crate::store::StoreError;
use body::EventBody;
pub use sender::Sender;

/// How many deliveries are made to a subscriber at once.
const AT_ONCE: usize = 16;

/// How long deliveries rest after the database failed, in real time.
const RECOVERY: Duration = Duration::from_secs(1);

/// Delivers events. It remembers nothing: what is due stands in the database.
pub struct Deliverer {
    engine: Arc<Engine>,
    base_url: String,
    sender: Sender,
}

impl Deliverer {
    /// Delivers an engine's events, in which addresses begin with `base_url`.
    #[must_use]
    pub fn new(engine: Arc<Engine>, base_url: &str) -> Self {
        let base_url = base_url.trim_end_matches('/').to_owned();
        Self { engine, base_url, sender: Sender::default() }
    }

    /// How the addresses in events begin.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Calls subscribers.
    #[must_use]
    pub fn sender(&self) -> &Sender {
        &self.sender
    }

    /// Delivers events as they fall due, until the engine is told to stop; what is on its way then
    /// is sent again by the next one.
    pub async fn run(self: Arc<Self>) {
        let mut busy: HashMap<Id, WebhookId> = HashMap::new();
        let mut under_way = JoinSet::new();
        let mut listener = self.engine.listen([Topic::AnyDeliveries, Topic::Clock]);
        while !self.engine.is_stopping() {
            // What can't be recorded would be sent again and again.
            tokio::select! {
                () = self.engine.wait_for_recovery() => {}
                () = self.engine.wait_for_stop() => continue,
            }
            listener.mark_seen();
            let times = match self.engine.list_delivery_times().await {
                Ok(times) => times,
                Err(error) => {
                    self.recover_from(&error).await;
                    continue;
                }
            };
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
                    if let Err(error) = deliverer.deliver_to(webhook).await {
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
        // What has been answered is recorded.
        while let Some(done) = under_way.join_next_with_id().await {
            id_of(done);
        }
    }

    /// Makes all deliveries to a subscriber that are due, until none is or the engine is told to
    /// stop. Some are made side by side, those about an execution one after the other.
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
                let found = self.engine.list_turns(webhook, AT_ONCE).await?;
                next = found.next;
                for turn in found.turns {
                    if under_way.len() < AT_ONCE && executions.insert(execution_of(&turn)) {
                        under_way.push(self.attempt(turn));
                    }
                }
            }
            if under_way.is_empty() {
                return Ok(());
            }
            let mut answered = (&mut under_way).ready_chunks(AT_ONCE);
            tokio::select! {
                biased;
                Some(attempts) = answered.next() => {
                    for (turn, _) in &attempts {
                        executions.remove(&execution_of(turn));
                    }
                    self.engine.record_attempts(attempts).await?;
                }
                () = listener.changed() => {}
                () = self.engine.sleep_until(next) => {}
                () = self.engine.wait_for_stop() => {}
            }
        }
    }

    /// Logs why the database failed, and rests a while.
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

    async fn attempt(&self, turn: Turn) -> (Turn, Attempt) {
        let Turn { due, subscriber, organisation, .. } = &turn;
        let notice = &due.delivery.notice;
        let body = EventBody::new(notice, organisation, &subscriber.client_id, self.base_url());
        // Serialising texts can't fail.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let attempt = self.sender.deliver(&turn, body).await;
        (turn, attempt)
    }
}

/// The task that has ended. A panic of it is one of the deliverer.
fn id_of(done: Result<(Id, ()), JoinError>) -> Id {
    match done.map_err(JoinError::try_into_panic) {
        Ok((id, ())) => id,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Err(Err(cut_off)) => cut_off.id(),
    }
}

fn execution_of(turn: &Turn) -> ExecutionId {
    turn.due.delivery.notice.execution_id
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
