//! Webhooks, and the deliveries to them: what is due, what came of it, what was sent.

use std::collections::HashMap;
use std::sync::Arc;

use super::catalog::Catalog;
use super::{Engine, run_to_the_end};
use crate::domain::delivery::{self, DeliveryStatus, Next, Reply};
use crate::domain::id::{DeliveryId, WebhookId};
use crate::domain::time::Timestamp;
use crate::domain::webhook::NewWebhook;
use crate::store::deliveries::{self, Attempt, Attempted, DueDelivery, Filter, RecordedDelivery};
use crate::store::{StoreError, emulator};

/// What came of an attempt at a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What the subscriber said.
    pub reply: Reply,
    /// The beginning of its answer, if it was no success.
    pub answer: Option<String>,
    /// How long it took, in real milliseconds.
    pub duration: i64,
}

/// What a subscriber is to be told now.
#[derive(Clone, Debug)]
pub struct DueDeliveries {
    /// The subscriber.
    pub subscriber: NewWebhook,
    /// The organisation whose events they are.
    pub organisation: String,
    /// The deliveries.
    pub due: Vec<DueDelivery>,
    /// When that is.
    pub now: Timestamp,
}

/// Deliveries, and who subscribes at that time.
pub struct Recorded {
    /// The deliveries.
    pub deliveries: Vec<RecordedDelivery>,
    /// The definitions.
    pub catalog: Arc<Catalog>,
}

impl Engine {
    /// When the next delivery to each subscriber is due, for those who have any pending.
    pub async fn list_delivery_times(&self) -> Result<HashMap<WebhookId, Timestamp>, StoreError> {
        deliveries::list_due_times(&self.database).await
    }

    /// The deliveries to a subscriber whose turn it is now, one about each execution; none if it
    /// subscribes no longer.
    pub async fn find_due_deliveries(
        &self,
        webhook: WebhookId,
        most: u32,
    ) -> Result<Option<DueDeliveries>, StoreError> {
        // Nobody is sent what was for whoever had the same identifier in another state.
        let _world = self.world.read().await;
        let catalog = self.catalog();
        let Some(webhook) = catalog.find_webhook(webhook) else { return Ok(None) };
        let tenant = catalog.find_tenant(webhook.subscription.tenant_id);
        let now = self.now();
        let due = deliveries::list_due(&self.database, webhook.id, now, most).await?;
        Ok(Some(DueDeliveries {
            subscriber: webhook.subscription.clone(),
            organisation: tenant.map(|tenant| tenant.ims_org_id.clone()).unwrap_or_default(),
            due,
            now,
        }))
    }

    /// Records what came of attempts that were made at `at`, and what follows from it. What is no
    /// longer there is left out.
    pub async fn record_deliveries(
        self: &Arc<Self>,
        outcomes: Vec<(DueDelivery, Outcome)>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let engine = self.clone();
        run_to_the_end(async move {
            let mut writer = engine.database.writer().await;
            let attempted: Vec<_> = outcomes
                .into_iter()
                .map(|(DueDelivery { delivery, failures }, Outcome { reply, answer, duration })| {
                    let next = delivery::next(&reply, failures, at);
                    let attempt = Attempt { at, reply, answer, duration };
                    Attempted { delivery, attempt, next }
                })
                .collect();
            let mut tx = writer.begin().await?;
            deliveries::record(&mut tx, &attempted).await?;
            emulator::see(&mut tx, engine.now()).await?;
            tx.commit().await?;
            let made = |it: &&Attempted| it.next == Next::Over(DeliveryStatus::Delivered);
            let (all, made) = (attempted.len(), attempted.iter().filter(made).count());
            engine.tally.count_deliveries(made as u64, (all - made) as u64);
            engine.deliveries_due.notify_waiters();
            Ok(())
        })
        .await
    }

    /// Makes a delivery once more, whatever came of it; none if it is not there.
    pub async fn redeliver(self: &Arc<Self>, id: DeliveryId) -> Result<Recorded, StoreError> {
        let engine = self.clone();
        run_to_the_end(async move {
            {
                let mut writer = engine.database.writer().await;
                let now = engine.now();
                let mut tx = writer.begin().await?;
                deliveries::repeat(&mut tx, id, now).await?;
                emulator::see(&mut tx, now).await?;
                tx.commit().await?;
            }
            let filter = Filter { id: Some(id), ..Filter::default() };
            let found = engine.list_deliveries(filter, 1).await;
            // Only now, so that the answer shows it as due.
            engine.deliveries_due.notify_waiters();
            found
        })
        .await
    }

    /// The newest deliveries that are wanted, newest first, at most `most` of them.
    pub async fn list_deliveries(&self, filter: Filter, most: u32) -> Result<Recorded, StoreError> {
        let _world = self.world.read().await;
        let deliveries = deliveries::list(&self.database, filter, most).await?;
        Ok(Recorded { deliveries, catalog: self.catalog() })
    }

    /// How many deliveries are still to be made.
    pub async fn count_pending_deliveries(&self) -> Result<i64, StoreError> {
        deliveries::count_pending(&self.database).await
    }

    /// Ready when, after this call, there is something else to deliver or the clock was changed.
    pub fn deliveries_change(&self) -> impl Future<Output = ()> {
        // Both listen from their making on.
        let (added, changed) = (self.deliveries_due.notified(), self.clock_changed.notified());
        async move {
            tokio::select! {
                () = added => {}
                () = changed => {}
            }
        }
    }
}
