//! The only place with SQL: plain functions, one file per group of tables; rows are private.

pub mod builds;
mod condition;
pub mod database;
pub mod definitions;
pub mod deliveries;
pub mod emulator;
pub mod executions;
mod file;
mod insert;
pub mod plans;
pub mod secrets;
pub mod state;
mod timeline;
pub mod webhooks;

use std::fmt::Display;
use std::str::FromStr;

pub use condition::Condition;
pub use database::{Committed, Connection, Database, Transaction};

/// How many rows are in memory at once where all of a table are checked.
const CHECKED_AT_ONCE: u32 = 1000;

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// `SQLite` refused or failed.
    #[error("the database failed")]
    Sqlite(#[from] sqlx::Error),
    /// Something stored can't be read.
    #[error("the database holds something unreadable: {0}")]
    Unreadable(String),
    /// The emulator is stopping.
    #[error("the database is closed")]
    Closed,
    /// The database file can't be opened or created.
    #[error("{path}: {reason}")]
    Open {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}

impl StoreError {
    /// Whether there is no room left on the disk.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        let Self::Sqlite(sqlx::Error::Database(error)) = self else { return false };
        // SQLITE_FULL.
        error.code().as_deref() == Some("13")
    }

    fn unreadable(what: impl Display) -> Self {
        Self::Unreadable(what.to_string())
    }
}

/// An error with everything that led to it.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        // Some errors tell their cause themselves.
        if text.ends_with(&cause) { text } else { format!("{text}: {cause}") }
    })
}

/// Names the row that something unreadable stands in.
trait InRow<T> {
    /// The same, but an error says which row it is: `phases (4, 1, 3): …`.
    fn in_row(self, table: &str, key: impl std::fmt::Debug) -> Result<T, StoreError>;
}

impl<T> InRow<T> for Result<T, StoreError> {
    fn in_row(self, table: &str, key: impl std::fmt::Debug) -> Result<T, StoreError> {
        self.map_err(|error| match error {
            StoreError::Unreadable(reason) => {
                StoreError::Unreadable(format!("{table} {key:?}: {reason}"))
            }
            error => error,
        })
    }
}

/// Reads a column that holds JSON.
fn parse_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(StoreError::unreadable)
}

/// Reads a column that holds a word.
fn parse_word<T: FromStr<Err: Display>>(name: &str) -> Result<T, StoreError> {
    name.parse().map_err(StoreError::unreadable)
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection, SqliteConnection};

    use super::*;

    #[tokio::test]
    async fn a_full_disk_is_told_from_other_failures() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::query("PRAGMA max_page_count = 1").execute(&mut connection).await.unwrap();
        for (statement, is_disk_full) in [("CREATE TABLE a (b)", true), ("SELECT nothing", false)] {
            let failed = sqlx::query(statement).execute(&mut connection).await;
            let error = StoreError::from(failed.unwrap_err());
            assert_eq!(error.is_disk_full(), is_disk_full, "{}", with_causes(&error));
        }
    }
}
