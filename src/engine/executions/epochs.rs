//! Epochs: how memory learns that what it made of executions is out of date.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::id::PipelineKey;

/// A stretch in which the executions of a pipeline did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(u64);

/// How many counters there are. Pipelines that share one only end each other's epochs early.
const COUNTERS: usize = 4096;

/// Counts changes by pipeline.
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

    /// The epoch that lasts now.
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
