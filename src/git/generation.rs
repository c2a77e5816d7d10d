//! Where repositories lie: `<database>.git/<generation>/<program>-<repository>.git`.

use std::collections::HashMap;
use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::domain::id::RepositoryKey;

/// The suffix of the directory beside the database.
const SUFFIX: &str = ".git";

/// What the names of repositories begin with while they are made.
pub(super) const UNFINISHED: &str = "new-";

/// What killed processes leave in a repository, apart from locks of single refs.
const LEFTOVERS: [(&str, &str); 4] = [
    ("objects", "tmp_objdir-"),
    ("objects/pack", "tmp_"),
    ("", "packed-refs.lock"),
    ("", "HEAD.lock"),
];

/// The repositories of one state.
pub struct Generation {
    number: i64,
    /// The directory with all generations.
    root: PathBuf,
    path: PathBuf,
    /// Whether the files go away with this.
    is_abandoned: AtomicBool,
    /// Whoever reads the refs of a repository and stores them holds its lock.
    locks: Mutex<HashMap<RepositoryKey, Arc<tokio::sync::Mutex<()>>>>,
}

impl Drop for Generation {
    fn drop(&mut self) {
        if *self.is_abandoned.get_mut() {
            let path = std::mem::take(&mut self.path);
            // It may be large. What is left, the next start removes.
            std::thread::spawn(move || fs::remove_dir_all(path));
        }
    }
}

impl Generation {
    /// Returns the current generation of a database.
    pub(super) fn of(database: &Path, number: i64) -> Self {
        let mut root = database.as_os_str().to_owned();
        root.push(SUFFIX);
        Self::new(root.into(), number, false)
    }

    /// Returns another one beside it, which is abandoned until it becomes the current one.
    pub(super) fn next(&self, number: i64) -> Self {
        Self::new(self.root.clone(), number, true)
    }

    fn new(root: PathBuf, number: i64, is_abandoned: bool) -> Self {
        let path = root.join(number.to_string());
        let is_abandoned = AtomicBool::new(is_abandoned);
        Self { number, root, path, is_abandoned, locks: Mutex::default() }
    }

    pub(super) fn keep(&self) {
        self.is_abandoned.store(false, Ordering::SeqCst);
    }

    pub(super) fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::SeqCst);
    }

    /// Returns its number, which is stored with the state.
    #[must_use]
    pub fn number(&self) -> i64 {
        self.number
    }

    pub(super) fn lock_of(&self, key: RepositoryKey) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        locks.entry(key).or_default().clone()
    }

    pub(super) fn path_of(&self, key: RepositoryKey) -> PathBuf {
        self.path.join(format!("{}-{}.git", key.program_id, key.repository_id))
    }

    /// Returns the repositories on disk.
    pub fn list(&self) -> io::Result<Vec<RepositoryKey>> {
        let entries = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.filter_map(|name: io::Result<_>| name.map(|name| key_of(&name)).transpose()).collect()
    }

    /// Makes the directory, for its owner alone.
    pub(super) fn make(&self) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        for path in [&self.root, &self.path] {
            match builder.create(path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if !path.symlink_metadata()?.is_dir() {
                        let problem = format!("{} is not a directory", path.display());
                        return Err(io::Error::new(io::ErrorKind::NotADirectory, problem));
                    }
                }
                made => made?,
            }
        }
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the repositories of other states, and what killed processes have left in those of
    /// this one. Nothing uses them yet.
    pub fn sweep(&self) {
        if !self.root.symlink_metadata().is_ok_and(|found| found.is_dir()) {
            return;
        }
        for entry in entries(&self.root) {
            // Anything else is not the emulator's: a bare repository may have the same name.
            let name = entry.file_name().unwrap_or_default().to_string_lossy();
            if name.parse::<i64>().is_ok() && entry != self.path {
                // The next start tries again; this holds for all that is removed here.
                let _ = fs::remove_dir_all(entry);
            }
        }
        for entry in entries(&self.path) {
            let name = entry.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(UNFINISHED) {
                let _ = fs::remove_dir_all(&entry);
            } else if key_of(&name).is_some() {
                sweep_repository(&entry);
            }
        }
        let _ = fs::remove_dir(&self.path);
        let _ = fs::remove_dir(&self.root);
    }
}

fn sweep_repository(repository: &Path) {
    for (directory, prefix) in LEFTOVERS {
        for entry in entries(&repository.join(directory)) {
            if entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)) {
                remove(&entry);
            }
        }
    }
    sweep_locks(&repository.join("refs"));
}

/// Removes the locks of refs. No ref has a name that ends so.
fn sweep_locks(directory: &Path) {
    for entry in entries(directory) {
        if entry.symlink_metadata().is_ok_and(|found| found.is_dir()) {
            sweep_locks(&entry);
        } else if entry.extension().is_some_and(|extension| extension == "lock") {
            remove(&entry);
        }
    }
}

fn remove(path: &Path) {
    let is_directory = path.symlink_metadata().is_ok_and(|found| found.is_dir());
    let _ = if is_directory { fs::remove_dir_all(path) } else { fs::remove_file(path) };
}

fn entries(directory: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn key_of(name: &str) -> Option<RepositoryKey> {
    let (program, repository) = name.strip_suffix(".git")?.split_once('-')?;
    Some(RepositoryKey {
        program_id: program.parse().ok()?,
        repository_id: repository.parse().ok()?,
    })
}
