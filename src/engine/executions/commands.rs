//! Commands: load, bring up to now, decide, save with the events, in one transaction.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::save::{Change, Commit};
use crate::domain::execution::machine::{self, Command, Effects, Refusal};
use crate::domain::execution::plan::{Build, Code, DISABLE_BUILD_REUSE};
use crate::domain::execution::start::{self, Circumstances, NewExecution, Request, StartRefusal};
use crate::domain::execution::{Execution, Progress};
use crate::domain::id::{ExecutionId, PhaseId, PipelineKey, StepId};
use crate::domain::pipeline::Pipeline;
use crate::domain::program::Program;
use crate::domain::scenario::Scenario;
use crate::engine::{Engine, run_to_the_end};
use crate::seed::scenario::ScenarioDocument;
use crate::store::executions::{self, Inserted, Stored};
use crate::store::{StoreError, Transaction, builds, emulator, scenarios, variables};

/// Why no execution was started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no such pipeline.
    #[error("no such pipeline")]
    NoSuchPipeline,
    /// It has an execution that is not over.
    #[error("the pipeline is busy")]
    Busy,
    /// What was asked for is not possible.
    #[error("{0}")]
    Refused(StartRefusal),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a step was not advanced or cancelled.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// There is no such step.
    #[error("no such step")]
    NoSuchStep,
    /// The state machine refused.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Names a step of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepKey {
    /// The pipeline.
    pub pipeline: PipelineKey,
    /// The execution.
    pub execution_id: ExecutionId,
    /// The phase.
    pub phase_id: PhaseId,
    /// The step.
    pub step_id: StepId,
}

/// What is asked of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepCommand {
    /// Go on.
    Advance,
    /// Stop.
    Cancel,
}

impl fmt::Display for StepCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Advance => "advance",
            Self::Cancel => "cancel",
        })
    }
}

impl Engine {
    /// Starts an execution of a pipeline for `user`. The answer is the execution as it was
    /// created; whatever is due at once has already happened.
    pub async fn start(
        self: &Arc<Self>,
        pipeline: PipelineKey,
        request: Request,
        user: Option<String>,
    ) -> Result<Execution, StartError> {
        let engine = self.clone();
        run_to_the_end(async move { engine.do_start(pipeline, request, user).await }).await
    }

    async fn do_start(
        &self,
        key: PipelineKey,
        request: Request,
        user: Option<String>,
    ) -> Result<Execution, StartError> {
        let mut writer = self.database.writer().await;
        let now = self.clock.now();
        // No definition changes while this holds the right to write.
        let catalog = self.catalog();
        let program = catalog.find_program(key.program_id).ok_or(StartError::NoSuchPipeline)?;
        let pipeline = program.pipelines.get(&key.pipeline_id).ok_or(StartError::NoSuchPipeline)?;

        let mut tx = writer.begin().await?;
        let mut commit = Commit::default();
        let last = self.settle_last(&mut tx, key, now, &mut commit).await?;
        let (last, sequence) = last.map(|last| (last.execution, last.sequence)).unzip();
        if last.as_ref().is_some_and(|last| !matches!(last.progress, Progress::Ended { .. })) {
            return Err(StartError::Busy);
        }

        let scenario = match scenarios::take(&mut tx, key).await? {
            Some(stored) => read_scenario(&stored, program, pipeline)?,
            None => Scenario::default(),
        };
        let circumstances = Circumstances {
            program,
            pipeline,
            last: last.as_ref(),
            scenario: &scenario,
            pace: self.options.pace,
        };
        let mut planned = start::plan(request, circumstances).map_err(StartError::Refused)?;
        if let Some(build) = self.find_reusable_build(&mut tx, pipeline, &planned).await? {
            planned.plan.reuse(build, &scenario);
        }
        let id = emulator::take_execution_ids(&mut tx, 1, now).await?;
        let created = planned.create(id, pipeline, user, now);
        let mut execution = created.clone();
        let mut effects = Effects::default();
        machine::run_until(&mut execution, now, &mut effects);
        if executions::insert(&self.database, &mut tx, &execution, sequence).await?
            == Inserted::PipelineIsBusy
        {
            return Err(StartError::Busy);
        }
        let due = machine::due_at(&execution);
        self.save_effects(&mut tx, vec![Change { execution, effects }], &mut commit).await?;
        tx.commit().await.map_err(StoreError::from)?;
        self.tell_committed(&commit);
        self.schedule(due);
        Ok(created)
    }

    /// The build whose artifacts a new execution takes instead of building them again.
    async fn find_reusable_build(
        &self,
        tx: &mut Transaction<'_>,
        pipeline: &Pipeline,
        planned: &NewExecution,
    ) -> Result<Option<Build>, StoreError> {
        let Code { repository, commit: Some(commit), built_by: None, .. } = &planned.plan.code
        else {
            return Ok(None);
        };
        if !planned.plan.may_reuse() {
            return Ok(None);
        }
        let key = pipeline.key();
        if pipeline.variables.iter().any(|variable| variable.name == DISABLE_BUILD_REUSE) {
            let name = DISABLE_BUILD_REUSE;
            let value = variables::find_build_value(&self.database, tx, key, name).await?;
            if value.as_deref() == Some("true") {
                return Ok(None);
            }
        }
        builds::find(tx, key.program_id, repository, commit).await
    }

    /// Advances or cancels a step with the answer in `body`.
    pub async fn command_step(
        self: &Arc<Self>,
        key: StepKey,
        command: StepCommand,
        body: Value,
    ) -> Result<(), StepError> {
        let engine = self.clone();
        run_to_the_end(async move { engine.do_command_step(key, command, &body).await }).await
    }

    async fn do_command_step(
        &self,
        key: StepKey,
        command: StepCommand,
        body: &Value,
    ) -> Result<(), StepError> {
        let mut writer = self.database.writer().await;
        let now = self.clock.now();
        let mut tx = writer.begin().await?;
        let stored =
            executions::find_for_update(&self.database, &mut tx, key.pipeline, key.execution_id)
                .await?;
        let Stored { mut execution, .. } = stored.ok_or(StepError::NoSuchStep)?;
        let position =
            execution.find_step(key.phase_id, key.step_id).ok_or(StepError::NoSuchStep)?;

        let mut effects = Effects::default();
        machine::run_until(&mut execution, now, &mut effects);
        let command = match command {
            StepCommand::Advance => Command::Advance(body),
            StepCommand::Cancel => Command::Cancel(body),
        };
        // A refusal changes nothing, but what was overdue has happened all the same.
        let outcome = machine::apply(&mut execution, position, command, now, &mut effects);
        machine::run_until(&mut execution, now, &mut effects);
        let due = machine::due_at(&execution);
        let mut commit = Commit::default();
        self.save(&mut tx, vec![Change { execution, effects }], &mut commit).await?;
        emulator::see(&mut tx, now).await?;
        tx.commit().await.map_err(StoreError::from)?;
        self.tell_committed(&commit);
        self.schedule(due);
        outcome.map_err(StepError::Refused)
    }
}

/// The stored scenario; it was checked when it was stored, but the pipeline may have changed.
fn read_scenario(
    stored: &scenarios::StoredScenario,
    program: &Program,
    pipeline: &Pipeline,
) -> Result<Scenario, StoreError> {
    let steps = serde_json::from_value(stored.steps.clone())
        .map_err(|error| StoreError::Unreadable(error.to_string()))?;
    let document = ScenarioDocument { times: stored.times, steps };
    Ok(document.read(program, pipeline).unwrap_or_default())
}
