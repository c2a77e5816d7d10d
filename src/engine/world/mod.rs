//! The world as a whole: filled from a seed, added to, exported, replaced, reset.

pub mod additions;
pub(super) mod load;
pub mod state;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{OwnedRwLockWriteGuard, RwLock, RwLockReadGuard, Semaphore};

/// Keeps those who read executions apart from those who replace everything: nobody joins a row of
/// one state with a plan of another.
pub(super) struct World {
    lock: Arc<RwLock<()>>,
    /// Counts how often everything was replaced.
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
    /// Waits until nobody replaces everything. Nobody will while the guard lives.
    pub async fn read(&self) -> RwLockReadGuard<'_, ()> {
        self.lock.read().await
    }

    /// Waits until nobody reads. Nobody will while the guard lives.
    pub async fn replace(&self) -> OwnedRwLockWriteGuard<()> {
        self.lock.clone().write_owned().await
    }

    /// Waits for an export that is under way, and lets no other begin.
    pub async fn end_exports(&self) {
        // If this fails, they have ended before.
        let _last = self.exporting.acquire().await;
        self.exporting.close();
    }

    /// The number of the state, which tells it from the one before everything was replaced.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Everything was replaced.
    pub fn begin_generation(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }
}
