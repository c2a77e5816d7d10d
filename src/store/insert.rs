//! Inserting many rows by one statement.

use serde::Serialize;

use super::{StoreError, Transaction};

/// Inserts rows by a statement that reads them from `json_each($1)`; each row is a JSON array or
/// object.
///
/// One statement for all rows is faster than one for each, and has a single parameter: `SQLite`
/// limits the number of parameters, so a list of values would have to be split.
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
