//! RSA keys. They belong to the database file, not to the state in it.

use super::{Database, StoreError, Transaction};

/// Returns a key as PKCS #8, or `None` if it was not made yet.
pub async fn find(database: &Database, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let key = sqlx::query_scalar("SELECT pkcs8 FROM keys WHERE name = $1")
        .bind(name)
        .fetch_optional(database.readers())
        .await?;
    Ok(key)
}

/// Stores a new key.
pub async fn insert(tx: &mut Transaction, name: &str, pkcs8: &[u8]) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO keys (name, pkcs8) VALUES ($1, $2)")
        .bind(name)
        .bind(pkcs8)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
