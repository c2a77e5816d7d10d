//! Purging: removing the rows of what was deleted, in small portions.

use std::collections::BTreeSet;

use crate::store::{StoreError, Transaction};

/// Removes at most `most` executions of deleted pipelines. If there are none, removes the deleted
/// pipelines and programs. Returns the plans of the removed executions; empty means that nothing is
/// left to remove.
pub async fn purge(tx: &mut Transaction, most: u32) -> Result<BTreeSet<i64>, StoreError> {
    // SQLite keeps the order of a CROSS JOIN. So it finds the few deleted pipelines first, and then
    // their executions by index; otherwise it might scan all executions.
    let plans: Vec<i64> = sqlx::query_scalar(
        "DELETE FROM executions WHERE id IN ( \
             SELECT executions.id FROM pipelines CROSS JOIN executions \
             ON executions.program_id = pipelines.program_id \
             AND executions.pipeline_id = pipelines.id \
             WHERE pipelines.deleted_at IS NOT NULL LIMIT $1) \
         RETURNING plan_id",
    )
    .bind(most)
    .fetch_all(&mut **tx)
    .await?;
    if plans.is_empty() {
        for statement in [
            "DELETE FROM pipelines WHERE deleted_at IS NOT NULL",
            "DELETE FROM programs WHERE deleted_at IS NOT NULL",
        ] {
            sqlx::query(statement).execute(&mut **tx).await?;
        }
    }
    Ok(plans.into_iter().collect())
}
