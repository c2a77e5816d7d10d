//! The database file: one writer, a few readers, and the lock that keeps other processes out.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use quick_cache::sync::Cache;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection, SqlSafeStr, SqliteConnection};
use tokio::sync::{Mutex, MutexGuard};

use super::StoreError;
use crate::domain::execution::plan::Plan;

/// How many plans are kept in memory.
const CACHED_PLANS: usize = 1024;

/// A transaction that writes.
pub type Transaction<'a> = sqlx::Transaction<'a, sqlx::Sqlite>;

/// The open database.
pub struct Database {
    /// None once the database is closed.
    writer: Mutex<Option<SqliteConnection>>,
    readers: SqlitePool,
    /// Plans by their number; they never change.
    pub(super) plans: Cache<i64, Arc<Plan>>,
    /// Held for as long as the database is open; a second process can't take it.
    _lock: File,
}

/// The right to write. Whoever holds it also keeps up to date what memory mirrors of the
/// database, before letting go.
pub struct Writer<'a>(MutexGuard<'a, Option<SqliteConnection>>);

impl Writer<'_> {
    /// Begins a transaction that takes `SQLite`'s write lock at once.
    pub async fn begin(&mut self) -> Result<Transaction<'_>, StoreError> {
        let connection = self.0.as_mut().ok_or(StoreError::Closed)?;
        Ok(connection.begin_with("BEGIN IMMEDIATE").await?)
    }
}

impl Database {
    /// Opens or creates the file, keeps other processes out, and brings its schema up to date.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = take_lock(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true);
        let open_error = |error: sqlx::Error| StoreError::Open {
            path: path.display().to_string(),
            reason: error.to_string(),
        };
        let mut writer = SqliteConnection::connect_with(&options).await.map_err(open_error)?;
        migrator().run(&mut writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_lazy_with(options.read_only(true).create_if_missing(false));
        Ok(Self {
            writer: Mutex::new(Some(writer)),
            readers,
            plans: Cache::new(CACHED_PLANS),
            _lock: lock,
        })
    }

    /// Waits for the right to write; first come, first served.
    pub async fn writer(&self) -> Writer<'_> {
        Writer(self.writer.lock().await)
    }

    /// The connections that read.
    pub(super) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// Writes everything into the one database file and closes it.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.readers.close().await;
        if let Some(mut writer) = self.writer.lock().await.take() {
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut writer).await?;
            writer.close().await?;
        }
        Ok(())
    }
}

fn take_lock(path: &Path) -> Result<File, StoreError> {
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let failed = |reason: String| StoreError::Open { path: path.display().to_string(), reason };
    let lock = File::create(&lock_path).map_err(|error| failed(error.to_string()))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(failed("another cloudmanager-emulator is using this database".into()))
        }
        Err(std::fs::TryLockError::Error(error)) => Err(failed(error.to_string())),
    }
}

fn migrator() -> Migrator {
    let migration = |version, description: &'static str, sql: &'static str| {
        Migration::new(
            version,
            description.into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    };
    Migrator::with_migrations(vec![migration(
        1,
        "initial",
        include_str!("../../migrations/0001_initial.sql"),
    )])
}
