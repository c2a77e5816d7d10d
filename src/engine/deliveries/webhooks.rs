//! Webhooks: who subscribes to events.

use std::sync::Arc;

use crate::domain::id::WebhookId;
use crate::domain::webhook::{NewWebhook, Webhook};
use crate::engine::Engine;
use crate::engine::changes::Change;
use crate::store::{StoreError, webhooks};

/// Why a subscription was not added.
#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    /// The subscriber already has a subscription with this URL.
    #[error("the webhook {0} has the same subscriber and address")]
    AlreadyThere(WebhookId),
    /// There is no such tenant.
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
        self.write(async move |mut write| {
            let catalog = write.catalog.clone();
            if catalog.find_tenant(subscription.tenant_id).is_none() {
                return Err(SubscribeError::NoSuchTenant);
            }
            if let Some(known) = catalog.find_same_webhook(&subscription) {
                return Err(SubscribeError::AlreadyThere(known.id));
            }
            let id = webhooks::insert_one(&mut write.tx, &subscription).await?;
            let webhook = Webhook { id, subscription };
            write.set_definitions(catalog.with_webhook(webhook.clone()));
            write.changes.add(Change::Webhook(id));
            write.commit().await?;
            Ok(webhook)
        })
        .await
    }

    /// Deletes a subscription, or all if `id` is `None`. Returns whether there was any. Pending
    /// deliveries to it are not sent.
    pub async fn unsubscribe(self: &Arc<Self>, id: Option<WebhookId>) -> Result<bool, StoreError> {
        self.write(async move |mut write| {
            let engine = write.engine.clone();
            let ended = webhooks::delete(&mut write.tx, id, write.now).await?;
            for webhook in write.catalog.webhooks() {
                if id.is_none_or(|id| id == webhook.id) {
                    write.changes.add(Change::Webhook(webhook.id));
                }
            }
            write.set_definitions(write.catalog.without_webhooks(id));
            write.commit().await?;
            engine.purging.wake();
            Ok(ended)
        })
        .await
    }
}
