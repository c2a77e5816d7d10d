//! The whole state: written into a file, taken over from one, or emptied.

use std::path::Path;

use super::{Database, StoreError, Transaction, deliveries, executions};

macro_rules! for_all_tables {
    ($($table:literal),* $(,)?) => {
        /// Empties each table.
        const EMPTY: &[&str] = &[$(concat!("DELETE FROM main.", $table)),*];

        /// Copies each table of the attached database.
        const COPY: &[&str] =
            &[$(concat!("INSERT INTO main.", $table, " SELECT * FROM imported.", $table)),*];
    };
}

// What others refer to comes first.
for_all_tables!(
    "emulator",
    "tenants",
    "clients",
    "programs",
    "environments",
    "repositories",
    "heads",
    "pipelines",
    "phases",
    "steps",
    "variables",
    "scenarios",
    "webhooks",
    "builds",
    "plans",
    "executions",
    "deliveries",
    "queues",
    "attempts",
);

/// Writes the state as it is at one moment into a new file, while others go on.
pub async fn export(database: &Database, path: &Path) -> Result<(), StoreError> {
    sqlx::query("VACUUM INTO $1")
        .bind(path.display().to_string())
        .execute(database.readers())
        .await?;
    Ok(())
}

/// Takes everything away.
pub async fn clear(tx: &mut Transaction) -> Result<(), StoreError> {
    for statement in EMPTY.iter().rev() {
        sqlx::query(*statement).execute(&mut **tx).await?;
    }
    Ok(())
}

/// Takes over everything from the attached database; here there is nothing yet.
pub async fn copy_attached(tx: &mut Transaction) -> Result<(), StoreError> {
    for statement in COPY {
        sqlx::query(*statement).execute(&mut **tx).await?;
    }
    Ok(())
}

/// Why the content of a database can't be used; nothing if it can.
pub async fn find_fault(database: &Database) -> Result<Option<String>, StoreError> {
    let check: String =
        sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(database.readers()).await?;
    if check != "ok" {
        return Ok(Some(check));
    }
    let dangling: Option<(String,)> =
        sqlx::query_as("SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1")
            .fetch_optional(database.readers())
            .await?;
    if let Some((table,)) = dangling {
        return Ok(Some(format!("a row of {table} refers to what is not there")));
    }
    executions::check_all(database).await?;
    deliveries::check_all(database).await?;
    deliveries::find_fault(database).await
}
