//! Webhooks and deliveries: finding due deliveries, recording attempts, listing and redelivering.

pub mod webhooks;

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::delivery::{
    Attempt, Attempted, DeliveryStatus, DueDelivery, Next, RecordedDelivery,
};
use crate::domain::id::{DeliveryId, WebhookId};
use crate::domain::time::Timestamp;
use crate::domain::webhook::NewWebhook;
use crate::engine::Engine;
use crate::engine::catalog::Catalog;
use crate::engine::changes::Change;
use crate::store::StoreError;
use crate::store::deliveries::{self, DeliveryFilter, DueDeliveries};

/// A delivery to attempt now, with its subscriber.
#[derive(Clone, Debug)]
pub struct ReadyDelivery {
    /// The delivery.
    pub due: DueDelivery,
    /// The subscriber.
    pub subscriber: Arc<NewWebhook>,
    /// The organisation whose event it is.
    pub organisation: Arc<str>,
    /// The emulated time of the attempt.
    pub at: Timestamp,
    /// The generation of the state that it belongs to.
    generation: u64,
}

/// The deliveries to a subscriber that can be attempted now.
#[derive(Clone, Debug, Default)]
pub struct ReadyDeliveries {
    /// The deliveries, one about each execution.
    pub ready: Vec<ReadyDelivery>,
    /// The time at which the next deliveries are due, if there are any.
    pub next: Option<Timestamp>,
}

/// The deliveries to a subscriber that can be attempted now, and the defects of its queues.
#[derive(Default)]
struct FoundDeliveries {
    deliveries: ReadyDeliveries,
    /// Deliveries that can't be read, and why.
    unreadable: Vec<(DeliveryId, String)>,
    /// Whether a queue that is due has no pending delivery.
    has_empty_queue: bool,
}

/// Recorded deliveries with the definitions of the same moment.
pub struct Recorded {
    /// The deliveries.
    pub deliveries: Vec<RecordedDelivery>,
    /// The definitions.
    pub catalog: Arc<Catalog>,
}

impl Engine {
    /// Returns when the next delivery to each subscriber is due. Subscribers without pending
    /// deliveries are left out.
    pub async fn list_delivery_times(&self) -> Result<HashMap<WebhookId, Timestamp>, StoreError> {
        deliveries::list_due_times(&self.database).await
    }

    /// Returns the deliveries to a subscriber that can be attempted now; none if the subscription
    /// has ended. Deliveries that can't be read are given up.
    pub async fn list_ready_deliveries(
        self: &Arc<Self>,
        webhook: WebhookId,
        most: usize,
    ) -> Result<ReadyDeliveries, StoreError> {
        loop {
            let found = self.find_ready_deliveries(webhook, most).await?;
            let is_sound = found.unreadable.is_empty() && !found.has_empty_queue;
            if is_sound {
                return Ok(found.deliveries);
            }
            self.mend_queues(webhook, found.unreadable).await?;
        }
    }

    async fn find_ready_deliveries(
        &self,
        webhook: WebhookId,
        most: usize,
    ) -> Result<FoundDeliveries, StoreError> {
        // Prevents an import between the two reads: afterwards another subscriber may have the same
        // identifier.
        let _world = self.world.read().await;
        let catalog = self.catalog();
        let Some(webhook) = catalog.find_webhook(webhook) else {
            return Ok(FoundDeliveries::default());
        };
        let subscriber = Arc::new(webhook.subscription.clone());
        let tenant = catalog.find_tenant(subscriber.tenant_id);
        let organisation: Arc<str> = tenant.map_or("", |tenant| &tenant.ims_org_id).into();
        let at = self.now();
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let due = deliveries::list_due(&self.database, webhook.id, at, most).await?;
        let ready = |due| ReadyDelivery {
            due,
            subscriber: subscriber.clone(),
            organisation: organisation.clone(),
            at,
            generation: self.world.generation(),
        };
        let DueDeliveries { deliveries: due, unreadable } = due;
        let has_empty_queue =
            due.is_empty() && deliveries::has_due_queue(&self.database, webhook.id, at).await?;
        let next = deliveries::find_next_due(&self.database, webhook.id, at).await?;
        let deliveries = ReadyDeliveries { ready: due.into_iter().map(ready).collect(), next };
        Ok(FoundDeliveries { deliveries, unreadable, has_empty_queue })
    }

    /// Removes what holds up the queues of a subscriber: deliveries that can't be read, and queues
    /// without pending deliveries.
    async fn mend_queues(
        self: &Arc<Self>,
        webhook: WebhookId,
        unreadable: Vec<(DeliveryId, String)>,
    ) -> Result<(), StoreError> {
        for (id, reason) in &unreadable {
            tracing::error!(reason, "the delivery {id} is invalid; it is not attempted");
        }
        self.write(async move |mut write| {
            let now = write.now;
            deliveries::give_up(&mut write.tx, &unreadable, now).await?;
            deliveries::remove_empty_queues(&mut write.tx, webhook).await?;
            write.changes.add(Change::Deliveries(webhook));
            write.commit().await
        })
        .await
    }

    /// Records attempts and what follows from them. Attempts at deliveries that no longer exist, or
    /// that were made for a state before a reset or import, are ignored.
    pub async fn record_attempts(
        self: &Arc<Self>,
        attempts: Vec<(ReadyDelivery, Attempt)>,
    ) -> Result<(), StoreError> {
        self.write(async move |mut write| {
            let engine = write.engine.clone();
            let generation = engine.world.generation();
            let attempts = attempts.into_iter().filter(|(ready, _)| ready.generation == generation);
            let attempted: Vec<_> =
                attempts.map(|(ready, attempt)| ready.due.after(attempt)).collect();
            let succeeded = |it: &&Attempted| it.next == Next::Over(DeliveryStatus::Delivered);
            let (all, succeeded) = (attempted.len(), attempted.iter().filter(succeeded).count());
            let over = attempted.iter().filter(|it| matches!(it.next, Next::Over(_))).count();
            deliveries::record(&mut write.tx, &attempted).await?;
            for Attempted { delivery, .. } in attempted {
                write.changes.add(Change::Deliveries(delivery.webhook_id));
            }
            write.commit().await?;
            engine.purging.note_finished(over);
            engine.counters.record_deliveries(succeeded as u64, (all - succeeded) as u64);
            Ok(())
        })
        .await
    }

    /// Queues a delivery once more, whatever its status is. Returns it, or nothing if there is
    /// none.
    pub async fn redeliver(self: &Arc<Self>, id: DeliveryId) -> Result<Recorded, StoreError> {
        self.write(async move |mut write| {
            deliveries::repeat(&mut write.tx, id, write.now).await?;
            // Read before the commit: afterwards the deliverer may already have attempted it.
            let filter = DeliveryFilter { id: Some(id), ..DeliveryFilter::default() };
            let found = deliveries::list(&mut write.tx, filter, 1).await?;
            let recorded = Recorded { deliveries: found, catalog: write.catalog.clone() };
            for RecordedDelivery { delivery, .. } in &recorded.deliveries {
                write.changes.add(Change::Deliveries(delivery.webhook_id));
            }
            write.commit().await?;
            Ok(recorded)
        })
        .await
    }

    /// Returns the deliveries that match a filter, newest first, at most `most` of them.
    pub async fn list_deliveries(
        &self,
        filter: DeliveryFilter,
        most: u32,
    ) -> Result<Recorded, StoreError> {
        let _world = self.world.read().await;
        let mut reader = self.database.reader().await?;
        let deliveries = deliveries::list(&mut reader, filter, most).await?;
        Ok(Recorded { deliveries, catalog: self.catalog() })
    }

    /// Returns how many deliveries are pending.
    pub async fn count_pending_deliveries(&self) -> Result<i64, StoreError> {
        deliveries::count_pending(&self.database).await
    }
}
