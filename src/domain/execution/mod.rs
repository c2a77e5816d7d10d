//! Executions: a plan that never changes, and the progress through it.

pub mod answer;
pub mod links;
pub mod machine;
pub mod plan;
pub mod rollback;
mod sound;
pub mod start;
pub mod status;
pub mod step;

use std::sync::Arc;

use super::environment::EnvironmentType;
use super::gate::Metric;
use super::id::{ExecutionId, PhaseId, PipelineKey, StepId};
use super::pipeline::Action;
use super::scenario::Outcome;
use super::time::{Duration, Timestamp};
use crate::domain::word::words;
use plan::{Code, KnownBuild, Plan, PlannedStep};
use step::StepState;

words! {
    /// In which mode an execution runs.
    pub enum ExecutionMode {
        /// With all steps.
        Normal = "NORMAL",
        /// Without the security and performance tests.
        Emergency = "EMERGENCY",
    }
}

words! {
    /// What started an execution.
    pub enum Trigger {
        /// Somebody started it.
        Manual = "MANUAL",
        /// A commit.
        OnCommit = "ON_COMMIT",
        /// An update pushed by Adobe.
        PushUpgrades = "PUSH_UPGRADES",
        /// Somebody re-executed a production deployment.
        ReExecute = "RE_EXECUTE",
        /// Somebody rolled a deployment back.
        Rollback = "ROLLBACK",
    }
}

words! {
    /// How an execution or a step ended.
    pub enum End {
        /// Successfully.
        Finished = "FINISHED",
        /// With an error on the customer's side.
        Failed = "FAILED",
        /// With an error on Cloud Manager's side.
        Error = "ERROR",
        /// It was cancelled, or nobody answered in time.
        Cancelled = "CANCELLED",
    }
}

words! {
    /// The status of an execution, as the API names it.
    pub enum ExecutionStatus {
        /// Created.
        NotStarted = "NOT_STARTED",
        /// Running, or waiting for somebody.
        Running = "RUNNING",
        /// A running step was cancelled; it is being stopped.
        Cancelling = "CANCELLING",
        /// Over: stopped by somebody, or nobody answered.
        Cancelled = "CANCELLED",
        /// Over: all steps finished.
        Finished = "FINISHED",
        /// Over by a fault on the system's side.
        Error = "ERROR",
        /// Over by a fault on the customer's side.
        Failed = "FAILED",
    }
}

/// How far an execution has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Created.
    NotStarted,
    /// Running since its creation.
    Running,
    /// Being stopped.
    Cancelling {
        /// When that began.
        since: Timestamp,
        /// When it will be over.
        until: Timestamp,
    },
    /// Over.
    Ended {
        /// How.
        end: End,
        /// When.
        at: Timestamp,
    },
}

/// An execution of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    /// Identifier.
    pub id: ExecutionId,
    /// The pipeline that it executes.
    pub pipeline: PipelineKey,
    /// What it is going to do.
    pub plan: Arc<Plan>,
    /// What began it.
    pub trigger: Trigger,
    /// In which mode.
    pub mode: ExecutionMode,
    /// Who started it; nobody for commits.
    pub user: Option<String>,
    /// The execution whose artifacts it copies, for re-executions and rollbacks.
    pub source: Option<ExecutionId>,
    /// When it was created.
    pub created_at: Timestamp,
    /// How far it has come.
    pub progress: Progress,
    /// How far its steps have come, in the plan's order.
    pub steps: Vec<StepState>,
}

impl Execution {
    /// Returns its status.
    #[must_use]
    pub fn status(&self) -> ExecutionStatus {
        match self.progress {
            Progress::NotStarted => ExecutionStatus::NotStarted,
            Progress::Running => ExecutionStatus::Running,
            Progress::Cancelling { .. } => ExecutionStatus::Cancelling,
            Progress::Ended { end: End::Finished, .. } => ExecutionStatus::Finished,
            Progress::Ended { end: End::Failed, .. } => ExecutionStatus::Failed,
            Progress::Ended { end: End::Error, .. } => ExecutionStatus::Error,
            Progress::Ended { end: End::Cancelled, .. } => ExecutionStatus::Cancelled,
        }
    }

    /// Returns when its status last changed.
    #[must_use]
    pub fn updated_at(&self) -> Timestamp {
        match self.progress {
            Progress::NotStarted | Progress::Running => self.created_at,
            Progress::Cancelling { since, .. } => since,
            Progress::Ended { at, .. } => at,
        }
    }

    /// Returns when it ended, if it has.
    #[must_use]
    pub fn finished_at(&self) -> Option<Timestamp> {
        match self.progress {
            Progress::Ended { at, .. } => Some(at),
            _ => None,
        }
    }

    /// Returns the position of the step that runs or waits, or will run next; none once it is over.
    #[must_use]
    pub fn current_step(&self) -> Option<usize> {
        match self.progress {
            Progress::NotStarted | Progress::Running => {
                self.steps.iter().position(|step| !matches!(step, StepState::Ended { .. }))
            }
            Progress::Cancelling { .. } | Progress::Ended { .. } => None,
        }
    }

    /// Returns the end of the current pause (before a step or before the end), if there is one.
    #[must_use]
    pub fn pause_until(&self) -> Option<Timestamp> {
        if self.progress != Progress::Running {
            return None;
        }
        let begun = self.steps.iter().take_while(|step| **step != StepState::NotStarted).count();
        let since = match begun.checked_sub(1) {
            None => self.created_at,
            Some(last) => self.steps[last].finished_at()?,
        };
        Some(since + self.plan.pause_before(begun))
    }

    /// Returns the position of the step with these identifiers.
    #[must_use]
    pub fn find_step(&self, phase_id: PhaseId, step_id: StepId) -> Option<usize> {
        self.plan.steps.iter().position(|step| step.id == step_id && step.phase_id == phase_id)
    }

    /// Returns a step's plan and state, by its position.
    #[must_use]
    pub fn step(&self, position: usize) -> Option<(&PlannedStep, &StepState)> {
        self.plan.steps.get(position).zip(self.steps.get(position))
    }

    /// Returns the production deployment, if the execution has one.
    #[must_use]
    pub fn production_deployment(&self) -> Option<(&PlannedStep, &StepState)> {
        self.plan.steps.iter().zip(&self.steps).find(|(step, _)| step.is_production_deployment())
    }

    /// Returns the execution that built the artifacts that it deploys: itself, or an earlier one.
    #[must_use]
    pub fn built_by(&self) -> ExecutionId {
        self.plan.code.built_by.as_ref().map_or(self.id, |build| build.execution_id)
    }

    /// Returns the code for another execution that copies the artifacts of this one. If this one
    /// copied them too, their source is still the original build.
    #[must_use]
    pub fn code_to_copy(&self) -> Code {
        let mut code = self.plan.code.clone();
        code.built_by.get_or_insert_with(|| KnownBuild {
            execution_id: self.id,
            version: self.artifacts_version(),
        });
        code
    }

    /// Returns the gate metrics of the step at a position. Empty if its work is not done, if it was
    /// interrupted, or if it has no gate.
    #[must_use]
    pub fn gate_metrics(&self, position: usize) -> Vec<Metric> {
        let Some((step, state)) = self.step(position) else { return Vec::new() };
        let judged = match state {
            StepState::NotStarted | StepState::Running { .. } => false,
            StepState::Waiting { .. } => true,
            StepState::Ended { end, .. } => matches!(end, End::Finished | End::Failed),
        };
        if judged { self.plan.metrics(step) } else { Vec::new() }
    }

    /// Returns whether important failures of the gate of the step at a position have been
    /// overridden: the step finished in spite of them.
    #[must_use]
    pub fn is_overridden(&self, position: usize) -> bool {
        matches!(self.steps.get(position), Some(StepState::Ended { end: End::Finished, .. }))
    }

    /// Returns the number that makes the identifier of the step state at a position, new in each
    /// execution.
    #[must_use]
    pub fn step_state_id(&self, position: usize) -> i64 {
        let position = i64::try_from(position).unwrap_or(i64::MAX);
        self.id.number().saturating_mul(100).saturating_add(position)
    }

    /// Returns the version of its artifacts: creation time without a leading zero on the month, and
    /// id.
    #[must_use]
    pub fn artifacts_version(&self) -> String {
        artifacts_version(self.id, self.created_at)
    }
}

/// Returns the version of the artifacts of an execution that was created at that time.
#[must_use]
pub fn artifacts_version(id: ExecutionId, created_at: Timestamp) -> String {
    let time = created_at.strftime("%Y.%-m%d.%H%M%S");
    format!("{time}.{:010}", id.number())
}

impl PlannedStep {
    /// Returns whether this is the deployment to production.
    #[must_use]
    pub fn is_production_deployment(&self) -> bool {
        self.action == Action::Deploy && self.environment_type() == Some(EnvironmentType::Prod)
    }

    /// Returns the type of the environment, for steps of a deploy phase.
    #[must_use]
    pub fn environment_type(&self) -> Option<EnvironmentType> {
        self.target.as_ref().map(|target| target.environment_type)
    }

    /// Returns when so many thousandths of its work are done; never while it is paused before them.
    #[must_use]
    pub fn done_at(&self, state: &StepState, thousandths: i64) -> Option<Timestamp> {
        let share = |thousandths: i64| {
            Duration::from_millis(self.duration.as_millis().saturating_mul(thousandths) / 1000)
        };
        let started_at = state.started_at()?;
        if self.outcome == Outcome::Paused && thousandths > 500 {
            return Some(state.resumed_at()? + share(thousandths - 500));
        }
        Some(started_at + share(thousandths))
    }
}
