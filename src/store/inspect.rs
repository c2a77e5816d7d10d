//! Checks a database file before it is imported: the file is not trusted.

use std::path::Path;

use sqlx::{Connection as _, SqliteConnection};

use super::database::{MIGRATIONS, migrator, untrusted_file_options};
use super::file;
use super::{Connection, StoreError, with_causes};

/// An object of a schema: type, name, table, statement.
type SchemaObject = (String, String, String, Option<String>);

/// The statement of the migrations table is ignored: sqlx creates the table, and may change it in
/// another version. Tables of statistics are ignored, because they are never copied.
const OBJECTS: &str = "SELECT type, name, tbl_name, iif(name = '_sqlx_migrations', NULL, sql) \
    FROM sqlite_schema WHERE name NOT GLOB 'sqlite_stat[134]' ORDER BY type, name";

/// Returns why a file can't be imported, or `None` if it can. The file is opened read-only.
///
/// `None` means: its schema is exactly that of its version, without other triggers, views or
/// tables, and its pages and indexes are valid.
pub async fn find_fault(path: &Path) -> Result<Option<String>, StoreError> {
    let failed = |error: &(dyn std::error::Error + 'static)| StoreError::opening(path, error);
    match file::check(path) {
        Ok(false) => {}
        Ok(true) => return Ok(Some("the file holds no state".to_owned())),
        Err(error) => return Err(failed(&error)),
    }
    let options = untrusted_file_options(path).read_only(true);
    let mut database =
        SqliteConnection::connect_with(&options).await.map_err(|error| failed(&error))?;
    let fault = find_fault_in(&mut database).await;
    let _ = database.close().await;
    fault
}

async fn find_fault_in(database: &mut Connection) -> Result<Option<String>, StoreError> {
    let objects: Vec<SchemaObject> = sqlx::query_as(OBJECTS).fetch_all(&mut *database).await?;
    let is_noted =
        objects.iter().any(|(kind, name, ..)| kind == "table" && name == "_sqlx_migrations");
    if !is_noted || objects.iter().any(|(kind, ..)| kind == "trigger") {
        return Ok(Some("its schema is not that of an emulator".to_owned()));
    }
    let versions: Vec<i64> =
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY version LIMIT 1000")
            .fetch_all(&mut *database)
            .await?;
    let known = MIGRATIONS.iter().map(|(version, ..)| *version);
    if let Some(unknown) = versions.iter().find(|version| !known.clone().any(|it| it == **version))
    {
        return Ok(Some(format!("migration {unknown} is not one of this version")));
    }
    if !known.take(versions.len()).eq(versions.iter().copied()) {
        return Ok(Some("migrations are missing".to_owned()));
    }
    if let Some(object) = find_difference(&objects, &list_objects(versions.len()).await?) {
        return Ok(Some(format!("{object} is not as in an emulator's database")));
    }
    let check: String = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(database).await?;
    Ok((check != "ok").then_some(check))
}

/// Returns the schema of a new database after so many migrations.
async fn list_objects(migrations: usize) -> Result<Vec<SchemaObject>, StoreError> {
    let mut fresh = SqliteConnection::connect("sqlite::memory:").await?;
    let made = migrator(migrations).run(&mut fresh).await;
    made.map_err(|error| StoreError::Unreadable(with_causes(&error)))?;
    let objects = sqlx::query_as(OBJECTS).fetch_all(&mut fresh).await?;
    fresh.close().await?;
    Ok(objects)
}

/// Returns the name of an object that only one of two schemas has, or that differs.
fn find_difference(found: &[SchemaObject], expected: &[SchemaObject]) -> Option<String> {
    let only = |some: &[SchemaObject], others: &[SchemaObject]| {
        let object = some.iter().find(|object| !others.contains(object));
        object.map(|(kind, name, ..)| format!("the {kind} {name}"))
    };
    only(expected, found).or_else(|| only(found, expected))
}
