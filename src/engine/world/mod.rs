//! The whole state: filled from a seed, extended, exported, replaced, reset.

pub mod additions;
pub(super) mod load;
pub mod state;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{OwnedRwLockWriteGuard, RwLock, RwLockReadGuard, Semaphore};

/// Keeps readers of executions apart from writes that replace the whole state or remove plans. An
/// execution and its plan are read by two statements: without the lock, a reader could join a row
/// with another plan that has the same number, or find no plan.
pub(super) struct World {
    lock: Arc<RwLock<()>>,
    /// How often the whole state was replaced.
    generation: AtomicU64,
    /// Lets one export at a time go on.
    exporting: Arc<Semaphore>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            lock: Arc::default(),
            generation: AtomicU64::default(),
            exporting: Arc::new(Semaphore::new(1)),
        }
    }
}

impl World {
    /// Waits until no replacement is under way. None begins while the guard lives.
    pub async fn read(&self) -> RwLockReadGuard<'_, ()> {
        self.lock.read().await
    }

    /// Waits until nobody reads. Nobody can read while the guard lives.
    pub async fn replace(&self) -> OwnedRwLockWriteGuard<()> {
        self.lock.clone().write_owned().await
    }

    /// Waits until the current export has ended, and refuses all later ones.
    pub async fn end_exports(&self) {
        // An error means that this was called before.
        let _last = self.exporting.acquire().await;
        self.exporting.close();
    }

    /// Returns the number of the current state. Work that began in an earlier one is out of date.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Begins a new state.
    pub fn begin_generation(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }
}
