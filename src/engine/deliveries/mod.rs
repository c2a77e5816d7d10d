//! Webhooks, and the deliveries to them: what is due, what came of it, what was sent.

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
use crate::store::deliveries::{self, DeliveryFilter};

/// A delivery whose turn it is, and to whom.
#[derive(Clone, Debug)]
pub struct Turn {
    /// The delivery.
    pub due: DueDelivery,
    /// The subscriber.
    pub subscriber: Arc<NewWebhook>,
    /// The organisation whose event it is.
    pub organisation: Arc<str>,
    /// When this is.
    pub at: Timestamp,
    /// The state that it belongs to.
    generation: u64,
}

/// The deliveries to a subscriber whose turn it is.
#[derive(Clone, Debug, Default)]
pub struct Turns {
    /// The deliveries, one about each execution.
    pub turns: Vec<Turn>,
    /// When others are due.
    pub next: Option<Timestamp>,
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

    /// The deliveries to a subscriber whose turn it is now; none if it subscribes no longer.
    pub async fn list_turns(&self, webhook: WebhookId, most: usize) -> Result<Turns, StoreError> {
        // Nobody is sent what was for whoever had the same identifier in another state.
        let _world = self.world.read().await;
        let catalog = self.catalog();
        let Some(webhook) = catalog.find_webhook(webhook) else { return Ok(Turns::default()) };
        let subscriber = Arc::new(webhook.subscription.clone());
        let tenant = catalog.find_tenant(subscriber.tenant_id);
        let organisation: Arc<str> = tenant.map_or("", |tenant| &tenant.ims_org_id).into();
        let at = self.now();
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let due = deliveries::list_due(&self.database, webhook.id, at, most).await?;
        let turn = |due| Turn {
            due,
            subscriber: subscriber.clone(),
            organisation: organisation.clone(),
            at,
            generation: self.world.generation(),
        };
        let next = deliveries::find_next_due(&self.database, webhook.id, at).await?;
        Ok(Turns { turns: due.into_iter().map(turn).collect(), next })
    }

    /// Records attempts, and what follows from them. What is no longer there, or belongs to another
    /// state, is left out.
    pub async fn record_attempts(
        self: &Arc<Self>,
        attempts: Vec<(Turn, Attempt)>,
    ) -> Result<(), StoreError> {
        self.write(async move |mut write| {
            let engine = write.engine.clone();
            let generation = engine.world.generation();
            let attempts = attempts.into_iter().filter(|(turn, _)| turn.generation == generation);
            let attempted: Vec<_> =
                attempts.map(|(turn, attempt)| turn.due.tried(attempt)).collect();
            let made = |it: &&Attempted| it.next == Next::Over(DeliveryStatus::Delivered);
            let (all, made) = (attempted.len(), attempted.iter().filter(made).count());
            deliveries::record(&mut write.tx, &attempted).await?;
            for Attempted { delivery, .. } in attempted {
                write.changes.add(Change::Deliveries(delivery.webhook_id));
            }
            write.commit().await?;
            engine.tally.count_deliveries(made as u64, (all - made) as u64);
            Ok(())
        })
        .await
    }

    /// Makes a delivery once more, whatever came of it; none if it is not there.
    pub async fn redeliver(self: &Arc<Self>, id: DeliveryId) -> Result<Recorded, StoreError> {
        self.write(async move |mut write| {
            deliveries::repeat(&mut write.tx, id, write.now).await?;
            // Read before the commit: whoever delivers it comes after.
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

    /// The newest deliveries that are wanted, newest first, at most `most` of them.
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

    /// How many deliveries are still to be made.
    pub async fn count_pending_deliveries(&self) -> Result<i64, StoreError> {
        deliveries::count_pending(&self.database).await
    }
}
