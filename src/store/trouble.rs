//! What keeps the database from being read or written, whatever is asked of it.

use std::error::Error;
use std::fs;
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::iter::successors;
use std::path::{Path, PathBuf};

use super::directory_of;

/// What keeps the database from being read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is no room left for its files.
    NoRoom,
    /// Reading or writing its files fails, or another program keeps it from that.
    Unavailable,
    /// What its files hold is no database, as far as they can be read: `SQLite` says so, too, when
    /// a disk fails to read them.
    Malformed,
}

/// The primary result codes of `SQLite` that speak of the world around a database.
const FULL: i32 = 13;
const BUSY: i32 = 5;
const NOMEM: i32 = 7;
const READONLY: i32 = 8;
const IOERR: i32 = 10;
const CANTOPEN: i32 = 14;
const PROTOCOL: i32 = 15;
const CORRUPT: i32 = 11;
const NOTADB: i32 = 26;

/// How much is written to find out whether there is room.
const PROBE: usize = 64 * 1024;

impl Trouble {
    /// Returns what an error, with everything that led to it, says about the files of a database,
    /// or `None` if it is about something else.
    pub(super) fn of(error: &(dyn Error + 'static), database: &Path) -> Option<Self> {
        let found = Self::in_error(error)?;
        // SQLite calls a quota and a largest size of files an I/O error.
        let is_full = found == Self::Unavailable && lacks_room(database);
        Some(if is_full { Self::NoRoom } else { found })
    }

    /// Returns the same without a look at the files.
    pub(super) fn in_error(error: &(dyn Error + 'static)) -> Option<Self> {
        successors(Some(error), |error| Error::source(*error)).find_map(|cause| {
            let sqlite = cause.downcast_ref().and_then(Self::in_sqlite);
            sqlite.or_else(|| cause.downcast_ref().and_then(Self::in_io))
        })
    }

    fn in_sqlite(error: &sqlx::Error) -> Option<Self> {
        let sqlx::Error::Database(error) = error else {
            let is_lost = matches!(error, sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed);
            return is_lost.then_some(Self::Unavailable);
        };
        let code: i32 = error.code()?.parse().ok()?;
        match code & 0xff {
            FULL => Some(Self::NoRoom),
            // The code alone is also about a file format that can only be read.
            READONLY if code == READONLY => Some(Self::Malformed),
            BUSY | NOMEM | READONLY | IOERR | CANTOPEN | PROTOCOL => Some(Self::Unavailable),
            CORRUPT | NOTADB => Some(Self::Malformed),
            _ => None,
        }
    }

    fn in_io(error: &io::Error) -> Option<Self> {
        match error.kind() {
            ErrorKind::Other => None,
            kind if is_lack_of_room(kind) => Some(Self::NoRoom),
            _ => Some(Self::Unavailable),
        }
    }
}

/// Returns whether an I/O error says that there is no room for what was to be written.
#[must_use]
pub fn is_lack_of_room(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

/// Returns whether the files of a database can't grow: tries it with a file beside them.
fn lacks_room(database: &Path) -> bool {
    let length = |suffix: &str| {
        let mut path = database.as_os_str().to_owned();
        path.push(suffix);
        fs::metadata(PathBuf::from(path)).map_or(0, |file| file.len())
    };
    let end = length("").max(length("-wal"));
    let grow = || {
        let name = database.file_name().unwrap_or_default();
        let probe = tempfile::Builder::new().prefix(name).tempfile_in(directory_of(database))?;
        let mut file = probe.as_file();
        file.seek(SeekFrom::Start(end))?;
        file.write_all(&vec![0; PROBE])?;
        file.sync_data()
    };
    grow().is_err_and(|error| is_lack_of_room(error.kind()))
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection, SqliteConnection};

    use super::*;
    use crate::store::StoreError;

    #[tokio::test]
    async fn a_full_disk_is_told_from_other_failures() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::query("PRAGMA max_page_count = 1").execute(&mut connection).await.unwrap();
        for (statement, expected) in
            [("CREATE TABLE a (b)", Some(Trouble::NoRoom)), ("SELECT nothing", None)]
        {
            let failed = sqlx::query(statement).execute(&mut connection).await;
            let error = StoreError::from(failed.unwrap_err());
            assert_eq!(Trouble::in_error(&error), expected, "{error:?}");
        }
        for (kind, expected) in [
            (ErrorKind::StorageFull, Some(Trouble::NoRoom)),
            (ErrorKind::QuotaExceeded, Some(Trouble::NoRoom)),
            (ErrorKind::PermissionDenied, Some(Trouble::Unavailable)),
            (ErrorKind::Other, None),
        ] {
            assert_eq!(Trouble::in_error(&io::Error::from(kind)), expected, "{kind}");
        }
    }
}
