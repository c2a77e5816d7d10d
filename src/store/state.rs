//! The whole state: exported to a file, imported from one, or emptied.

use std::path::Path;

use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use super::database::untrusted_file_options;
use super::definitions::scenarios;
pub use super::inspect::find_fault as inspect;
use super::{
    Connection, Database, StoreError, Transaction, contents, deliveries, environment_memories,
    executions, interrupt_unless, plans, uploads,
};
use crate::domain::time::Timestamp;

/// The tables of the state, each after those that it refers to. Tables whose names begin with an
/// underscore belong to tools, such as `_sqlx_migrations`; keys belong to the database file.
const TABLES: &str = r#"
    WITH RECURSIVE
        tables (name) AS (
            SELECT name FROM main.sqlite_schema
            WHERE type = 'table' AND name NOT GLOB '_*' AND name NOT GLOB 'sqlite_*'
                AND name <> 'keys'
        ),
        depths (name, depth) AS (
            SELECT name, 0 FROM tables
            UNION
            SELECT tables.name, depth + 1
            FROM depths JOIN tables JOIN pragma_foreign_key_list(tables.name) AS reference
            WHERE reference."table" = depths.name AND tables.name <> depths.name
                AND depth < (SELECT count(*) FROM tables) -- ends even where tables refer to each other
        )
    SELECT name FROM depths GROUP BY name ORDER BY max(depth), name"#;

/// Writes the state of one moment into a new file, while others go on. It uses a connection of its
/// own, so that no reader waits for it. All keys are left out: whoever has them can make valid
/// addresses and tokens. It is interrupted as soon as `go_on` says no.
pub async fn export(
    database: &Database,
    path: &Path,
    go_on: impl FnMut() -> bool + Send + 'static,
) -> Result<(), StoreError> {
    let options = database.readers().connect_options();
    let mut connection = SqliteConnection::connect_with(&options).await?;
    interrupt_unless(&mut connection, go_on).await?;
    let written = sqlx::query("VACUUM INTO $1")
        .bind(path.display().to_string())
        .execute(&mut connection)
        .await;
    connection.close().await?;
    written?;
    let options = untrusted_file_options(path)
        .journal_mode(SqliteJournalMode::Memory)
        .synchronous(SqliteSynchronous::Off)
        .pragma("secure_delete", "ON");
    let mut copy = SqliteConnection::connect_with(&options).await?;
    sqlx::raw_sql("UPDATE emulator SET signing_key = x'', told_until = seen_at; DELETE FROM keys")
        .execute(&mut copy)
        .await?;
    Ok(copy.close().await?)
}

/// The tables with the contents of files. Those that nothing refers to are purged.
pub const CONTENTS: [&str; 2] = ["contents", "chunks"];

/// Deletes all rows but those of the tables that are kept, in the reverse order of references.
pub async fn clear(tx: &mut Transaction, kept: &[&str]) -> Result<(), StoreError> {
    for table in list_tables(tx).await?.iter().rev() {
        if !kept.contains(&table.as_str()) {
            execute(tx, format!("DELETE FROM main.{}", quoted(table))).await?;
        }
    }
    Ok(())
}

/// Copies everything from the attached database into this one, which must be empty.
pub async fn copy_attached(tx: &mut Transaction) -> Result<(), StoreError> {
    for table in list_tables(tx).await? {
        let table = quoted(&table);
        execute(tx, format!("INSERT INTO main.{table} SELECT * FROM imported.{table}")).await?;
    }
    Ok(())
}

async fn list_tables(connection: &mut Connection) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar(TABLES).fetch_all(connection).await?)
}

fn quoted(table: &str) -> String {
    format!("\"{}\"", table.replace('"', "\"\""))
}

/// Executes a statement about a table, whose name is quoted.
async fn execute(tx: &mut Transaction, statement: String) -> Result<(), StoreError> {
    sqlx::query(AssertSqlSafe(statement)).execute(&mut **tx).await?;
    Ok(())
}

/// Returns why the content of a database can't take the place of what another holds, or `None` if
/// it can. Each row is read, but for those of definitions.
pub async fn find_fault(database: &Database) -> Result<Option<String>, StoreError> {
    let dangling: Option<(String,)> =
        sqlx::query_as("SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1")
            .fetch_optional(database.readers())
            .await?;
    if let Some((table,)) = dangling {
        return Ok(Some(format!("a row of {table} refers to what is not there")));
    }
    if let Some(fault) = find_impossible_number(database).await? {
        return Ok(Some(fault));
    }
    contents::check_all(database).await?;
    uploads::check_all(database).await?;
    plans::check_all(database).await?;
    executions::check_all(database).await?;
    scenarios::check_all(database).await?;
    environment_memories::check_all(database).await?;
    deliveries::check_all(database).await?;
    if let Some(fault) = environment_memories::find_fault(database).await? {
        return Ok(Some(fault));
    }
    deliveries::find_fault(database).await
}

/// The columns that hold emulated times.
const TIMES: &str = "
    SELECT tables.name, columns.name
    FROM sqlite_schema AS tables JOIN pragma_table_info(tables.name) AS columns
    WHERE tables.type = 'table' AND columns.type = 'INTEGER' AND (columns.name GLOB '*_at'
        OR columns.name IN ('at', 'clock_base', 'told_until', 'failing_since'))";

/// Finds counters that are not positive or above half of their range (more would soon overflow),
/// and sequence numbers with gaps.
const COUNTERS: &str = "
    SELECT CASE
        WHEN EXISTS (SELECT 1 FROM emulator WHERE next_execution_id NOT BETWEEN 1 AND $1)
            THEN 'the next identifier is out of bounds'
        WHEN EXISTS (SELECT 1 FROM executions WHERE id < 1
                OR id >= (SELECT next_execution_id FROM emulator))
            THEN 'an execution has an identifier that is still to be given'
        WHEN EXISTS (SELECT 1 FROM executions GROUP BY program_id, pipeline_id
                HAVING max(sequence) - min(sequence) + 1 <> count(*)
                OR max(abs(sequence / 2)) > $1 / 2)
            THEN 'the executions of a pipeline are not numbered without gaps'
        WHEN EXISTS (SELECT 1 FROM webhooks WHERE id NOT BETWEEN 1 AND $1)
            THEN 'a webhook has an impossible identifier'
        WHEN EXISTS (SELECT 1 FROM deliveries
                WHERE id NOT BETWEEN 1 AND $1 OR round NOT BETWEEN 1 AND $1)
            THEN 'a delivery has an impossible identifier or round'
        WHEN EXISTS (SELECT 1 FROM attempts GROUP BY delivery_id
                HAVING min(number) < 1 OR max(number) > $1
                OR max(number) - min(number) + 1 <> count(*))
            THEN 'the attempts at a delivery are not numbered without gaps'
    END";

/// Returns a fault in columns with plain numbers (times and counters), which the typed checks of
/// rows don't cover.
async fn find_impossible_number(database: &Database) -> Result<Option<String>, StoreError> {
    let columns: Vec<(String, String)> =
        sqlx::query_as(TIMES).fetch_all(database.readers()).await?;
    for (table, column) in columns {
        let (quoted_table, quoted_column) = (quoted(&table), quoted(&column));
        let statement = format!(
            "SELECT count(*) FROM {quoted_table} WHERE {quoted_column} NOT BETWEEN $1 AND $2"
        );
        let impossible: i64 = sqlx::query_scalar(AssertSqlSafe(statement))
            .bind(Timestamp::MIN.as_millis())
            .bind(Timestamp::MAX.as_millis())
            .fetch_one(database.readers())
            .await?;
        if impossible > 0 {
            return Ok(Some(format!("{table}.{column} holds a time that can't be written")));
        }
    }
    Ok(sqlx::query_scalar(COUNTERS).bind(i64::MAX / 2).fetch_one(database.readers()).await?)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[tokio::test]
    async fn every_table_of_the_schema_comes_after_those_that_it_refers_to() {
        let directory = TempDir::new().unwrap();
        let database = Database::open(&directory.path().join("a.db"), None).await.unwrap();
        let tables = list_tables(&mut database.reader().await.unwrap()).await.unwrap();
        let created: i64 =
            sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE sql LIKE 'CREATE TABLE%'")
                .fetch_one(database.readers())
                .await
                .unwrap();
        // All but that of sqlx and that of keys.
        assert_eq!(i64::try_from(tables.len() + 2), Ok(created), "{tables:?}");
        let references: Vec<(String, String)> = sqlx::query_as(
            "SELECT referring.name, reference.\"table\" FROM sqlite_schema AS referring \
             JOIN pragma_foreign_key_list(referring.name) AS reference",
        )
        .fetch_all(database.readers())
        .await
        .unwrap();
        assert!(references.len() > 10, "{references:?}");
        let position = |name: String| tables.iter().position(|table| *table == name).unwrap();
        for (referring, referred) in references {
            assert!(position(referred) < position(referring), "{tables:?}");
        }
        database.close().await.unwrap();
    }
}
