//! Adding history: finished executions that are older than all others of a pipeline.

use std::sync::Arc;

use crate::content::deployment;
use crate::domain::execution::machine::{self, Effects};
use crate::domain::execution::plan::{Code, Extent, KnownBuild, Plan};
use crate::domain::execution::start::{ADOBE, NewExecution};
use crate::domain::execution::{Execution, ExecutionMode, Trigger, artifacts_version};
use crate::domain::id::{ExecutionId, PipelineKey};
use crate::domain::pace::Pace;
use crate::domain::pipeline::{Pipeline, PipelineKind};
use crate::domain::program::Program;
use crate::domain::scenario::{Outcome, Scenario};
use crate::domain::time::{Duration, Timestamp};
use crate::engine::changes::Change;
use crate::engine::write::Write;
use crate::engine::{Engine, run_to_the_end};
use crate::store::executions::{self, Stored};
use crate::store::{StoreError, successes};

/// How much time lies between two executions.
const REST: Duration = Duration::from_mins(1);

/// The user of the executions.
const USER: &str = "history@techacct.adobe.com";

/// Why no history was added.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// There is no such pipeline.
    #[error("no such pipeline")]
    NoSuchPipeline,
    /// The oldest execution would start before the earliest possible time.
    #[error("the oldest of these executions would start before {}", Timestamp::MIN)]
    TooFar,
    /// The pipeline does not deploy to production, so nothing is re-executed or rolled back.
    #[error("only a production pipeline has executions with the trigger {0}")]
    NotAProductionPipeline(Trigger),
    /// Everything was replaced while they were made.
    #[error("the state was reset or replaced in the meantime")]
    Replaced,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The identifiers of the executions that were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History {
    /// Of the oldest.
    pub first: ExecutionId,
    /// Of the newest.
    pub last: ExecutionId,
}

impl Engine {
    /// Adds `count` (at least one) finished executions to a pipeline, older than its existing ones.
    pub async fn add_history(
        self: &Arc<Self>,
        pipeline: PipelineKey,
        count: u32,
        trigger: Trigger,
    ) -> Result<History, HistoryError> {
        let engine = self.clone();
        let made = async move { engine.do_add_history(pipeline, count, trigger).await };
        run_to_the_end(self, made).await
    }

    async fn do_add_history(
        self: &Arc<Self>,
        key: PipelineKey,
        count: u32,
        trigger: Trigger,
    ) -> Result<History, HistoryError> {
        let copies = matches!(trigger, Trigger::ReExecute | Trigger::Rollback);
        let mut first = None;
        let mut left = count;
        let generation = self.world.generation();
        // The newest batch first, each next one before it: so sequence numbers never have a gap,
        // not even between two batches, when others read.
        while left > 0 {
            let mut write = Write::begin(self).await?;
            // The identifiers were taken in the state before the replacement, and may be in use in
            // the new one.
            if self.world.generation() != generation {
                return Err(HistoryError::Replaced);
            }
            let first = match first {
                Some(first) => first,
                None => *first.insert(write.take_past_ids(count, copies).await?),
            };
            let batch = left.min(self.options.batch.get());
            write.add_past(key, trigger, first, left, batch, left == count).await?;
            write.commit().await?;
            left -= batch;
        }
        let first = first.unwrap_or(ExecutionId::new(0));
        Ok(History { first, last: ExecutionId::new(first.number() + i64::from(count) - 1) })
    }
}

impl Write {
    /// Returns the first of `count` identifiers. With `copies` the one before it is the source of
    /// the artifacts, an execution that no longer exists.
    async fn take_past_ids(&mut self, count: u32, copies: bool) -> Result<ExecutionId, StoreError> {
        let first = self.take_execution_ids(count + u32::from(copies)).await?;
        Ok(ExecutionId::new(first.number() + i64::from(copies)))
    }

    /// Adds the newest `batch` of the `left` executions whose identifiers begin with `first`. The
    /// first batch holds the newest deployments, which environments remember.
    async fn add_past(
        &mut self,
        key: PipelineKey,
        trigger: Trigger,
        first: ExecutionId,
        left: u32,
        batch: u32,
        is_first: bool,
    ) -> Result<(), HistoryError> {
        let catalog = self.catalog.clone();
        let program = catalog.find_program(key.program_id).ok_or(HistoryError::NoSuchPipeline)?;
        let pipeline = program.pipelines.get(&key.pipeline_id);
        let pipeline = pipeline.ok_or(HistoryError::NoSuchPipeline)?;
        let pace = self.engine.options.pace;
        let source = ExecutionId::new(first.number() - 1);
        let mut past = plan_past(program, pipeline, pace, trigger, source)?;
        self.describe_outputs(&mut past.plan.code).await?;
        let execution_at = |id, at| past_execution(past.clone(), pipeline, id, at);
        let model = execution_at(ExecutionId::new(0), self.now);
        let length = (model.updated_at() + REST).since(model.created_at);

        let oldest = executions::find_oldest_for_update(&mut self.tx, key).await?;
        let (sequence, before) = oldest.unwrap_or((1, self.now));
        let begin = |executions: u32| {
            before.as_millis() - length.as_millis().saturating_mul(i64::from(executions))
        };
        if begin(left) < Timestamp::MIN.as_millis() {
            return Err(HistoryError::TooFar);
        }
        let id = ExecutionId::new(first.number() + i64::from(left - batch));
        let execution = execution_at(id, Timestamp::from_millis(begin(batch)));
        let oldest = Stored { execution, sequence: sequence - i64::from(batch) };
        let database = &self.engine.database;
        executions::insert_copies(database, &mut self.tx, &oldest, length, batch).await?;
        if is_first {
            let newest = ExecutionId::new(first.number() + i64::from(left) - 1);
            let newest = execution_at(newest, Timestamp::from_millis(begin(1)));
            self.remember_past(&newest).await?;
        }
        self.record_past_successes(&oldest.execution, batch).await?;
        self.changes.add(Change::Pipeline(key));
        Ok(())
    }

    /// Records the newest two of a batch as successes. Older ones are never needed: a rollback uses
    /// only the newest success and the newest one with other artifacts.
    async fn record_past_successes(
        &mut self,
        oldest: &Execution,
        batch: u32,
    ) -> Result<(), StoreError> {
        for position in (0..batch).rev().take(2) {
            let id = ExecutionId::new(oldest.id.number() + i64::from(position));
            let built_by =
                oldest.plan.code.built_by.as_ref().map_or(id, |build| build.execution_id);
            successes::record_past(&mut self.tx, oldest.pipeline, id, built_by).await?;
        }
        Ok(())
    }
}

/// Plans an execution in the past; one that copies artifacts takes those of `source`.
fn plan_past(
    program: &Program,
    pipeline: &Pipeline,
    pace: Pace,
    trigger: Trigger,
    source: ExecutionId,
) -> Result<NewExecution, HistoryError> {
    let mode = ExecutionMode::Normal;
    let plan_to = |extent| Plan::new(program, pipeline, &extent, &Scenario::default(), pace);
    let mut plan = plan_to(Extent::Whole(mode));
    let copies = matches!(trigger, Trigger::ReExecute | Trigger::Rollback);
    if copies && pipeline.kind() != PipelineKind::Production {
        return Err(HistoryError::NotAProductionPipeline(trigger));
    }
    if copies {
        // All batches need the same version, so it has a time that does not change meanwhile.
        let version = artifacts_version(source, pipeline.created_at);
        let built_by = KnownBuild { execution_id: source, version };
        let code = Code { built_by: Some(built_by), ..plan.code };
        plan = plan_to(Extent::ProductionDeployment(code));
    }
    // An environment or branch that is missing now may have been there then.
    plan.problems.clear();
    Ok(NewExecution { trigger, mode, source: copies.then_some(source), plan })
}

/// Returns an execution that succeeded in the past.
fn past_execution(
    past: NewExecution,
    pipeline: &Pipeline,
    id: ExecutionId,
    created_at: Timestamp,
) -> Execution {
    let user = match past.trigger {
        Trigger::OnCommit => None,
        Trigger::PushUpgrades => Some(ADOBE.into()),
        Trigger::Manual | Trigger::ReExecute | Trigger::Rollback => Some(USER.into()),
    };
    let create = |past: NewExecution| {
        let mut execution = past.create(id, pipeline, user.clone(), created_at);
        // What was on the instances then is not known.
        deployment::decide_deployments(&mut execution, |_| Vec::new());
        execution
    };
    let mut execution = create(past.clone());
    let mut steps = execution.plan.steps.iter();
    if steps.any(|step| step.outcome != Outcome::Finished) {
        // The current outputs of builds can't be deployed, so the past execution gets the default
        // outputs instead: it must have succeeded.
        let mut past = past;
        past.plan.code.outputs = None;
        execution = create(past);
    }
    machine::run_to_the_end(&mut execution, &mut Effects::default());
    execution
}
