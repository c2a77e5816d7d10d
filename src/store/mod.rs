//! The only place with SQL: plain functions, one file per group of tables; rows are private.

pub mod builds;
mod condition;
pub mod contents;
mod copies;
pub mod database;
pub mod definitions;
pub mod deliveries;
pub mod emulator;
pub mod environment_memories;
pub mod executions;
mod file;
pub mod git;
mod insert;
mod inspect;
pub mod keys;
mod last_write;
mod plan_cache;
pub mod plans;
pub mod secrets;
pub mod state;
pub mod successes;
mod timeline;
pub mod trouble;
pub mod uploads;
pub mod webhooks;
mod writer;

use std::error::Error;
use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;

use sqlx::FromRow;
use sqlx::sqlite::SqliteRow;

pub use condition::Condition;
pub use copies::{CopyPlace, CopyPlaceError};
pub use database::{Connection, Database};
pub use trouble::Trouble;
pub use writer::{Committed, Transaction};

/// How many rows are in memory at once where all of a table are checked.
const CHECKED_AT_ONCE: u32 = 1000;

/// `SQLite`'s code for a statement that was interrupted, which only a stop of the emulator does.
const INTERRUPTED: &str = "9";

/// How many instructions `SQLite` executes between two questions whether to go on.
const INSTRUCTIONS: i32 = 10_000;

/// Interrupts what a connection executes as soon as `go_on` says no.
async fn interrupt_unless(
    connection: &mut Connection,
    go_on: impl FnMut() -> bool + Send + 'static,
) -> Result<(), StoreError> {
    connection.lock_handle().await?.set_progress_handler(INSTRUCTIONS, go_on);
    Ok(())
}

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// `SQLite` refused or failed.
    #[error("the database failed")]
    Sqlite(#[source] sqlx::Error),
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
        /// What is wrong with its files, if that is why.
        trouble: Option<Trouble>,
    },
    /// There is no room left for the files of the database.
    #[error("there is no room left for the database: {0}")]
    NoRoom(String),
    /// A zip file of the seed can't be stored.
    #[error("the zip file {path} of the seed can't be stored: {reason}")]
    ZipFile {
        /// Where it is.
        path: String,
        /// Why.
        reason: String,
    },
    /// The git repositories beside the database can't be read or written.
    #[error("the git repositories can't be used: {0}")]
    Git(String),
    /// The files of the database can't be read or written.
    #[error("the database can't be read or written: {0}")]
    Unavailable(String),
}

impl From<sqlx::Error> for StoreError {
    /// A value of another type than the column's, or text that is not UTF-8, is unreadable.
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::ColumnDecode { index, source } => {
                Self::Unreadable(format!("column {index}: {source}"))
            }
            sqlx::Error::Decode(source) => Self::unreadable(source),
            sqlx::Error::Database(error) if error.code().as_deref() == Some(INTERRUPTED) => {
                Self::Closed
            }
            error => Self::Sqlite(error),
        }
    }
}

impl StoreError {
    /// Returns what is wrong with the files of the database, if that is why.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Sqlite(_) => Trouble::in_error(self),
            Self::Open { trouble, .. } => *trouble,
            Self::NoRoom(_) => Some(Trouble::NoRoom),
            Self::Unavailable(_) => Some(Trouble::Unavailable),
            Self::Unreadable(_) | Self::ZipFile { .. } | Self::Git(_) | Self::Closed => None,
        }
    }

    /// Returns a database file that can't be opened or created.
    fn opening(path: &Path, error: &(dyn Error + 'static)) -> Self {
        let trouble = Trouble::of(error, path);
        Self::Open { path: path.display().to_string(), reason: with_causes(error), trouble }
    }

    fn unreadable(what: impl Display) -> Self {
        Self::Unreadable(what.to_string())
    }
}

/// Returns the directory that a file is in.
fn directory_of(file: &Path) -> &Path {
    match file.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    }
}

/// Returns an error with everything that led to it.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| Error::source(*cause));
    causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        // Some errors tell their cause themselves.
        if text.ends_with(&cause) { text } else { format!("{text}: {cause}") }
    })
}

/// Names the row that something unreadable stands in.
trait InRow<T> {
    /// Returns the same but an error says which row it is: `phases (4, 1, 3): …`.
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

/// A row of which all columns but the key may be unreadable. Other rows of the same query are read all
/// the same.
struct FoundRow<K, T> {
    key: K,
    columns: Result<T, StoreError>,
}

impl<'r, K, T> FromRow<'r, SqliteRow> for FoundRow<K, T>
where
    K: FromRow<'r, SqliteRow>,
    T: FromRow<'r, SqliteRow>,
{
    fn from_row(row: &'r SqliteRow) -> sqlx::Result<Self> {
        Ok(Self { key: K::from_row(row)?, columns: T::from_row(row).map_err(StoreError::from) })
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
