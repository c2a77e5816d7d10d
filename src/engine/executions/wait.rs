//! Waiting: for an execution, for deliveries, for a time, for the stop.

use super::read::Snapshot;
use super::scheduler::LONGEST_SLEEP;
use crate::domain::execution::step::StepState;
use crate::domain::execution::{Execution, Progress, machine};
use crate::domain::id::{ExecutionId, PipelineKey};
use crate::domain::time::Timestamp;
use crate::engine::Engine;
use crate::engine::changes::Topic;
use crate::store::StoreError;

/// What to wait for in an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Milestone {
    /// A step waits for a person. Also reached when the execution has ended, because then no step
    /// will ever wait.
    Waiting,
    /// The execution is over.
    Ended,
}

impl Milestone {
    /// Returns whether an execution has reached this.
    #[must_use]
    pub fn is_reached(self, execution: &Execution) -> bool {
        let waits = || execution.steps.iter().any(|step| matches!(step, StepState::Waiting { .. }));
        matches!(execution.progress, Progress::Ended { .. }) || self == Self::Waiting && waits()
    }
}

/// Why a wait ended without success.
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
    /// Waits without a limit until an execution has reached a milestone.
    pub async fn wait_for(
        &self,
        milestone: Milestone,
        pipeline: PipelineKey,
        id: ExecutionId,
    ) -> Result<Snapshot, WaitError> {
        // Setting the clock changes the time until the next change, so this also subscribes to it.
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

    /// Begins the stop: workers end, and requests that wait are answered.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Returns whether the emulator stops.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Waits until the emulator stops.
    pub async fn wait_for_stop(&self) {
        // This fails only if the sender is gone, and the engine owns the sender.
        let _ = self.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }

    /// Waits without a limit until no delivery is due. A failed one is due again later.
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

    /// Returns whether a delivery is due that has not been tried.
    pub async fn has_due_deliveries(&self) -> Result<bool, StoreError> {
        let now = self.now();
        Ok(self.list_delivery_times().await?.values().any(|due| *due <= now))
    }

    /// Sleeps until `due`, at most for `LONGEST_SLEEP`. Callers check again in a loop.
    pub async fn sleep_until(&self, due: Option<Timestamp>) {
        let sleep = due.and_then(|due| self.clock.real_time_until(due));
        tokio::time::sleep(sleep.map_or(LONGEST_SLEEP, |sleep| sleep.min(LONGEST_SLEEP))).await;
    }
}
