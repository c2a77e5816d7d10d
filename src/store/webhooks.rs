//! Subscriptions to events.

use sqlx::SqliteConnection;

use super::insert::insert_rows;
use super::{InRow, StoreError, Transaction, parse_json};
use crate::domain::id::{TenantId, WebhookId};
use crate::domain::time::Timestamp;
use crate::domain::webhook::{self, NewWebhook, Webhook};

/// Stores subscriptions.
pub async fn insert(tx: &mut Transaction, webhooks: &[NewWebhook]) -> Result<(), StoreError> {
    let rows: Vec<_> = webhooks
        .iter()
        .map(|NewWebhook { tenant_id, client_id, client_secret, url, events }| {
            (tenant_id, client_id, client_secret, url, webhook::names(events))
        })
        .collect();
    insert_rows(
        tx,
        "INSERT INTO webhooks (tenant_id, client_id, client_secret, url, events) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value -> 4 FROM json_each($1)",
        &rows,
    )
    .await
}

/// Stores a subscription. Returns its identifier.
pub async fn insert_one(
    tx: &mut Transaction,
    webhook: &NewWebhook,
) -> Result<WebhookId, StoreError> {
    insert(tx, std::slice::from_ref(webhook)).await?;
    let id = sqlx::query_scalar("SELECT last_insert_rowid()").fetch_one(&mut **tx).await?;
    Ok(WebhookId::new(id))
}

/// Returns all subscriptions, in the order in which they were made.
pub async fn list(connection: &mut SqliteConnection) -> Result<Vec<Webhook>, StoreError> {
    let rows: Vec<(i64, i64, String, String, String, String)> = sqlx::query_as(
        "SELECT id, tenant_id, client_id, client_secret, url, events FROM webhooks \
         WHERE deleted_at IS NULL ORDER BY id",
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(id, tenant_id, client_id, client_secret, url, events)| {
            let names: Vec<String> = parse_json(&events).in_row("webhooks", id)?;
            let events = webhook::events(names.iter().map(String::as_str))
                .map_err(|unknown| StoreError::unreadable(format!("events {unknown:?}")))
                .in_row("webhooks", id)?;
            let tenant_id = TenantId::new(tenant_id);
            let subscription = NewWebhook { tenant_id, client_id, client_secret, url, events };
            Ok(Webhook { id: WebhookId::new(id), subscription })
        })
        .collect()
}

/// Deletes a subscription, or all; whether there was any. Deliveries to it are out of reach at once
/// and go later, by [`purge`].
pub async fn delete(
    tx: &mut Transaction,
    id: Option<WebhookId>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let deleted = sqlx::query(
        "UPDATE webhooks SET deleted_at = $1 \
         WHERE deleted_at IS NULL AND ($2 IS NULL OR id = $2)",
    )
    .bind(now.as_millis())
    .bind(id.map(WebhookId::number))
    .execute(&mut **tx)
    .await?;
    Ok(deleted.rows_affected() > 0)
}

/// Takes away at most `most` deliveries, and as many queues, of deleted subscriptions. Returns
/// whether there may be more.
pub async fn purge(tx: &mut Transaction, most: u32) -> Result<bool, StoreError> {
    let mut more = false;
    // SQLite keeps the order of a CROSS JOIN. So it finds the deleted subscriptions first, and then
    // their rows by index; otherwise it might scan all of them.
    for statement in [
        "DELETE FROM deliveries WHERE id IN ( \
             SELECT deliveries.id FROM webhooks CROSS JOIN deliveries \
             ON deliveries.webhook_id = webhooks.id \
             WHERE webhooks.deleted_at IS NOT NULL LIMIT $1)",
        "DELETE FROM queues WHERE (webhook_id, execution_id) IN ( \
             SELECT queues.webhook_id, queues.execution_id FROM webhooks CROSS JOIN queues \
             ON queues.webhook_id = webhooks.id \
             WHERE webhooks.deleted_at IS NOT NULL LIMIT $1)",
    ] {
        more |= sqlx::query(statement).bind(most).execute(&mut **tx).await?.rows_affected() > 0;
    }
    if !more {
        sqlx::query("DELETE FROM webhooks WHERE deleted_at IS NOT NULL").execute(&mut **tx).await?;
    }
    Ok(more)
}
