//! Epochs: how caches learn that their entries about executions are out of date.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::id::PipelineKey;

/// A period in which nothing was committed about the executions of a pipeline. Two equal values are
/// the same period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(u64);

/// How many counters there are. A fixed number needs no lock and does not grow with deleted
/// pipelines; pipelines that share a counter only end each other's epochs early. 4096 are 32 KiB.
const COUNTERS: usize = 4096;

/// Counts commits by pipeline. A reader takes the epoch *before* it reads the database: if a commit
/// comes in between, its cache entry belongs to an epoch that has already ended, and is not used.
pub(in crate::engine) struct Epochs {
    hasher: RandomState,
    counters: Box<[AtomicU64]>,
}

impl Default for Epochs {
    fn default() -> Self {
        let counters = (0..COUNTERS).map(|_| AtomicU64::default()).collect();
        Self { hasher: RandomState::new(), counters }
    }
}

impl Epochs {
    fn counter(&self, pipeline: PipelineKey) -> &AtomicU64 {
        let hash = usize::try_from(self.hasher.hash_one(pipeline) % COUNTERS as u64);
        &self.counters[hash.unwrap_or(0)]
    }

    /// Returns the current epoch.
    pub(in crate::engine) fn current(&self, pipeline: PipelineKey) -> Epoch {
        Epoch(self.counter(pipeline).load(Ordering::SeqCst))
    }

    /// Ends the epoch: something has been committed.
    pub(in crate::engine) fn end(&self, pipeline: PipelineKey) {
        self.counter(pipeline).fetch_add(1, Ordering::SeqCst);
    }

    /// Ends all epochs: everything may have changed.
    pub(in crate::engine) fn end_all(&self) {
        for counter in &self.counters {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    }
}
