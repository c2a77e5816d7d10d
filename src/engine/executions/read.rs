//! Reading executions as they are now, even where the scheduler has not handled what is due yet.

use crate::domain::execution::machine::{self, Effects};
use crate::domain::execution::{Execution, ExecutionStatus, Progress, rollback};
use crate::domain::id::{ExecutionId, PipelineId, PipelineKey, ProgramId};
use crate::domain::program::Program;
use crate::domain::scenario_document::ScenarioDocument;
use crate::domain::time::Timestamp;
use crate::engine::Engine;
use crate::store::StoreError;
use crate::store::definitions::scenarios;
use crate::store::executions::{self, Listed, Stored};
use crate::store::successes;

/// An execution at one instant.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The execution.
    pub execution: Execution,
    /// Whether the pipeline has no later one.
    pub is_last: bool,
    /// The instant.
    pub now: Timestamp,
}

/// A page of a pipeline's executions, newest first.
#[derive(Clone, Debug)]
pub struct ExecutionPage {
    /// The executions.
    pub executions: Vec<Snapshot>,
    /// How many the pipeline has.
    pub total: u64,
}

/// The state of a pipeline, derived from its newest executions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Whether an execution is not over.
    pub busy: bool,
    /// When the newest execution was created.
    pub last_started_at: Option<Timestamp>,
    /// When the newest execution that is over ended.
    pub last_finished_at: Option<Timestamp>,
    /// Whether the pipeline can be rolled back.
    pub can_roll_back: bool,
}

/// Returns the execution as it is at `now`. A read must not show a step as running that ended a
/// moment ago, only because the scheduler is late.
fn bring_to(now: Timestamp, mut execution: Execution) -> Execution {
    // Nothing is saved here: the next write computes the same changes again, at the same times.
    machine::run_until(&mut execution, now, &mut Effects::default());
    execution
}

impl Engine {
    /// Returns an execution of a pipeline.
    pub async fn find_execution(
        &self,
        pipeline: PipelineKey,
        id: ExecutionId,
    ) -> Result<Option<Snapshot>, StoreError> {
        let _world = self.world.read().await;
        let (database, now) = (&self.database, self.now());
        let Some(Stored { execution, sequence }) =
            executions::find(database, &mut *database.reader().await?, pipeline, id).await?
        else {
            return Ok(None);
        };
        // No transaction is needed here: at worst a later execution starts in between, and then
        // this one is no longer the last.
        let bounds = executions::find_bounds(&self.database, pipeline).await?;
        let is_last = bounds.is_none_or(|(_, last)| last == sequence);
        Ok(Some(Snapshot { execution: bring_to(now, execution), is_last, now }))
    }

    /// Returns the unfinished execution of a pipeline, if it has one.
    pub async fn find_current_execution(
        &self,
        pipeline: PipelineKey,
    ) -> Result<Option<Snapshot>, StoreError> {
        let _world = self.world.read().await;
        let (database, now) = (&self.database, self.now());
        let Some(Stored { execution, .. }) =
            executions::find_last(database, &mut *database.reader().await?, pipeline).await?
        else {
            return Ok(None);
        };
        let execution = bring_to(now, execution);
        let is_over = matches!(execution.progress, Progress::Ended { .. });
        Ok((!is_over).then_some(Snapshot { execution, is_last: true, now }))
    }

    /// Returns the executions of a list that can be read. Health reports the others.
    fn readable(&self, listed: Listed) -> Vec<Stored> {
        self.problems.note_invalid(listed.invalid);
        listed.readable
    }

    /// Returns the executions of a pipeline, newest first: skips `start` and returns at most
    /// `limit`. Executions that can't be read are left out, here and below, but counted in `total`.
    pub async fn list_executions(
        &self,
        pipeline: PipelineKey,
        start: u64,
        limit: u32,
    ) -> Result<ExecutionPage, StoreError> {
        let _world = self.world.read().await;
        let now = self.now();
        let Some((first, last)) = executions::find_bounds(&self.database, pipeline).await? else {
            return Ok(ExecutionPage { executions: Vec::new(), total: 0 });
        };
        // Sequence numbers have no gaps: counting and skipping are arithmetic, not a scan.
        let total = u64::try_from(last - first + 1).unwrap_or(0);
        let newest = last.saturating_sub(i64::try_from(start).unwrap_or(i64::MAX));
        let oldest = newest.saturating_sub(i64::from(limit) - 1);
        let stored = executions::list(&self.database, pipeline, oldest, newest).await?;
        let executions = self
            .readable(stored)
            .into_iter()
            .map(|Stored { execution, sequence }| Snapshot {
                execution: bring_to(now, execution),
                is_last: sequence == last,
                now,
            })
            .collect();
        Ok(ExecutionPage { executions, total })
    }

    /// Returns the activity of each pipeline of a program, or of one. Pipelines without executions
    /// are left out.
    pub async fn list_activities(
        &self,
        program: &Program,
        pipeline: Option<PipelineId>,
    ) -> Result<Vec<(PipelineId, Activity)>, StoreError> {
        let _world = self.world.read().await;
        let now = self.now();
        let successes = successes::list(&self.database, program.id, pipeline).await?;
        let mut activities: Vec<(PipelineId, Activity)> = Vec::new();
        // The list is sorted by pipeline, and newest first within each. Two executions are enough:
        // only the newest can be running, and if it is, the second is the last one that ended.
        let newest = executions::list_newest(&self.database, program.id, pipeline).await?;
        for stored in self.readable(newest) {
            let execution = bring_to(now, stored.execution);
            let pipeline = execution.pipeline.pipeline_id;
            if activities.last().is_none_or(|(last, _)| *last != pipeline) {
                let found = successes.binary_search_by_key(&pipeline, |(id, _)| *id);
                let successes = found.ok().map(|index| &successes[index].1);
                let kind = program.pipelines.get(&pipeline).map(|it| it.kind());
                let target = kind.map(|kind| rollback::target(kind, Some(&execution), successes));
                let activity = Activity {
                    last_started_at: Some(execution.created_at),
                    can_roll_back: target.is_some_and(|target| target.is_ok()),
                    ..Activity::default()
                };
                activities.push((pipeline, activity));
            }
            if let Some((_, activity)) = activities.last_mut() {
                let finished_at = execution.finished_at();
                activity.busy |= finished_at.is_none();
                activity.last_finished_at = activity.last_finished_at.or(finished_at);
            }
        }
        Ok(activities)
    }

    /// Returns the newest execution of each pipeline of a program.
    pub async fn list_newest_executions(
        &self,
        program: ProgramId,
    ) -> Result<Vec<Execution>, StoreError> {
        let _world = self.world.read().await;
        let now = self.now();
        // The newest of each pipeline comes first.
        let newest = executions::list_newest(&self.database, program, None).await?;
        let mut newest = self.readable(newest);
        newest.dedup_by_key(|stored| stored.execution.pipeline);
        Ok(newest.into_iter().map(|stored| bring_to(now, stored.execution)).collect())
    }

    /// Returns the executions of a program, newest first. `status` keeps only executions with that
    /// status, `before` only those older than it. Returns `None` if `before` does not exist.
    pub async fn list_program_executions(
        &self,
        program: &Program,
        status: Option<ExecutionStatus>,
        before: Option<ExecutionId>,
        limit: u32,
    ) -> Result<Option<Vec<Execution>>, StoreError> {
        let _world = self.world.read().await;
        let now = self.now();
        let found =
            executions::list_of_program(&self.database, program.id, status, before, limit).await?;
        let current = |stored: Stored| bring_to(now, stored.execution);
        // One that is overdue may have another status by now.
        let is_wanted =
            |execution: &Execution| status.is_none_or(|status| execution.status() == status);
        Ok(found
            .map(|found| self.readable(found).into_iter().map(current).filter(is_wanted).collect()))
    }

    /// Returns the scenario of a pipeline.
    pub async fn find_scenario(
        &self,
        pipeline: PipelineKey,
    ) -> Result<Option<ScenarioDocument>, StoreError> {
        scenarios::find(&self.database, pipeline).await
    }

    /// Returns the executions that time will change next, soonest first, at most `limit`.
    pub async fn list_timers(&self, limit: u32) -> Result<Vec<(Timestamp, Execution)>, StoreError> {
        let _world = self.world.read().await;
        let due = executions::list_next_due(&self.database, limit).await?;
        Ok(self
            .readable(due)
            .into_iter()
            .filter_map(|stored| {
                machine::due_at(&stored.execution).map(|due| (due, stored.execution))
            })
            .collect())
    }

    /// Returns when time will next change an execution, or `None` if none is due.
    pub async fn find_next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        executions::find_next_due(&self.database).await
    }

    /// Returns how many executions there are, and how many of them are not over.
    pub async fn count_executions(&self) -> Result<(i64, i64), StoreError> {
        executions::count(&self.database).await
    }
}
