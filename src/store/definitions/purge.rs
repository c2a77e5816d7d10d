//! Purging: removing the rows of what was deleted, in small portions.

use crate::store::{StoreError, Transaction};

/// whether there may be more.
pub async fn purge(tx: &mut Transaction, most: u32) -> Result<bool, StoreError> {
    // SQLite keeps the order of a CROSS JOIN. So it finds the few deleted pipelines first, and then
    // their executions by index; otherwise it might scan all executions.
    let executions = sqlx::query(
        "DELETE FROM executions WHERE id IN ( \
             SELECT executions.id FROM pipelines CROSS JOIN executions \
             ON executions.program_id = pipelines.program_id \
             AND executions.pipeline_id = pipelines.id \
             WHERE pipelines.deleted_at IS NOT NULL LIMIT $1)",
    )
    .bind(most)
    .execute(&mut **tx)
    .await?;
    if executions.rows_affected() > 0 {
        return Ok(true);
    }
    for statement in [
        "DELETE FROM pipelines WHERE deleted_at IS NOT NULL",
        "DELETE FROM programs WHERE deleted_at IS NOT NULL",
    ] {
        sqlx::query(statement).execute(&mut **tx).await?;
    }
    Ok(false)
}
