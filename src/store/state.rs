//! The whole state: written into a file, taken over from one, or emptied.

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use super::{Connection, Database, StoreError, Transaction, deliveries, executions};

/// The tables, each after those that it refers to. Tables whose names begin with an underscore
/// belong to tools, such as `_sqlx_migrations`.
const TABLES: &str = r#"
    WITH RECURSIVE
        tables (name) AS (
            SELECT name FROM main.sqlite_schema
            WHERE type = 'table' AND name NOT GLOB '_*' AND name NOT GLOB 'sqlite_*'
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

/// Writes the state as it is at one moment into a new file, while others go on: on a connection of
/// its own, so that nobody who reads waits for it.
pub async fn export(database: &Database, path: &Path) -> Result<(), StoreError> {
    let options = database.readers().connect_options();
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let written = sqlx::query("VACUUM INTO $1")
        .bind(path.display().to_string())
        .execute(&mut connection)
        .await;
    connection.close().await?;
    written?;
    Ok(())
}

/// Takes everything away.
pub async fn clear(tx: &mut Transaction) -> Result<(), StoreError> {
    for table in list_tables(tx).await?.iter().rev() {
        execute(tx, format!("DELETE FROM main.{}", quoted(table))).await?;
    }
    Ok(())
}

/// Takes over everything from the attached database; here there is nothing yet.
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

/// Why the content of a database can't take the place of what another holds; nothing if it can.
pub async fn find_fault(
    database: &Database,
    other: &Database,
) -> Result<Option<String>, StoreError> {
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
    if let Some(table) = find_different_table(database, other).await? {
        return Ok(Some(format!("the table {table} does not have the columns of this version")));
    }
    executions::check_all(database).await?;
    deliveries::check_all(database).await?;
    deliveries::find_fault(database).await
}

/// A table of the other database that is missing here, or has other columns.
async fn find_different_table(
    database: &Database,
    other: &Database,
) -> Result<Option<String>, StoreError> {
    for table in list_tables(&mut *other.reader().await?).await? {
        if list_columns(database, &table).await? != list_columns(other, &table).await? {
            return Ok(Some(table));
        }
    }
    Ok(None)
}

async fn list_columns(database: &Database, table: &str) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar("SELECT name FROM pragma_table_info($1) ORDER BY cid")
        .bind(table)
        .fetch_all(database.readers())
        .await?)
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
        // All but that of sqlx.
        assert_eq!(i64::try_from(tables.len() + 1), Ok(created), "{tables:?}");
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
