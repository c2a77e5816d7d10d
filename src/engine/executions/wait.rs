//! Waiting: until an execution has come so far, until deliveries have been tried, until it is time.

use super::read::Snapshot;
use super::scheduler::LONGEST_SLEEP;
use crate::domain::execution::step::StepState;
use crate::domain::execution::{Execution, Progress, machine};
use crate::domain::id::{ExecutionId, PipelineKey};
use crate::domain::time::Timestamp;
use crate::engine::Engine;
use crate::engine::changes::Topic;
use crate::store::StoreError;

/// How far an execution is to have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Milestone {
    /// A step waits for somebody, or the execution is over: then none will.
    Waiting,
    /// The execution is over.
    Ended,
}

impl Milestone {
    /// Whether an execution has come so far.
    #[must_use]
    pub fn is_reached(self, execution: &Execution) -> bool {
        let waits = || execution.steps.iter().any(|step| matches!(step, StepState::Waiting { .. }));
        matches!(execution.progress, Progress::Ended { .. }) || self == Self::Waiting && waits()
    }
}

/// Why nobody waits any longer.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// There is no such execution.
    #[error("no such execution")]
    NoSuchExecution,
    /// The emulator stops.
    #[error("the emulator is shutting down")]
    Stopping,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Waits, for ever if need be, until an execution has come so far.
    pub async fn wait_for(
        &self,
        milestone: Milestone,
        pipeline: PipelineKey,
        id: ExecutionId,
    ) -> Result<Snapshot, WaitError> {
        let mut listener = self.listen([Topic::Executions(pipeline), Topic::Clock]);
        loop {
            let found = self.find_execution(pipeline, id).await?;
            let snapshot = found.ok_or(WaitError::NoSuchExecution)?;
            if milestone.is_reached(&snapshot.execution) {
                return Ok(snapshot);
            }
            tokio::select! {
                () = listener.changed() => {}
                () = self.sleep_until(machine::due_at(&snapshot.execution)) => {}
                () = self.wait_for_stop() => return Err(WaitError::Stopping),
            }
        }
    }

    /// Tells whatever runs, or waits in the name of a caller, to come to its end.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Whether everything is to come to its end.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Waits until everything is to come to its end.
    pub async fn wait_for_stop(&self) {
        // The sender lives as long as this.
        let _ = self.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }

    /// Waits, for ever if need be, until every delivery that is due has been tried.
    pub async fn wait_for_deliveries(&self) -> Result<(), WaitError> {
        let mut listener = self.listen([Topic::AnyDeliveries, Topic::Clock]);
        loop {
            if !self.has_due_deliveries().await? {
                return Ok(());
            }
            tokio::select! {
                () = listener.changed() => {}
                () = self.wait_for_stop() => return Err(WaitError::Stopping),
            }
        }
    }

    /// Whether a delivery is due that has not been tried.
    pub async fn has_due_deliveries(&self) -> Result<bool, StoreError> {
        let now = self.now();
        Ok(self.list_delivery_times().await?.values().any(|due| *due <= now))
    }

    /// Sleeps until it is `due`; a bounded real time if that is never or far away.
    pub async fn sleep_until(&self, due: Option<Timestamp>) {
        let sleep = due.and_then(|due| self.clock.real_time_until(due));
        tokio::time::sleep(sleep.map_or(LONGEST_SLEEP, |sleep| sleep.min(LONGEST_SLEEP))).await;
    }
}
