//! The one connection that writes, and transactions on it.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::Arc;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};

use super::last_write::LastWrite;
use super::{StoreError, interrupt_unless};

/// The one connection that writes.
pub(super) struct Writer {
    connection: SqliteConnection,
    /// How it is opened.
    options: SqliteConnectOptions,
    /// Whether a transaction has begun that was not committed.
    unfinished: bool,
    /// Whether another database is attached.
    attached: bool,
    /// Whether a stop of the emulator interrupts the transaction.
    interruptible: bool,
    /// The outcome of the last writes.
    last_write: Arc<LastWrite>,
}

/// The writer behind the lock that is the right to write. `None` once the database is closed.
pub(super) type Writing = Arc<Mutex<Option<Writer>>>;

/// The right to write.
type Right = OwnedMappedMutexGuard<Option<Writer>, Writer>;

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
    pub fn new(
        connection: SqliteConnection,
        options: SqliteConnectOptions,
        last_write: Arc<LastWrite>,
    ) -> Self {
        Self {
            connection,
            options,
            unfinished: false,
            attached: false,
            interruptible: false,
            last_write,
        }
    }

    async fn execute(&mut self, statement: &'static str) -> Result<(), StoreError> {
        sqlx::query(statement).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Ends what the last transaction has left, if it was not committed. A connection that may be
    /// broken is replaced.
    async fn clean_up(&mut self) -> Result<(), StoreError> {
        self.finish_interruptible().await?;
        if !self.unfinished && !self.attached {
            return Ok(());
        }
        if self.undo().await.is_err() {
            self.replace().await?;
        }
        self.unfinished = false;
        self.attached = false;
        Ok(())
    }

    /// Lets nothing interrupt the statements from now on.
    async fn finish_interruptible(&mut self) -> Result<(), StoreError> {
        if self.interruptible {
            self.connection.lock_handle().await?.remove_progress_handler();
            self.interruptible = false;
        }
        Ok(())
    }

    /// Rolls back and detaches. Returns an error if the connection can't be used for a new
    /// transaction: one may still be open, a database attached, or reading fails.
    async fn undo(&mut self) -> Result<(), StoreError> {
        // SQLite itself has rolled back after some errors. Then this fails, which is fine if a
        // transaction can begin.
        if self.unfinished && self.execute("ROLLBACK").await.is_err() {
            self.execute("BEGIN").await?;
            self.execute("SELECT count(*) FROM emulator").await?;
            self.execute("COMMIT").await?;
        }
        if self.attached {
            self.execute("DETACH DATABASE imported").await?;
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), StoreError> {
        self.finish_interruptible().await?;
        if self.last_write.trouble().is_some() {
            // `SQLite` writes nothing if nothing has changed; such a commit would not show whether
            // the database can be written again.
            self.execute("UPDATE emulator SET next_execution_id = next_execution_id + 1").await?;
            self.execute("UPDATE emulator SET next_execution_id = next_execution_id - 1").await?;
        }
        self.execute("COMMIT").await
    }

    /// Goes on with a new connection. The old one is closed after that: where none is open,
    /// `SQLite` would recover the database from its log, in which there may be the end of a
    /// transaction that has failed.
    async fn replace(&mut self) -> Result<(), StoreError> {
        tracing::warn!("the connection that writes to the database is replaced");
        let new = SqliteConnection::connect_with(&self.options).await?;
        let old = std::mem::replace(&mut self.connection, new);
        // An error does not matter: the old connection is not used any more.
        let _ = old.close().await;
        Ok(())
    }

    /// Writes everything into the one database file and closes it, even if the first fails.
    pub async fn close(mut self) -> Result<(), StoreError> {
        let written = match self.clean_up().await {
            Ok(()) => self.execute("PRAGMA wal_checkpoint(TRUNCATE)").await,
            Err(error) => Err(error),
        };
        let closed = self.connection.close().await;
        written?;
        Ok(closed?)
    }
}

impl Transaction {
    /// Begins as soon as it is the caller's turn to write; first come, first served. If there is
    /// another database, it is attached as `imported` while the transaction lasts.
    pub(super) async fn begin(writing: Writing, other: Option<&Path>) -> Result<Self, StoreError> {
        let right = OwnedMutexGuard::try_map(writing.clone().lock_owned().await, Option::as_mut);
        let mut transaction = Self { right: right.map_err(|_| StoreError::Closed)?, writing };
        let begun = transaction.start(other).await;
        if let Err(error) = &begun {
            transaction.right.last_write.note(error);
        }
        begun.map(|()| transaction)
    }

    /// Begins with `SQLite`'s write lock (`IMMEDIATE`). A transaction that takes it only with its
    /// first write fails if anything was written since its first read, whatever the busy time-out.
    async fn start(&mut self, other: Option<&Path>) -> Result<(), StoreError> {
        let writer = &mut *self.right;
        writer.clean_up().await?;
        if let Some(path) = other {
            writer.attached = true;
            sqlx::query("ATTACH DATABASE $1 AS imported")
                .bind(path.display().to_string())
                .execute(&mut writer.connection)
                .await?;
        }
        writer.unfinished = true;
        writer.execute("BEGIN IMMEDIATE").await
    }

    /// Interrupts the transaction as soon as `go_on` says no. It is for those that take long.
    pub async fn interrupt_unless(
        &mut self,
        go_on: impl FnMut() -> bool + Send + 'static,
    ) -> Result<(), StoreError> {
        self.right.interruptible = true;
        interrupt_unless(&mut self.right.connection, go_on).await
    }

    /// Commits. The caller keeps the right to write until memory, too, has what was committed.
    pub async fn commit(mut self) -> Result<Committed, StoreError> {
        if let Err(error) = self.right.commit().await {
            self.right.last_write.note(&error);
            return Err(error);
        }
        self.right.unfinished = false;
        self.right.last_write.clear();
        // It is committed, even if a database stays attached until the next transaction begins.
        let _ = self.right.clean_up().await;
        Ok(Committed { _transaction: self })
    }
}

impl Drop for Transaction {
    /// Rolls back in a task of its own, because `drop` can't await. If another transaction gets the
    /// lock first, it rolls back before it begins.
    fn drop(&mut self) {
        if !self.right.unfinished {
            return;
        }
        let writing = self.writing.clone();
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                if let Some(writer) = &mut *writing.lock().await {
                    // If this fails, the next transaction tries again and returns the error.
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
