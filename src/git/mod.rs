//! Git repositories on disk, and the machine's `git` that works on them.

mod generation;
mod process;
mod repository;
mod transfer;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

pub use generation::Generation;
pub use repository::{Bundle, GitRepository, Heads};
pub use transfer::{Advertised, GitService, Protocol, Transfer};

/// The limits of what `git` may do.
#[derive(Clone, Debug)]
pub struct GitLimits {
    /// How many clones, fetches and pushes go on at the same time; others wait.
    pub transfers: usize,
    /// How long one of them waits for its turn, in real time.
    pub longest_wait: Duration,
    /// How long one of them takes at most, in real time.
    pub longest_transfer: Duration,
    /// The largest pack that is accepted in a push, in bytes.
    pub largest_push: u64,
}

impl Default for GitLimits {
    fn default() -> Self {
        Self {
            transfers: 16,
            longest_wait: Duration::from_secs(20),
            longest_transfer: Duration::from_hours(1),
            largest_push: 1024 * 1024 * 1024,
        }
    }
}

/// Why `git` did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no `git`.
    #[error("there is no `git` in the PATH of the emulator")]
    Missing,
    /// There are as many transfers as are allowed.
    #[error("too many clones and pushes are under way")]
    Busy,
    /// It takes too long.
    #[error("git did not end in time")]
    TimedOut,
    /// It has refused.
    #[error("git failed: {0}")]
    Failed(String),
    /// Its files or pipes can't be used.
    #[error("the git repositories beside the database can't be used: {0}")]
    Io(#[from] io::Error),
}

/// All repositories of an emulator, and the `git` for them.
#[derive(Clone)]
pub struct Git(Arc<GitParts>);

struct GitParts {
    current: watch::Sender<Arc<Generation>>,
    /// The number of the next generation.
    next: AtomicI64,
    limits: GitLimits,
    /// Each transfer holds one of these.
    transfers: Arc<Semaphore>,
    /// Each short command holds one of these, so that no transfer waits for another to end.
    commands: Semaphore,
}

/// How many short commands run at the same time.
const COMMANDS: usize = 4;

impl Git {
    /// Returns the repositories beside a database, in the generation of its state. It looks at
    /// nothing on disk.
    #[must_use]
    pub fn beside(database: &Path, generation: i64, limits: GitLimits) -> Self {
        let current = Generation::of(database, generation);
        Self(Arc::new(GitParts {
            current: watch::Sender::new(Arc::new(current)),
            next: AtomicI64::new(generation.saturating_add(1)),
            transfers: Arc::new(Semaphore::new(limits.transfers)),
            commands: Semaphore::new(COMMANDS),
            limits,
        }))
    }

    /// Returns the repositories of the current state.
    #[must_use]
    pub fn current(&self) -> Arc<Generation> {
        self.0.current.borrow().clone()
    }

    /// Returns a place for the repositories of another state. Its files go away unless it becomes
    /// the current one.
    #[must_use]
    pub fn new_generation(&self) -> Arc<Generation> {
        let number = self.0.next.fetch_add(1, Ordering::SeqCst);
        Arc::new(self.current().next(number))
    }

    /// Makes a generation the current one. The files of the earlier one go away as soon as nothing
    /// uses them.
    pub fn set_current(&self, generation: &Arc<Generation>) {
        // A new database keeps the one that it has: so the order matters.
        self.0.current.send_replace(generation.clone()).abandon();
        generation.keep();
    }

    /// Waits until no transfer is under way, but not for long.
    pub async fn end_transfers(&self) {
        let all = u32::try_from(self.0.limits.transfers).unwrap_or(u32::MAX);
        // The processes that are left end with the runtime.
        let _ = tokio::time::timeout(LONGEST_END, self.0.transfers.acquire_many(all)).await;
        self.0.transfers.close();
    }
}

/// How long transfers may take to end when the emulator stops, in real time.
const LONGEST_END: Duration = Duration::from_secs(5);
