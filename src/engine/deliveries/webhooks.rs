//! Webhooks: who subscribes to events.

use std::sync::Arc;

use crate::domain::id::WebhookId;
use crate::domain::webhook::{NewWebhook, Webhook};
use crate::engine::{Engine, run_to_the_end};
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
            let webhook = Webhook { id, subscription };
            engine.catalog.set(catalog.with_webhook(webhook.clone()));
            Ok(webhook)
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
            engine.catalog.set(engine.catalog().without_webhooks(id));
            // Nobody waits any longer for what was still to be delivered.
            engine.deliveries_due.notify_waiters();
            engine.start_purging();
            Ok(ended)
        })
        .await
    }
}
