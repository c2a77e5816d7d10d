//! Checks of stored deliveries before an import.

use super::{DeliveryRow, list_attempts};
use crate::store::{CHECKED_AT_ONCE, Database, StoreError};

/// Reads every delivery with its attempts, so that rows that can't be read are found now.
pub async fn check_all(database: &Database) -> Result<(), StoreError> {
    let mut last = i64::MIN;
    loop {
        let rows: Vec<DeliveryRow> = sqlx::query_as(select!(
            "FROM deliveries AS d LEFT JOIN queues AS q ON false WHERE d.id > $1 \
             ORDER BY d.id LIMIT $2"
        ))
        .bind(last)
        .bind(CHECKED_AT_ONCE)
        .fetch_all(database.readers())
        .await?;
        let Some(row) = rows.last() else { return Ok(()) };
        last = row.id;
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        rows.into_iter().try_for_each(|row| row.read().map(drop))?;
        list_attempts(&mut *database.reader().await?, &ids).await?;
    }
}

/// Returns an inconsistency between deliveries and queues, or `None`. Deleted subscriptions are not
/// checked: some of their rows may have been purged already.
pub async fn find_fault(database: &Database) -> Result<Option<String>, StoreError> {
    let (unqueued, empty): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM deliveries AS d WHERE status = 'PENDING' \
                 AND EXISTS (SELECT 1 FROM webhooks WHERE id = webhook_id \
                     AND deleted_at IS NULL) \
                 AND NOT EXISTS (SELECT 1 FROM queues WHERE webhook_id = d.webhook_id \
                     AND execution_id = d.execution_id)), \
                (SELECT count(*) FROM queues AS q \
                 WHERE EXISTS (SELECT 1 FROM webhooks WHERE id = webhook_id \
                     AND deleted_at IS NULL) \
                 AND NOT EXISTS (SELECT 1 FROM deliveries \
                     WHERE webhook_id = q.webhook_id AND execution_id = q.execution_id \
                     AND status = 'PENDING'))",
    )
    .fetch_one(database.readers())
    .await?;
    let faults = [
        (unqueued, "pending deliveries are in no queue"),
        (empty, "queues hold no pending delivery"),
    ];
    Ok(faults.into_iter().find(|(count, _)| *count > 0).map(|(n, what)| format!("{n} {what}")))
}
