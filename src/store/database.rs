//! The open database: one writer and a few readers.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use quick_cache::sync::Cache;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, SqlSafeStr, Sqlite, SqliteConnection};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};

use super::file::{APPLICATION_ID, DatabaseFile};
use super::secrets::{SecretKey, Secrets};
use super::{StoreError, with_causes};
use crate::domain::execution::plan::Plan;

/// How many plans are kept in memory.
const CACHED_PLANS: usize = 1024;

/// The open database.
pub struct Database {
    /// None once the database is closed.
    writer: Writing,
    readers: SqlitePool,
    /// Plans by their number; they never change.
    pub(super) plans: Cache<i64, Arc<Plan>>,
    /// Numbers of plans by the SHA-256 of their bodies.
    pub(super) plan_ids: Cache<[u8; 32], i64>,
    /// Encrypts and decrypts the secrets among the variables.
    pub(super) secrets: Secrets,
    pub(super) file: DatabaseFile,
    /// What the check of the file has found, once it is over.
    pub(super) checked: OnceLock<Result<(), String>>,
}

/// The one connection that writes.
struct Writer {
    connection: SqliteConnection,
    /// Whether a transaction has begun that was not committed.
    unfinished: bool,
    /// Whether another database is attached.
    attached: bool,
}

/// The writer, for whoever has the right to write; none once the database is closed.
type Writing = Arc<Mutex<Option<Writer>>>;

/// The right to write.
type Right = OwnedMappedMutexGuard<Option<Writer>, Writer>;

/// A connection to the database.
pub type Connection = SqliteConnection;

/// A transaction that writes. It holds the right to write, so there is one at a time. Dropped
/// without a commit, it changes nothing.
pub struct Transaction {
    right: Right,
    writing: Writing,
}

/// The right to write after a commit. Nobody else writes until this is dropped.
pub struct Committed {
    _transaction: Transaction,
}

impl Writer {
    async fn execute(&mut self, statement: &'static str) -> Result<(), StoreError> {
        sqlx::query(statement).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Ends what the last transaction left, if it was not committed.
    async fn clean_up(&mut self) -> Result<(), StoreError> {
        if self.unfinished {
            // SQLite itself has rolled back after some errors. Then this fails, which is fine.
            let _ = self.execute("ROLLBACK").await;
            self.unfinished = false;
        }
        if self.attached {
            self.execute("DETACH DATABASE imported").await?;
            self.attached = false;
        }
        Ok(())
    }
}

impl Transaction {
    /// Commits. The caller keeps the right to write until memory, too, has what was committed.
    pub async fn commit(mut self) -> Result<Committed, StoreError> {
        self.right.execute("COMMIT").await?;
        self.right.unfinished = false;
        // It is committed, even if a database stays attached until the next transaction begins.
        let _ = self.right.clean_up().await;
        Ok(Committed { _transaction: self })
    }
}

impl Drop for Transaction {
    /// Lets the writer be cleaned up: nothing here can wait for `SQLite`. If somebody else gets the
    /// right to write first, they do it.
    fn drop(&mut self) {
        if !self.right.unfinished {
            return;
        }
        let writing = self.writing.clone();
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                if let Some(writer) = &mut *writing.lock().await {
                    // If this fails, the next transaction says so.
                    let _ = writer.clean_up().await;
                }
            });
        }
    }
}

impl Deref for Transaction {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.right.connection
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.right.connection
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
        let file = DatabaseFile::take(path).map_err(|error| failed(&error))?;
        let secrets = Secrets::open(file.path(), secret_key).map_err(|error| failed(&error))?;
        if file.is_new {
            mark(file.path()).await.map_err(|error| failed(&error))?;
        }
        let options = SqliteConnectOptions::new()
            .filename(file.path())
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
            writer: Arc::new(Mutex::new(Some(Writer {
                connection: writer,
                unfinished: false,
                attached: false,
            }))),
            readers,
            plans: Cache::new(CACHED_PLANS),
            plan_ids: Cache::new(CACHED_PLANS),
            secrets,
            file,
            checked: OnceLock::new(),
        })
    }

    /// Begins a transaction as soon as it is the caller's turn to write; first come, first served.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        let right = self.wait_for_right().await?;
        self.begin_with(right).await
    }

    /// The same, with the database in a file attached as `imported` while the transaction lasts.
    pub async fn begin_with_attached(&self, path: &Path) -> Result<Transaction, StoreError> {
        let mut right = self.wait_for_right().await?;
        let path = path.display().to_string();
        sqlx::query("ATTACH DATABASE $1 AS imported")
            .bind(path)
            .execute(&mut right.connection)
            .await?;
        right.attached = true;
        self.begin_with(right).await
    }

    /// Takes `SQLite`'s write lock at once: a transaction that reads before it writes would fail
    /// under concurrency, whatever the busy time-out.
    async fn begin_with(&self, mut right: Right) -> Result<Transaction, StoreError> {
        right.unfinished = true;
        let mut transaction = Transaction { right, writing: self.writer.clone() };
        transaction.right.execute("BEGIN IMMEDIATE").await?;
        Ok(transaction)
    }

    async fn wait_for_right(&self) -> Result<Right, StoreError> {
        let writer = self.writer.clone().lock_owned().await;
        let right = OwnedMutexGuard::try_map(writer, Option::as_mut);
        let mut right = right.map_err(|_| StoreError::Closed)?;
        right.clean_up().await?;
        Ok(right)
    }

    /// A connection to read several tables with.
    pub async fn reader(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        Ok(self.readers.acquire().await?)
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
            writer.clean_up().await?;
            writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").await?;
            writer.connection.close().await?;
        }
        // Whoever still has the database in hand does not keep others out.
        self.file.release().map_err(|error| StoreError::Sqlite(error.into()))
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
