//! Temporary copies of the database, for export and import.

use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What the names of the directories for copies begin with.
const PREFIX: &str = "copy-";

/// How many copies there are at a time: each may be as large as the database.
const MOST_COPIES: usize = 4;

/// A directory beside the database that only its owner can access.
pub(super) struct Copies {
    directory: PathBuf,
    permits: Arc<Semaphore>,
}

/// A directory for one copy, which goes away with this.
#[derive(Debug)]
pub struct CopyPlace {
    directory: TempDir,
    _permit: OwnedSemaphorePermit,
}

impl CopyPlace {
    /// Returns the directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Why there is no place for a copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyPlaceError {
    /// There are as many copies as there may be.
    #[error("too many copies at a time")]
    Busy,
    /// The emulator is stopping.
    #[error("the database is closed")]
    Closed,
    /// The directory can't be created.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Copies {
    pub fn beside(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push(".tmp");
        Self { directory: path.into(), permits: Arc::new(Semaphore::new(MOST_COPIES)) }
    }

    /// Creates a new directory for a copy as soon as there are few enough, and returns it.
    pub async fn place(&self) -> Result<CopyPlace, CopyPlaceError> {
        let permit = self.permits.clone().acquire_owned().await;
        let permit = permit.map_err(|_| CopyPlaceError::Closed)?;
        Ok(CopyPlace { directory: self.create()?, _permit: permit })
    }

    fn create(&self) -> io::Result<TempDir> {
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(&self.directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        builder.tempdir_in(&self.directory)
    }

    /// Removes the copies that a killed process has left, and then the directory if it is empty.
    pub fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.directory) else { return };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(PREFIX) {
                // The next start tries again.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let _ = fs::remove_dir(&self.directory);
    }
}
