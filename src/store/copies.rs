//! Copies of the whole state, for a while: what is exported, and what is to be imported.

use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// What the names of the directories for copies begin with.
const PREFIX: &str = "copy-";

/// A directory beside the database, for nobody but its owner.
pub(super) struct Copies(PathBuf);

impl Copies {
    pub fn beside(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push(".tmp");
        Self(path.into())
    }

    /// Returns a directory of its own for a copy.
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

    /// Takes away what a process that was killed has left, and the directory if that is all.
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
