//! The database file: which files are taken for one, the lock that keeps other processes out, and
//! whether the file is still there.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What marks a database file as the emulator's (`PRAGMA application_id`), bytes 68 to 71.
pub(super) const APPLICATION_ID: [u8; 4] = *b"CMem";

/// The suffixes of the files beside the database.
const BESIDE: [&str; 4] = ["-wal", "-shm", "-journal", LOCK];

/// The suffix of the lock file. `SQLite`'s own locks on the database would not exclude a second
/// process for the whole time, only during transactions.
const LOCK: &str = ".lock";

/// A database file that this process alone uses.
pub(super) struct DatabaseFile {
    path: PathBuf,
    /// Whether there is nothing in it yet.
    pub is_new: bool,
    /// Which file it is, whatever its name.
    identity: (u64, u64),
    /// Held for as long as the database is open; nobody else can take it meanwhile.
    lock: File,
}

impl DatabaseFile {
    /// Takes the file at `path`, and creates it if there is none. A file that can't be a database
    /// of the emulator is refused and not touched.
    pub fn take(path: &Path) -> io::Result<Self> {
        let path = resolve(path)?;
        let is_new = check(&path)?;
        for suffix in BESIDE {
            check_beside(&append(&path, suffix))?;
        }
        let lock = take_lock(&append(&path, LOCK))?;
        if is_new {
            owner_only_options().create(true).truncate(false).open(&path)?;
        }
        let identity = identity(&fs::metadata(&path)?);
        Ok(Self { path, is_new, identity, lock })
    }

    /// Returns where it is, without links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Releases the lock, so that another process can use the file.
    pub fn release(&self) -> io::Result<()> {
        self.lock.unlock()
    }

    /// Returns why the file that is open is no longer the one at its path, if so.
    pub fn loss(&self) -> Option<String> {
        let path = self.path.display();
        match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(format!(
                "the database file {path} was deleted: further changes will be lost at the end"
            )),
            Err(error) => Some(format!("the database file {path} can't be accessed: {error}")),
            Ok(found) if identity(&found) != self.identity => Some(format!(
                "the database file {path} was replaced: what is written now is lost at the end"
            )),
            Ok(_) => None,
        }
    }
}

/// Returns the path without links, so that one database has one name.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    let text = path.to_str().ok_or_else(|| refused("must be valid UTF-8"))?;
    // SQLite would not open a file of this name: these are a memory database and a URI.
    if text == ":memory:" || text.starts_with("file:") {
        return Err(refused(
            "must be the name of a file; use --ephemeral for a temporary database",
        ));
    }
    let name = path.file_name().ok_or_else(|| refused("must be the name of a file"))?;
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let directory = path.parent().filter(|parent| *parent != Path::new(""));
            Ok(directory.unwrap_or(Path::new(".")).canonicalize()?.join(name))
        }
        Err(error) => Err(error),
        Ok(found) => path.canonicalize().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound if found.is_symlink() => {
                refused("this is a link to a file that does not exist")
            }
            _ => error,
        }),
    }
}

/// Refuses what can't be the emulator's database. Returns whether there is nothing in it yet.
pub(super) fn check(path: &Path) -> io::Result<bool> {
    let found = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        found => found?,
    };
    // Checked before it is opened: opening a FIFO would wait for its other end.
    if !found.is_file() {
        return Err(refused("not a regular file"));
    }
    let mut header = [0; 72];
    let length = File::open(path)?.read(&mut header)?;
    let is_ours = header.starts_with(b"SQLite format 3\0") && header[68..] == APPLICATION_ID;
    if length > 0 && !is_ours {
        return Err(refused("not a database of the Cloud Manager emulator"));
    }
    if names(&found) > 1 {
        return Err(refused(
            "the file has a second name (a hard link); SQLite can't use such a database",
        ));
    }
    if found.permissions().readonly() {
        return Err(refused("the file is read-only"));
    }
    // Only opening it shows whether this process may write to it.
    OpenOptions::new().write(true).open(path)?;
    Ok(length == 0)
}

/// Refuses a file beside the database that is not regular or has a second name: `SQLite` would
/// write through it into another file.
fn check_beside(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(found) if found.is_file() && names(&found) == 1 => Ok(()),
        Ok(found) => {
            let why = if found.is_file() {
                "has a second name (a hard link)"
            } else {
                "is not a regular file"
            };
            Err(refused(format!("{} {why}", path.display())))
        }
        Err(error) => Err(error),
    }
}

fn take_lock(path: &Path) -> io::Result<File> {
    let failed = |error: io::Error| refused(format!("{}: {error}", path.display()));
    let lock = owner_only_options().create(true).truncate(false).open(path).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            Err(refused("another cloudmanager-emulator is using this database"))
        }
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Returns options that create files for their owner only. `SQLite` gives its own files the
/// permissions of the database.
fn owner_only_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn append(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn refused(why: impl Into<String>) -> io::Error {
    io::Error::other(why.into())
}

/// Returns how many names a file has.
fn names(found: &Metadata) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::nlink(found);
    #[cfg(not(unix))]
    return u64::from(found.is_file());
}

/// Returns which file it is, whatever its name.
#[cfg(unix)]
fn identity(found: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (found.dev(), found.ino())
}

/// Returns the same for all files: std can't identify files on this system.
#[cfg(not(unix))]
fn identity(_: &Metadata) -> (u64, u64) {
    (0, 0)
}
