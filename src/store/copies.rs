//! Temporary copies of the database, for export and import.

use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// What the names of the directories for copies begin with.
const PREFIX: &str = "copy-";

/// A directory beside the database that only its owner can access.
pub(super) struct Copies(PathBuf);

impl Copies {
    pub fn beside(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push(".tmp");
        Self(path.into())
    }

    /// Creates a new directory for a copy and returns it.
    pub fn place(&self) -> io::Result<TempDir> {
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        builder.tempdir_in(&self.0)
    }

    /// Removes the copies that a killed process has left, and then the directory if it is empty.
    pub fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.0) else { return };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(PREFIX) {
                // The next start tries again.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let _ = fs::remove_dir(&self.0);
    }
}
