//! Inserting many rows by one statement.

use serde::Serialize;

use super::{StoreError, Transaction};

/// How long the JSON text of one statement gets, in bytes, about. `SQLite` takes no text of more than
/// 10^9 bytes.
const LARGEST: usize = 8 * 1024 * 1024;

/// Inserts rows by a statement that reads them from `json_each($1)`; each row is a JSON array or
/// object. If there are very many rows, the statement is executed several times.
///
/// One statement for many rows is faster than one for each, and has a single parameter: `SQLite`
/// limits the number of parameters.
pub(super) async fn insert_rows<R: Serialize>(
    tx: &mut Transaction,
    statement: &'static str,
    rows: &[R],
) -> Result<(), StoreError> {
    let mut json = Vec::new();
    for (position, row) in rows.iter().enumerate() {
        json.push(if json.is_empty() { b'[' } else { b',' });
        serde_json::to_writer(&mut json, row).map_err(StoreError::unreadable)?;
        if json.len() > LARGEST || position + 1 == rows.len() {
            json.push(b']');
            let text = String::from_utf8(std::mem::take(&mut json));
            let text = text.map_err(StoreError::unreadable)?;
            sqlx::query(statement).bind(text).execute(&mut **tx).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::store::Database;

    #[tokio::test]
    #[allow(clippy::disallowed_methods, reason = "memory has nothing of this database")]
    async fn many_long_rows_are_inserted_in_several_parts() {
        let directory = TempDir::new().unwrap();
        let database = Database::open(&directory.path().join("a.db"), None).await.unwrap();
        let mut tx = Database::begin(&database).await.unwrap();
        sqlx::query("CREATE TEMP TABLE parts (part INTEGER, length INTEGER)")
            .execute(&mut *tx)
            .await
            .unwrap();
        let rows: Vec<_> = (0..40).map(|_| "x".repeat(LARGEST / 16)).collect();
        insert_rows(
            &mut tx,
            "INSERT INTO temp.parts SELECT coalesce((SELECT max(part) FROM temp.parts), 0) + 1, \
             length(value) FROM json_each($1)",
            &rows,
        )
        .await
        .unwrap();
        let (parts, rows, shortest): (i64, i64, i64) =
            sqlx::query_as("SELECT max(part), count(*), min(length) FROM temp.parts")
                .fetch_one(&mut *tx)
                .await
                .unwrap();
        assert_eq!((parts, rows), (3, 40));
        assert_eq!(shortest, i64::try_from(LARGEST / 16).unwrap());
    }
}
