//! Failures of the database files: why the database can't be read or written.

use std::error::Error;
use std::fs;
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::iter::successors;
use std::path::{Path, PathBuf};

use super::directory_of;

/// Why the database can't be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is no room left for its files.
    NoRoom,
    /// Its files can't be read or written, or another program has locked them.
    Unavailable,
    /// The content of its files is not a valid database. `SQLite` also reports this if the disk
    /// can't read them.
    Malformed,
}

/// `SQLite`'s primary result codes for failures of files, locks or memory.
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
    /// Returns the failure of the database files that an error or one of its causes reports, or
    /// `None` if the error has another reason.
    pub(super) fn of(error: &(dyn Error + 'static), database: &Path) -> Option<Self> {
        let found = Self::in_error(error)?;
        // If a quota or the maximum file size is reached, SQLite only reports an I/O error.
        let is_full = found == Self::Unavailable && lacks_room(database);
        Some(if is_full { Self::NoRoom } else { found })
    }

    /// Returns the same from the error alone, without checking the files.
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
            // Without an extended code, this can mean a file format that is read-only.
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
