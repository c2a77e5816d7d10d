//! Problems that last: workers that fail, and executions that can't be read.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Engine;
use super::catalog::Catalog;
use crate::domain::id::{ExecutionId, WebhookId};
use crate::store::executions::InvalidExecution;
use crate::store::{StoreError, with_causes};

/// How many executions are noted when lists leave them out: a damaged plan may belong to millions.
const MOST_NOTED: usize = 1000;

/// What works in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worker {
    /// Handles what is due.
    Scheduler,
    /// Removes what was deleted.
    Purger,
    /// Finds subscribers to whom something is due.
    Deliverer,
    /// Delivers events to this subscriber.
    DelivererTo(WebhookId),
}

impl fmt::Display for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheduler => f.write_str("scheduler"),
            Self::Purger => f.write_str("purger"),
            Self::Deliverer => f.write_str("deliverer"),
            Self::DelivererTo(webhook) => write!(f, "deliverer, webhook {webhook}"),
        }
    }
}

/// The problems that last. They are only in memory; what is wrong with the database is found again
/// after a restart.
#[derive(Default)]
pub(super) struct Problems {
    /// The last error of each worker that failed last time.
    workers: Mutex<BTreeMap<Worker, String>>,
    /// The executions that can't be read, as far as is known.
    executions: Mutex<BTreeMap<ExecutionId, InvalidExecution>>,
}

impl Problems {
    fn workers(&self) -> MutexGuard<'_, BTreeMap<Worker, String>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn executions(&self) -> MutexGuard<'_, BTreeMap<ExecutionId, InvalidExecution>> {
        self.executions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds executions that were set aside.
    pub(super) fn set_aside(&self, invalid: Vec<InvalidExecution>) {
        self.executions().extend(invalid.into_iter().map(|it| (it.id, it)));
    }

    /// Adds executions that a list had to leave out. Each is logged once.
    pub(super) fn note_invalid(&self, invalid: Vec<InvalidExecution>) {
        let mut known = self.executions();
        for invalid in invalid {
            if known.len() < MOST_NOTED && !known.contains_key(&invalid.id) {
                let problem = &invalid.problem;
                tracing::error!(problem, "the execution {} can't be read", invalid.id);
                known.insert(invalid.id, invalid);
            }
        }
    }

    /// Removes the executions of pipelines that are gone.
    pub(super) fn retain_known(&self, catalog: &Catalog) {
        self.executions().retain(|_, InvalidExecution { pipeline, .. }| {
            catalog.find_pipeline(pipeline.program_id, pipeline.pipeline_id).is_some()
        });
    }

    /// Removes all executions.
    pub(super) fn clear_executions(&self) {
        self.executions().clear();
    }
}

impl Engine {
    /// Records the last outcome of a worker. Errors of the database files are not recorded here:
    /// health reports them separately, and they may be gone before the worker runs again.
    pub fn note_work<T>(&self, worker: Worker, outcome: &Result<T, StoreError>) {
        let mut workers = self.problems.workers();
        match outcome {
            Err(error) if error.trouble().is_none() => workers.insert(worker, with_causes(error)),
            Ok(_) | Err(_) => workers.remove(&worker),
        };
    }

    /// Forgets the failures of deliveries to those subscribers who are not `wanted` any more.
    pub fn forget_deliveries(&self, wanted: impl Fn(WebhookId) -> bool) {
        self.problems.workers().retain(|worker, _| match worker {
            Worker::DelivererTo(webhook) => wanted(*webhook),
            _ => true,
        });
    }

    /// Returns the workers that failed last time, each with its error.
    #[must_use]
    pub fn failing_workers(&self) -> Vec<(Worker, String)> {
        self.problems.workers().iter().map(|(worker, error)| (*worker, error.clone())).collect()
    }

    /// Returns the first executions that can't be read, at most `most` of them.
    #[must_use]
    pub fn invalid_executions(&self, most: usize) -> Vec<InvalidExecution> {
        // A read may have noted one after its pipeline was deleted.
        self.problems.retain_known(&self.catalog());
        self.problems.executions().values().take(most).cloned().collect()
    }
}
