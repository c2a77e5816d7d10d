//! A past for a pipeline: executions that are over, older than all that it has.

use std::sync::Arc;

use super::{Engine, run_to_the_end};
use crate::domain::execution::machine::{self, Effects};
use crate::domain::execution::plan::{Extent, Plan};
use crate::domain::execution::start::NewExecution;
use crate::domain::execution::{Execution, ExecutionMode, Trigger};
use crate::domain::id::{ExecutionId, PipelineKey};
use crate::domain::pipeline::Pipeline;
use crate::domain::program::Program;
use crate::domain::scenario::Scenario;
use crate::domain::time::{Duration, Timestamp};
use crate::store::executions::{self, Stored};
use crate::store::{StoreError, emulator};

/// How long the pipeline rests between two executions.
const REST: Duration = Duration::from_mins(1);

/// Who is said to have started the executions.
const USER: &str = "history@techacct.adobe.com";

/// Why a pipeline got no past.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// There is no such pipeline.
    #[error("no such pipeline")]
    NoSuchPipeline,
    /// The first of them would be too long ago.
    #[error("the first of so many executions would begin before {}", Timestamp::MIN)]
    TooFar,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The identifiers of the executions of a new past.
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
        run_to_the_end(async move { engine.do_add_history(pipeline, count).await }).await
    }

    async fn do_add_history(&self, key: PipelineKey, count: u32) -> Result<History, HistoryError> {
        let mut first = None;
        let mut left = count;
        // From the newest to the oldest: sequence numbers never have a gap.
        while left > 0 {
            let mut writer = self.database.writer().await;
            let now = self.now();
            let catalog = self.catalog();
            let program = catalog.find_program(key.program_id);
            let program = program.ok_or(HistoryError::NoSuchPipeline)?;
            let pipeline = program.pipelines.get(&key.pipeline_id);
            let pipeline = pipeline.ok_or(HistoryError::NoSuchPipeline)?;
            let model = self.past_execution(program, pipeline, ExecutionId::new(0), now);
            let length = (model.updated_at() + REST).since(model.created_at);

            let mut tx = writer.begin().await?;
            let oldest = executions::find_oldest_for_update(&mut tx, key).await?;
            let (sequence, before) = oldest.unwrap_or((1, now));
            let batch = left.min(self.options.batch.get());
            let first_id = match first {
                Some(first) => first,
                None => *first.insert(emulator::take_execution_ids(&mut tx, count, now).await?),
            };
            let begin = |executions: u32| {
                before.as_millis() - length.as_millis().saturating_mul(i64::from(executions))
            };
            if begin(left) < Timestamp::MIN.as_millis() {
                return Err(HistoryError::TooFar);
            }
            let id = ExecutionId::new(first_id.number() + i64::from(left - batch));
            let begin = Timestamp::from_millis(begin(batch));
            let execution = self.past_execution(program, pipeline, id, begin);
            let oldest = Stored { execution, sequence: sequence - i64::from(batch) };
            executions::insert_copies(&self.database, &mut tx, &oldest, length, batch).await?;
            emulator::see(&mut tx, now).await?;
            tx.commit().await.map_err(StoreError::from)?;
            self.epochs.end(key);
            left -= batch;
        }
        let first = first.unwrap_or(ExecutionId::new(0));
        Ok(History { first, last: ExecutionId::new(first.number() + i64::from(count) - 1) })
    }

    /// An execution that went well.
    fn past_execution(
        &self,
        program: &Program,
        pipeline: &Pipeline,
        id: ExecutionId,
        created_at: Timestamp,
    ) -> Execution {
        let mode = ExecutionMode::Normal;
        let extent = Extent::Whole(mode);
        let mut plan =
            Plan::new(program, pipeline, &extent, &Scenario::default(), self.options.pace);
        // Whatever is missing now was there then.
        plan.problems.clear();
        let execution = NewExecution { trigger: Trigger::Manual, mode, source: None, plan };
        let mut execution = execution.create(id, pipeline, Some(USER.into()), created_at);
        machine::run_to_the_end(&mut execution, &mut Effects::default());
        execution
    }
}
