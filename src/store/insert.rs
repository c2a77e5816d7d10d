//! Inserting many rows by one statement.

use serde::Serialize;

use super::{StoreError, Transaction};

/// Inserts rows by a statement that takes them from `json_each($1)`; each row is a JSON array.
pub(super) async fn insert_rows<R: Serialize>(
    tx: &mut Transaction,
    statement: &'static str,
    rows: &[R],
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let json = serde_json::to_string(rows).map_err(StoreError::unreadable)?;
    sqlx::query(statement).bind(json).execute(&mut **tx).await?;
    Ok(())
}
