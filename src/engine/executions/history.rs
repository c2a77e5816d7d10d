//! Adding history: finished executions that are older than all others of a pipeline.

use std::sync::Arc;

use crate::content::deployment;
use crate::domain::execution::machine::{self, Effects};
use crate::domain::execution::plan::{Extent, Plan};
use crate::domain::execution::start::NewExecution;
use crate::domain::execution::{Execution, ExecutionMode, Trigger};
use crate::domain::id::{ExecutionId, PipelineKey};
use crate::domain::pace::Pace;
use crate::domain::pipeline::Pipeline;
use crate::domain::program::Program;
use crate::domain::scenario::{Outcome, Scenario};
use crate::domain::time::{Duration, Timestamp};
use crate::engine::changes::Change;
use crate::engine::write::Write;
use crate::engine::{Engine, run_to_the_end};
use crate::store::StoreError;
use crate::store::executions::{self, Stored};

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
    /// The first of them would be too long ago.
    #[error("the oldest of these executions would start before {}", Timestamp::MIN)]
    TooFar,
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
    /// Gives a pipeline `count` (at least one) finished executions before all that it has.
    pub async fn add_history(
        self: &Arc<Self>,
        pipeline: PipelineKey,
        count: u32,
    ) -> Result<History, HistoryError> {
        let engine = self.clone();
        run_to_the_end(self, async move { engine.do_add_history(pipeline, count).await }).await
    }

    async fn do_add_history(
        self: &Arc<Self>,
        key: PipelineKey,
        count: u32,
    ) -> Result<History, HistoryError> {
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
                None => *first.insert(write.take_execution_ids(count).await?),
            };
            let batch = left.min(self.options.batch.get());
            write.add_past(key, first, left, batch).await?;
            write.commit().await?;
            left -= batch;
        }
        let first = first.unwrap_or(ExecutionId::new(0));
        Ok(History { first, last: ExecutionId::new(first.number() + i64::from(count) - 1) })
    }
}

impl Write {
    /// Adds the newest `batch` of the `left` executions whose identifiers begin with `first`.
    async fn add_past(
        &mut self,
        key: PipelineKey,
        first: ExecutionId,
        left: u32,
        batch: u32,
    ) -> Result<(), HistoryError> {
        let catalog = self.catalog.clone();
        let program = catalog.find_program(key.program_id).ok_or(HistoryError::NoSuchPipeline)?;
        let pipeline = program.pipelines.get(&key.pipeline_id);
        let pipeline = pipeline.ok_or(HistoryError::NoSuchPipeline)?;
        let pace = self.engine.options.pace;
        let mut plan = past_plan(program, pipeline, pace);
        self.describe_outputs(&mut plan.code).await?;
        let execution_at = |id, at| past_execution(plan.clone(), pipeline, id, at);
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
        self.changes.add(Change::Pipeline(key));
        Ok(())
    }
}

/// Returns the plan of an execution that succeeded in the past.
fn past_plan(program: &Program, pipeline: &Pipeline, pace: Pace) -> Plan {
    let extent = Extent::Whole(ExecutionMode::Normal);
    let mut plan = Plan::new(program, pipeline, &extent, &Scenario::default(), pace);
    // An environment or branch that is missing now may have been there then.
    plan.problems.clear();
    plan
}

/// Returns an execution with this plan that succeeded in the past.
fn past_execution(
    plan: Plan,
    pipeline: &Pipeline,
    id: ExecutionId,
    created_at: Timestamp,
) -> Execution {
    let create = |plan| {
        let (trigger, mode) = (Trigger::Manual, ExecutionMode::Normal);
        let execution = NewExecution { trigger, mode, source: None, plan };
        let mut execution = execution.create(id, pipeline, Some(USER.into()), created_at);
        deployment::foresee(&mut execution, |_| Vec::new());
        execution
    };
    let mut execution = create(plan.clone());
    let fails = |execution: &Execution| {
        execution.plan.steps.iter().any(|step| step.outcome != Outcome::Finished)
    };
    if fails(&execution) {
        // What builds leave now can't be deployed, so those of the past left something else.
        let mut plan = plan;
        plan.code.outputs = None;
        execution = create(plan);
    }
    machine::run_to_the_end(&mut execution, &mut Effects::default());
    execution
}
