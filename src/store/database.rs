//! The open database: one writer and a few readers.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use quick_cache::sync::Cache;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, SqlSafeStr, Sqlite, SqliteConnection};
use tokio::sync::{Mutex, watch};

use super::StoreError;
use super::copies::{Copies, CopyPlace, CopyPlaceError};
use super::file::{APPLICATION_ID, DatabaseFile};
use super::last_write::LastWrite;
use super::plan_cache::{PlanCache, plan_cache};
use super::secrets::{SecretKey, Secrets};
use super::writer::{Transaction, Writer, Writing};

/// How many numbers of plans are kept in memory.
const CACHED_IDS: usize = 1024;

/// The open database.
pub struct Database {
    /// None once the database is closed.
    writer: Writing,
    /// Whether it can be written.
    last_write: Arc<LastWrite>,
    readers: SqlitePool,
    /// Plans by their number.
    pub(super) plans: PlanCache,
    /// Numbers of plans by the SHA-256 of their bodies.
    pub(super) plan_ids: Cache<[u8; 32], i64>,
    copies: Copies,
    /// Encrypts and decrypts the secrets among the variables.
    pub(super) secrets: Secrets,
    pub(super) file: DatabaseFile,
    /// What the last check of the file has found, once the first is over.
    pub(super) checked: watch::Sender<Option<Result<(), String>>>,
}

/// A connection to the database.
pub type Connection = SqliteConnection;

impl Database {
    /// Opens or creates the file, keeps other processes out, and brings its schema up to date. A
    /// file of something else is refused and not touched.
    pub async fn open(path: &Path, secret_key: Option<&SecretKey>) -> Result<Self, StoreError> {
        let failed = |error: &(dyn Error + 'static)| StoreError::opening(path, error);
        let file = DatabaseFile::take(path).map_err(|error| failed(&error))?;
        let secrets = Secrets::open(file.path(), secret_key).map_err(|error| failed(&error))?;
        if file.is_new {
            mark(file.path()).await.map_err(|error| failed(&error))?;
        }
        let copies = Copies::beside(file.path());
        copies.sweep();
        let options = untrusted_file_options(file.path())
            // With WAL, readers don't wait for the writer. With `Normal`, a commit does not wait
            // for the disk: after a power failure the last commits may be missing, but never after
            // a crash of the process, and the file stays intact in both cases.
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true);
        let mut writer =
            SqliteConnection::connect_with(&options).await.map_err(|error| failed(&error))?;
        if let Err(error) = migrator(MIGRATIONS.len()).run(&mut writer).await {
            // Closing the connection removes the write-ahead log. The first error is the one to
            // return.
            let _ = writer.close().await;
            return Err(match error {
                MigrateError::VersionMissing(version) => failed(&Newer { version }),
                error => failed(&error),
            });
        }
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_lazy_with(options.clone().read_only(true));
        let last_write = Arc::new(LastWrite::new(file.path().to_owned()));
        let writer = Writer::new(writer, options, last_write.clone());
        Ok(Self {
            writer: Arc::new(Mutex::new(Some(writer))),
            last_write,
            readers,
            copies,
            plans: plan_cache(),
            plan_ids: Cache::new(CACHED_IDS),
            secrets,
            file,
            checked: watch::Sender::default(),
        })
    }

    /// Begins a transaction as soon as it is the caller's turn to write; first come, first served.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        Transaction::begin(self.writer.clone(), None).await
    }

    /// Begins a transaction with the database in a file attached as `imported` until its end.
    pub async fn begin_with_attached(&self, path: &Path) -> Result<Transaction, StoreError> {
        Transaction::begin(self.writer.clone(), Some(path)).await
    }

    /// Returns what is wrong with the files of the database, if that is why something has failed
    /// with this error. [`Self::trouble`] says so until something is written.
    #[must_use]
    pub fn explain(&self, error: &(dyn Error + 'static)) -> Option<StoreError> {
        self.last_write.note(error)
    }

    /// Returns why the database can't be written, or `None` if it can, as the last writes show.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.last_write.trouble()
    }

    /// Waits until something was written after the last write that failed.
    pub async fn wait_for_recovery(&self) {
        self.last_write.recovery().await;
    }

    /// Returns where the database is, without links.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Returns a directory for a copy of the state as soon as there are few enough copies. Only its
    /// owner can look into it.
    pub async fn place_for_copy(&self) -> Result<CopyPlace, CopyPlaceError> {
        self.copies.place().await
    }

    /// Returns a connection to read several tables with.
    pub async fn reader(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        Ok(self.readers.acquire().await?)
    }

    /// Returns the connections that read.
    pub(super) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// Empties the cache of plans, because their numbers mean others in another state. Nobody may
    /// read executions meanwhile.
    pub fn forget_plans(&self) {
        self.plans.clear();
        self.plan_ids.clear();
    }

    /// Writes everything into the one database file and closes it.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.readers.close().await;
        let writer = self.writer.lock().await.take();
        let closed = match writer {
            Some(writer) => writer.close().await,
            None => Ok(()),
        };
        self.copies.sweep();
        // The lock is released explicitly, because others may still hold a reference to this.
        self.file.release().map_err(|error| StoreError::Sqlite(error.into()))?;
        closed
    }
}

/// Marks an empty file as a database of the emulator. That happens before there is a
/// write-ahead log, so that the mark stands in the file itself.
async fn mark(path: &Path) -> sqlx::Result<()> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Off)
        .pragma("application_id", i32::from_be_bytes(APPLICATION_ID).to_string());
    SqliteConnection::connect_with(&options).await?.close().await
}

/// Returns options that trust nothing in the file: an imported one may come from anybody.
pub(super) fn untrusted_file_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
}

/// The database was written by a later version of the program.
#[derive(Debug, thiserror::Error)]
#[error(
    "the database is from a newer cloudmanager-emulator (schema {version}; this one knows {}); \
     update the program, or use another --database or --ephemeral",
    MIGRATIONS.last().map_or(0, |(version, ..)| *version)
)]
struct Newer {
    version: i64,
}

/// The migrations in order: version, description, statements.
pub(super) const MIGRATIONS: [(i64, &str, &str); 6] = [
    (1, "initial", include_str!("../../migrations/0001_initial.sql")),
    (2, "resources", include_str!("../../migrations/0002_resources.sql")),
    (3, "deliveries", include_str!("../../migrations/0003_deliveries.sql")),
    (4, "clock", include_str!("../../migrations/0004_clock.sql")),
    (5, "instances builds keys", include_str!("../../migrations/0005_instances_builds_keys.sql")),
    (6, "git", include_str!("../../migrations/0006_git.sql")),
];

/// Brings a database to a version: makes the first `count` migrations.
pub(super) fn migrator(count: usize) -> Migrator {
    let migrations = MIGRATIONS.iter().take(count).map(|(version, description, sql)| {
        let sql = sql.into_sql_str();
        Migration::new(*version, (*description).into(), MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(migrations.collect())
}
