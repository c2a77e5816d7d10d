//! Rendered executions in memory, bounded in bytes.

use axum::body::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::domain::id::{ExecutionId, PipelineKey};
use crate::domain::time::Timestamp;
use crate::engine::Epoch;

/// How many bytes are kept.
const CAPACITY: u64 = 32 * 1024 * 1024;

/// What an entry takes beside its body, in bytes, about.
const OVERHEAD: u64 = 200;

/// How many entries are expected.
const EXPECTED: usize = 1024;

/// The executions that were answered last.
pub struct Bodies(Cache<ExecutionId, Entry, ByBytes>);

#[derive(Clone)]
struct Entry {
    pipeline: PipelineKey,
    epoch: Epoch,
    valid_until: Option<Timestamp>,
    body: Bytes,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<ExecutionId, Entry> for ByBytes {
    fn weight(&self, _: &ExecutionId, entry: &Entry) -> u64 {
        OVERHEAD + entry.body.len() as u64
    }
}

impl Default for Bodies {
    fn default() -> Self {
        Self(Cache::with_weighter(EXPECTED, CAPACITY, ByBytes))
    }
}

impl Bodies {
    /// The body of an execution, if it was made in this epoch and time has not changed it.
    #[must_use]
    pub fn find(
        &self,
        pipeline: PipelineKey,
        id: ExecutionId,
        epoch: Epoch,
        now: Timestamp,
    ) -> Option<Bytes> {
        self.0
            .get(&id)
            .filter(|entry| entry.pipeline == pipeline && entry.epoch == epoch)
            .filter(|entry| entry.valid_until.is_none_or(|until| now < until))
            .map(|entry| entry.body)
    }

    /// Keeps a body that was made from what was read in `epoch`.
    pub fn keep(
        &self,
        pipeline: PipelineKey,
        id: ExecutionId,
        epoch: Epoch,
        valid_until: Option<Timestamp>,
        body: Bytes,
    ) {
        self.0.insert(id, Entry { pipeline, epoch, valid_until, body });
    }
}
