//! The whole state: filled from a seed, extended, exported, replaced, reset.

pub mod additions;
pub(super) mod load;
pub mod state;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{OwnedRwLockWriteGuard, RwLock, RwLockReadGuard};

/// Keeps readers of executions apart from a replacement of the whole state. An execution and its
/// plan are read by two statements: without the lock, a reader could join a row of one state with
/// the plan that has the same number in another.
#[derive(Default)]
pub(super) struct World {
    lock: Arc<RwLock<()>>,
    /// How often the whole state was replaced.
    generation: AtomicU64,
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

    /// Returns the number of the current state. Work that began in an earlier one is out of date.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Begins a new state.
    pub fn begin_generation(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }
}
