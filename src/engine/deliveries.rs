//! Webhooks, and the deliveries to them: what is due, what came of it, what was sent.

use std::collections::HashMap;
use std::sync::Arc;

use super::catalog::Catalog;
use super::scheduler::LONGEST_SLEEP;
use super::wait::WaitError;
use super::{Engine, run_to_the_end};
use crate::domain::delivery::{self, DeliveryStatus, Next, Reply};
use crate::domain::id::{DeliveryId, WebhookId};
use crate::domain::time::Timestamp;
use crate::domain::webhook::{NewWebhook, Webhook};
use crate::store::deliveries::{self, Attempt, Attempted, DueDelivery, Filter, RecordedDelivery};
use crate::store::{StoreError, emulator, webhooks};

/// Why a subscription was not added.
#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    /// The subscriber has one for the same address.
    #[error("the webhook {0} tells the same subscriber at the same address")]
    AlreadyThere(WebhookId),
    /// The tenant is not there.
    #[error("no such tenant")]
    NoSuchTenant,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

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
}

impl Engine {
    /// Adds a subscription.
    pub async fn subscribe(
        self: &Arc<Self>,
        subscription: NewWebhook,
    ) -> Result<Webhook, SubscribeError> {
        let engine = self.clone();
        run_to_the_end(async move {
            let mut writer = engine.database.writer().await;
            let catalog = engine.catalog();
            if catalog.find_tenant(subscription.tenant_id).is_none() {
                return Err(SubscribeError::NoSuchTenant);
            }
            if let Some(known) = catalog.find_same_webhook(&subscription) {
                return Err(SubscribeError::AlreadyThere(known.id));
            }
            let mut tx = writer.begin().await?;
            let id = webhooks::insert_one(&mut tx, &subscription).await?;
            emulator::see(&mut tx, engine.now()).await?;
            tx.commit().await.map_err(StoreError::from)?;
            engine.catalog.set(Catalog::load(&engine.database).await?);
            Ok(Webhook { id, subscription })
        })
        .await
    }

    /// Ends a subscription, or all; whether there was any. What was still to be delivered is not.
    pub async fn unsubscribe(self: &Arc<Self>, id: Option<WebhookId>) -> Result<bool, StoreError> {
        let engine = self.clone();
        run_to_the_end(async move {
            let mut writer = engine.database.writer().await;
            let now = engine.now();
            let mut tx = writer.begin().await?;
            let ended = webhooks::delete(&mut tx, id, now).await?;
            emulator::see(&mut tx, now).await?;
            tx.commit().await?;
            engine.catalog.set(Catalog::load(&engine.database).await?);
            engine.start_purging();
            Ok(ended)
        })
        .await
    }

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
        let due = deliveries::list_due(&self.database, webhook.id, self.now(), most).await?;
        Ok(Some(DueDeliveries {
            subscriber: webhook.subscription.clone(),
            organisation: tenant.map(|tenant| tenant.ims_org_id.clone()).unwrap_or_default(),
            due,
        }))
    }

    /// Records what came of attempts, and what follows from it. What is no longer there is left
    /// out.
    pub async fn record_deliveries(
        self: &Arc<Self>,
        outcomes: Vec<(DueDelivery, Outcome)>,
    ) -> Result<(), StoreError> {
        let engine = self.clone();
        run_to_the_end(async move {
            let mut writer = engine.database.writer().await;
            let now = engine.now();
            let attempted: Vec<_> = outcomes
                .into_iter()
                .map(|(DueDelivery { delivery, failures }, Outcome { reply, answer, duration })| {
                    let next = delivery::next(&reply, failures, now);
                    let attempt = Attempt { at: now, reply, answer, duration };
                    Attempted { delivery, attempt, next }
                })
                .collect();
            let mut tx = writer.begin().await?;
            deliveries::record(&mut tx, &attempted, now).await?;
            emulator::see(&mut tx, now).await?;
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
    pub async fn redeliver(
        self: &Arc<Self>,
        id: DeliveryId,
    ) -> Result<Option<RecordedDelivery>, StoreError> {
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
            let found = engine.list_deliveries(filter, 1).await?.pop();
            engine.deliveries_due.notify_waiters();
            Ok(found)
        })
        .await
    }

    /// The newest deliveries that are wanted, newest first, at most `most` of them.
    pub async fn list_deliveries(
        &self,
        filter: Filter,
        most: u32,
    ) -> Result<Vec<RecordedDelivery>, StoreError> {
        let _world = self.world.read().await;
        deliveries::list(&self.database, filter, most).await
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

    /// Waits, for ever if need be, until every delivery that is due has been tried.
    pub async fn wait_for_deliveries(&self) -> Result<(), WaitError> {
        let mut stopping = self.stopping();
        loop {
            // Listening begins before reading, so that nothing between is missed.
            let change = self.deliveries_change();
            let now = self.now();
            let times = self.list_delivery_times().await?;
            if times.values().all(|due| *due > now) {
                return Ok(());
            }
            tokio::select! {
                () = change => {}
                _ = stopping.wait_for(|stopping| *stopping) => return Err(WaitError::Stopping),
            }
        }
    }

    /// Sleeps until it is `due`; a bounded real time if that is never or far away.
    pub async fn sleep_until(&self, due: Option<Timestamp>) {
        let sleep = due.and_then(|due| self.clock.real_time_until(due));
        tokio::time::sleep(sleep.map_or(LONGEST_SLEEP, |sleep| sleep.min(LONGEST_SLEEP))).await;
    }
}
