//! The database file: one writer, a few readers, and the lock that keeps other processes out.

use std::fs::{File, TryLockError};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use quick_cache::sync::Cache;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection, SqlSafeStr, SqliteConnection};
use tokio::sync::{Mutex, MutexGuard};

use super::secrets::{SecretKey, Secrets};
use super::{StoreError, with_causes};
use crate::domain::execution::plan::Plan;

/// What marks a database file as the emulator's (`PRAGMA application_id`), bytes 68 to 71.
const APPLICATION_ID: [u8; 4] = *b"CMem";

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
    /// Numbers of plans by the SHA-256 of their bodies.
    pub(super) plan_ids: Cache<[u8; 32], i64>,
    /// Encrypts and decrypts the secrets among the variables.
    pub(super) secrets: Secrets,
    /// Held for as long as the database is open; nobody else can take it meanwhile.
    lock: Mutex<Option<File>>,
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

    /// Attaches another database as `imported`.
    pub async fn attach(&mut self, path: &Path) -> Result<(), StoreError> {
        let connection = self.0.as_mut().ok_or(StoreError::Closed)?;
        let path = path.display().to_string();
        sqlx::query("ATTACH DATABASE $1 AS imported").bind(path).execute(connection).await?;
        Ok(())
    }

    /// Lets go of the attached database.
    pub async fn detach(&mut self) -> Result<(), StoreError> {
        let connection = self.0.as_mut().ok_or(StoreError::Closed)?;
        sqlx::query("DETACH DATABASE imported").execute(connection).await?;
        Ok(())
    }
}

impl Database {
    /// Opens or creates the file, keeps other processes out, and brings its schema up to date. A
    /// file of something else is refused and not touched.
    pub async fn open(path: &Path, secret_key: Option<&SecretKey>) -> Result<Self, StoreError> {
        let failed = |reason: &dyn std::error::Error| StoreError::Open {
            path: path.display().to_string(),
            reason: with_causes(reason),
        };
        let is_new = check_identity(path).map_err(|error| failed(&error))?;
        let lock = take_lock(path).map_err(|error| failed(&error))?;
        let secrets = Secrets::open(path, secret_key).map_err(|error| failed(&error))?;
        if is_new {
            mark(path).await.map_err(|error| failed(&error))?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true);
        let mut writer =
            SqliteConnection::connect_with(&options).await.map_err(|error| failed(&error))?;
        if let Err(error) = migrator().run(&mut writer).await {
            // Closing it takes its write-ahead log away.
            let _ = writer.close().await;
            return Err(failed(&error));
        }
        let readers =
            SqlitePoolOptions::new().max_connections(4).connect_lazy_with(options.read_only(true));
        Ok(Self {
            writer: Mutex::new(Some(writer)),
            readers,
            plans: Cache::new(CACHED_PLANS),
            plan_ids: Cache::new(CACHED_PLANS),
            secrets,
            lock: Mutex::new(Some(lock)),
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

    /// Forgets the plans in memory; nobody may be reading executions meanwhile.
    pub fn forget_plans(&self) {
        self.plans.clear();
        self.plan_ids.clear();
    }

    /// Writes everything into the one database file and closes it.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.readers.close().await;
        if let Some(mut writer) = self.writer.lock().await.take() {
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut writer).await?;
            writer.close().await?;
        }
        // Whoever still has the database in hand does not keep others out.
        self.lock.lock().await.take();
        Ok(())
    }
}

/// Refuses a file that is there, not empty, and not a database of the emulator; whether there is
/// none yet.
fn check_identity(path: &Path) -> io::Result<bool> {
    let mut header = [0; 72];
    match File::open(path).and_then(|mut file| file.read(&mut header)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
        Ok(0) => Ok(true),
        Ok(_) if header.starts_with(b"SQLite format 3\0") && header[68..] == APPLICATION_ID => {
            Ok(false)
        }
        Ok(_) => Err(io::Error::other("not a database of the Cloud Manager emulator")),
    }
}

/// Creates a database that is marked as the emulator's. That happens before there is a
/// write-ahead log, so that the mark stands in the file itself.
async fn mark(path: &Path) -> sqlx::Result<()> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .synchronous(SqliteSynchronous::Off)
        .pragma("application_id", i32::from_be_bytes(APPLICATION_ID).to_string());
    SqliteConnection::connect_with(&options).await?.close().await
}

/// Takes the lock beside the file that `path` leads to, by whatever name.
fn take_lock(path: &Path) -> io::Result<File> {
    let directory = match path.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    };
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let path = path
        .canonicalize()
        .or_else(|_| Ok::<_, io::Error>(directory.canonicalize()?.join(name)))?;
    let mut lock_path = path.into_os_string();
    lock_path.push(".lock");
    let lock = File::create(&lock_path)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            Err(io::Error::other("another cloudmanager-emulator is using this database"))
        }
        Err(TryLockError::Error(error)) => Err(error),
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
    Migrator::with_migrations(vec![
        migration(1, "initial", include_str!("../../migrations/0001_initial.sql")),
        migration(2, "resources", include_str!("../../migrations/0002_resources.sql")),
        migration(3, "deliveries", include_str!("../../migrations/0003_deliveries.sql")),
    ])
}
