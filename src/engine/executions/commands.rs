//! Commands. In one transaction, a command loads the execution, applies overdue changes, makes its
//! own change, and saves the execution with its events.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::save::Changed;
use crate::domain::execution::machine::{self, Effects, Refusal, StepRequest};
use crate::domain::execution::plan::{Code, DISABLE_BUILD_REUSE, KnownBuild};
use crate::domain::execution::start::{
    self, NewExecution, StartContext, StartRefusal, StartRequest,
};
use crate::domain::execution::{Execution, Progress, Trigger, rollback};
use crate::domain::id::{PipelineKey, StepKey};
use crate::domain::pipeline::Pipeline;
use crate::domain::program::Program;
use crate::domain::scenario::Scenario;
use crate::domain::scenario_document::ScenarioDocument;
use crate::engine::Engine;
use crate::engine::changes::Change;
use crate::engine::write::Write;
use crate::store::definitions::{scenarios, variables};
use crate::store::executions::{self, Inserted, Stored};
use crate::store::{StoreError, builds, successes};

/// Why no execution was started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no such pipeline.
    #[error("no such pipeline")]
    NoSuchPipeline,
    /// The pipeline has an unfinished execution.
    #[error("the pipeline is busy")]
    Busy,
    /// What was asked for is not possible.
    #[error("{0}")]
    Refused(StartRefusal),
    /// The pipeline was changed, and its scenario no longer fits.
    #[error("the scenario of the pipeline no longer fits it: {0}")]
    Scenario(String),
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

/// What is asked of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepCommand {
    /// Answer the waiting step, so that it continues.
    Advance,
    /// Cancel the step, or reject what it asks for.
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
    /// Starts an execution of a pipeline for `user`. Returns it as it was created; the stored
    /// execution already includes changes that were due immediately.
    pub async fn start(
        self: &Arc<Self>,
        pipeline: PipelineKey,
        request: StartRequest,
        user: Option<String>,
    ) -> Result<Execution, StartError> {
        self.write(move |write| start(write, pipeline, request, user)).await
    }

    /// Advances or cancels a step with the answer in `body`.
    pub async fn command_step(
        self: &Arc<Self>,
        key: StepKey,
        command: StepCommand,
        body: Value,
    ) -> Result<(), StepError> {
        self.write(move |write| async move { command_step(write, key, command, &body).await }).await
    }
}

async fn start(
    mut write: Write,
    key: PipelineKey,
    request: StartRequest,
    user: Option<String>,
) -> Result<Execution, StartError> {
    let catalog = write.catalog.clone();
    let program = catalog.find_program(key.program_id).ok_or(StartError::NoSuchPipeline)?;
    let pipeline = program.pipelines.get(&key.pipeline_id).ok_or(StartError::NoSuchPipeline)?;
    let last = write.settle_last(key).await?;
    let (last, sequence) = last.map(|last| (last.execution, last.sequence)).unzip();
    if last.as_ref().is_some_and(|last| !matches!(last.progress, Progress::Ended { .. })) {
        return Err(StartError::Busy);
    }

    let scenario = match scenarios::take(&mut write.tx, key).await? {
        Some(stored) => {
            if stored.times.is_some() {
                write.changes.add(Change::Pipeline(key));
            }
            read_scenario(&stored, program, pipeline)?
        }
        None => Scenario::default(),
    };
    let source = find_source(&mut write, request, pipeline, last.as_ref()).await?;
    let circumstances = StartContext {
        program,
        pipeline,
        last: last.as_ref(),
        source: source.as_ref(),
        scenario: &scenario,
        pace: write.engine.options.pace,
    };
    let mut planned = start::plan(request, circumstances).map_err(StartError::Refused)?;
    if planned.source.is_none() {
        write.decide_outputs(&mut planned.plan.code, pipeline).await?;
    }
    if let Some(build) = find_reusable_build(&mut write, pipeline, &planned).await? {
        planned.plan.reuse(build, &scenario);
    }
    let id = write.take_execution_ids(1).await?;
    let mut created = planned.create(id, pipeline, user, write.now);
    write.decide_deployments(&mut created).await?;
    let mut execution = created.clone();
    let mut effects = Effects::default();
    machine::run_until(&mut execution, write.now, &mut effects);
    let database = &write.engine.database;
    // The check above looks at the last execution only; the unique index covers all of them.
    if executions::insert(database, &mut write.tx, &execution, sequence).await?
        == Inserted::PipelineIsBusy
    {
        return Err(StartError::Busy);
    }
    let (before, now) = (Some(created.clone()), write.now);
    write.save_effects(vec![Changed { execution, effects, before }], now).await?;
    write.commit().await?;
    Ok(created)
}

/// Returns the execution whose artifacts a rollback deploys, or that an update is based on.
async fn find_source(
    write: &mut Write,
    request: StartRequest,
    pipeline: &Pipeline,
    last: Option<&Execution>,
) -> Result<Option<Execution>, StartError> {
    let key = pipeline.key();
    let id = match request {
        StartRequest::Whole(..) | StartRequest::ReExecute { .. } => return Ok(None),
        StartRequest::RollBack => {
            let successes = successes::find(&mut write.tx, key).await?;
            rollback::target(pipeline.kind(), last, successes.as_ref())
                .map_err(|reason| StartError::Refused(StartRefusal::NoRollback(reason)))?
        }
        StartRequest::PushUpdate => match successes::find(&mut write.tx, key).await? {
            None => return Ok(None),
            Some(successes) => successes.last,
        },
    };
    let database = &write.engine.database;
    let found = executions::find(database, &mut write.tx, key, id).await?;
    Ok(found.map(|found| found.execution))
}

/// Returns the build whose artifacts a new execution reuses, if there is one.
async fn find_reusable_build(
    write: &mut Write,
    pipeline: &Pipeline,
    planned: &NewExecution,
) -> Result<Option<KnownBuild>, StoreError> {
    let code @ Code { commit: Some(_), built_by: None, .. } = &planned.plan.code else {
        return Ok(None);
    };
    // An update by Adobe always builds new artifacts, although the commit stays the same.
    if !planned.plan.may_reuse() || planned.trigger == Trigger::PushUpgrades {
        return Ok(None);
    }
    let key = pipeline.key();
    if pipeline.variables.iter().any(|variable| variable.name == DISABLE_BUILD_REUSE) {
        let (database, name) = (&write.engine.database, DISABLE_BUILD_REUSE);
        let value = variables::find_build_value(database, &mut write.tx, key, name).await?;
        if value.as_deref() == Some("true") {
            return Ok(None);
        }
    }
    builds::find(&mut write.tx, key.program_id, code).await
}

async fn command_step(
    mut write: Write,
    key: StepKey,
    command: StepCommand,
    body: &Value,
) -> Result<(), StepError> {
    let StepKey { pipeline, execution_id, phase_id, step_id } = key;
    let (database, now) = (&write.engine.database, write.now);
    let stored = executions::find(database, &mut write.tx, pipeline, execution_id).await?;
    let Stored { mut execution, .. } = stored.ok_or(StepError::NoSuchStep)?;
    let position = execution.find_step(phase_id, step_id).ok_or(StepError::NoSuchStep)?;

    let mut effects = Effects::default();
    machine::run_until(&mut execution, now, &mut effects);
    let command = match command {
        StepCommand::Advance => StepRequest::Advance(body),
        StepCommand::Cancel => StepRequest::Cancel(body),
    };
    // A refused command changes nothing, but the overdue changes must be saved anyway. So the
    // refusal is returned only after the commit.
    let before = Some(execution.clone());
    let outcome = machine::apply(&mut execution, position, command, now, &mut effects);
    machine::run_until(&mut execution, now, &mut effects);
    write.save(vec![Changed { execution, effects, before }], now).await?;
    write.commit().await?;
    outcome.map_err(StepError::Refused)
}

/// Reads a stored scenario. This can fail: it fitted the pipeline when it was stored, but the
/// pipeline may have changed since then.
fn read_scenario(
    document: &ScenarioDocument,
    program: &Program,
    pipeline: &Pipeline,
) -> Result<Scenario, StartError> {
    document
        .read_stored(program, pipeline)
        .map_err(|wrong| StartError::Scenario(wrong.to_string().replace('\n', "; ")))
}
