//! Executions: one row each, with the timeline of their steps.

macro_rules! select_executions {
    ($rest:literal) => {
        concat!(
            "SELECT id, program_id, pipeline_id, sequence, plan_id, trigger, mode, user, \
             source_id, status, created_at, updated_at, finished_at, due_at, timeline \
             FROM executions ",
            $rest
        )
    };
}

mod deploying;
mod due;
mod found;
mod write;

use std::sync::Arc;

use sqlx::sqlite::SqliteRow;
use sqlx::{Executor, FromRow, Row, Sqlite};

use super::{CHECKED_AT_ONCE, Connection, Database, InRow, StoreError, Transaction};
use super::{parse_word, plans, timeline};
use crate::domain::execution::plan::Plan;
use crate::domain::execution::{End, Execution, ExecutionStatus, Progress, machine};
use crate::domain::id::{ExecutionId, PipelineId, PipelineKey, ProgramId};
use crate::domain::time::Timestamp;
pub use deploying::{list_by_id, list_overdue};
pub use due::{Due, find_next_due, list_due, list_next_due, list_set_aside};
use found::{ExecutionFound, read_all, read_found};
pub use found::{InvalidExecution, Listed};
pub use write::{Inserted, insert, insert_copies, set_aside, update};

/// An execution with its place in the pipeline's history.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The execution.
    pub execution: Execution,
    /// Counts the pipeline's executions without gaps; greater is newer.
    pub sequence: i64,
}

struct ExecutionRow {
    id: i64,
    program_id: i64,
    pipeline_id: i64,
    sequence: i64,
    plan_id: i64,
    trigger: String,
    mode: String,
    user: Option<String>,
    source_id: Option<i64>,
    status: String,
    created_at: i64,
    updated_at: i64,
    finished_at: Option<i64>,
    due_at: Option<i64>,
    timeline: String,
}

impl<'r> FromRow<'r, SqliteRow> for ExecutionRow {
    fn from_row(row: &'r SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get(0)?,
            program_id: row.try_get(1)?,
            pipeline_id: row.try_get(2)?,
            sequence: row.try_get(3)?,
            plan_id: row.try_get(4)?,
            trigger: row.try_get(5)?,
            mode: row.try_get(6)?,
            user: row.try_get(7)?,
            source_id: row.try_get(8)?,
            status: row.try_get(9)?,
            created_at: row.try_get(10)?,
            updated_at: row.try_get(11)?,
            finished_at: row.try_get(12)?,
            due_at: row.try_get(13)?,
            timeline: row.try_get(14)?,
        })
    }
}

async fn read<'c, E>(
    database: &Database,
    connection: E,
    row: ExecutionRow,
) -> Result<Stored, StoreError>
where
    E: Executor<'c, Database = Sqlite>,
{
    let id = row.id;
    let plan = plans::load(database, connection, row.plan_id).await;
    plan.and_then(|plan| row.read(plan)).in_row("executions", id)
}

impl ExecutionRow {
    fn read(self, plan: Arc<Plan>) -> Result<Stored, StoreError> {
        let progress = self.progress()?;
        let Self { id, program_id, pipeline_id, sequence, user, source_id, created_at, .. } = self;
        let created_at = Timestamp::from_millis(created_at);
        let steps = timeline::read(created_at, &self.timeline, plan.steps.len())?;
        let execution = Execution {
            id: ExecutionId::new(id),
            pipeline: PipelineKey {
                program_id: ProgramId::new(program_id),
                pipeline_id: PipelineId::new(pipeline_id),
            },
            plan,
            trigger: parse_word(&self.trigger)?,
            mode: parse_word(&self.mode)?,
            user,
            source: source_id.map(ExecutionId::new),
            created_at,
            progress,
            steps,
        };
        match execution.find_fault() {
            None => Ok(Stored { execution, sequence }),
            Some(fault) => Err(StoreError::unreadable(fault)),
        }
    }

    fn progress(&self) -> Result<Progress, StoreError> {
        let Self { status, updated_at, finished_at, due_at, .. } = self;
        Ok(match (status.parse(), *finished_at, *due_at) {
            (Ok(ExecutionStatus::NotStarted), None, _) => Progress::NotStarted,
            (Ok(ExecutionStatus::Running), None, _) => Progress::Running,
            (Ok(ExecutionStatus::Cancelling), None, Some(until)) => Progress::Cancelling {
                since: Timestamp::from_millis(*updated_at),
                until: Timestamp::from_millis(until),
            },
            (_, Some(at), None) => {
                Progress::Ended { end: parse_word::<End>(status)?, at: Timestamp::from_millis(at) }
            }
            (_, finished_at, due_at) => {
                return Err(StoreError::unreadable(format!(
                    "status {status} with finished_at {finished_at:?} and due_at {due_at:?}"
                )));
            }
        })
    }
}

async fn read_one(
    database: &Database,
    connection: &mut Connection,
    row: Option<ExecutionFound>,
) -> Result<Option<Stored>, StoreError> {
    let Some(row) = row else { return Ok(None) };
    let found = read_found(database, connection, row).await?;
    found.map(Some).map_err(|invalid| StoreError::Unreadable(invalid.problem))
}

/// Returns the execution of a pipeline with this identifier.
pub async fn find(
    database: &Database,
    connection: &mut Connection,
    pipeline: PipelineKey,
    id: ExecutionId,
) -> Result<Option<Stored>, StoreError> {
    let row = sqlx::query_as(select_executions!(
        "WHERE id = $1 AND program_id = $2 AND pipeline_id = $3"
    ))
    .bind(id.number())
    .bind(pipeline.program_id.number())
    .bind(pipeline.pipeline_id.number())
    .fetch_optional(&mut *connection)
    .await?;
    read_one(database, connection, row).await
}

/// Returns the newest execution of a pipeline.
pub async fn find_last(
    database: &Database,
    connection: &mut Connection,
    pipeline: PipelineKey,
) -> Result<Option<Stored>, StoreError> {
    let row = sqlx::query_as(select_executions!(
        "WHERE program_id = $1 AND pipeline_id = $2 ORDER BY sequence DESC LIMIT 1"
    ))
    .bind(pipeline.program_id.number())
    .bind(pipeline.pipeline_id.number())
    .fetch_optional(&mut *connection)
    .await?;
    read_one(database, connection, row).await
}

/// Returns the oldest execution of a pipeline, inside a transaction that writes: its sequence
/// number, and when it was created.
pub async fn find_oldest_for_update(
    tx: &mut Transaction,
    pipeline: PipelineKey,
) -> Result<Option<(i64, Timestamp)>, StoreError> {
    let oldest: Option<(i64, i64)> = sqlx::query_as(
        "SELECT sequence, created_at FROM executions WHERE program_id = $1 AND pipeline_id = $2 \
         ORDER BY sequence LIMIT 1",
    )
    .bind(pipeline.program_id.number())
    .bind(pipeline.pipeline_id.number())
    .fetch_optional(&mut **tx)
    .await?;
    Ok(oldest.map(|(sequence, created_at)| (sequence, Timestamp::from_millis(created_at))))
}

/// Returns the first and the last sequence number of a pipeline's executions, or `None` without
/// executions.
pub async fn find_bounds(
    database: &Database,
    pipeline: PipelineKey,
) -> Result<Option<(i64, i64)>, StoreError> {
    // Two searches in the index; a single SELECT of both would scan the pipeline's history.
    let (first, last): (Option<i64>, Option<i64>) = sqlx::query_as(
        "SELECT (SELECT min(sequence) FROM executions WHERE program_id = $1 AND pipeline_id = $2), \
                (SELECT max(sequence) FROM executions WHERE program_id = $1 AND pipeline_id = $2)",
    )
    .bind(pipeline.program_id.number())
    .bind(pipeline.pipeline_id.number())
    .fetch_one(database.readers())
    .await?;
    Ok(first.zip(last))
}

/// Returns the executions of a pipeline with sequence numbers from `first` to `last`, newest first.
pub async fn list(
    database: &Database,
    pipeline: PipelineKey,
    first: i64,
    last: i64,
) -> Result<Listed, StoreError> {
    let reader = &mut database.reader().await?;
    let rows = sqlx::query_as(select_executions!(
        "WHERE program_id = $1 AND pipeline_id = $2 AND sequence BETWEEN $3 AND $4 \
         ORDER BY sequence DESC"
    ))
    .bind(pipeline.program_id.number())
    .bind(pipeline.pipeline_id.number())
    .bind(first)
    .bind(last)
    .fetch_all(&mut **reader)
    .await?;
    read_all(database, reader, rows).await
}

/// Returns the executions of a program, newest first: those with a status, and older than one of
/// them. Returns `None` if that one is not there.
pub async fn list_of_program(
    database: &Database,
    program: ProgramId,
    status: Option<ExecutionStatus>,
    before: Option<ExecutionId>,
    limit: u32,
) -> Result<Option<Listed>, StoreError> {
    let reader = &mut database.reader().await?;
    let place = "SELECT created_at FROM executions WHERE id = $1 AND program_id = $2";
    let (created_at, id) = match before {
        None => (i64::MAX, i64::MAX),
        Some(id) => {
            let found = sqlx::query_scalar(place).bind(id.number()).bind(program.number());
            let found: Option<i64> = found.fetch_optional(&mut **reader).await?;
            let Some(created_at) = found else { return Ok(None) };
            (created_at, id.number())
        }
    };
    let mut rows: Vec<ExecutionFound> = Vec::new();
    // Each status is a range of the index, so that one index serves with and without a status.
    let wanted = |it: &&ExecutionStatus| status.is_none_or(|status| **it == status);
    for status in ExecutionStatus::ALL.iter().filter(wanted) {
        let found = sqlx::query_as(select_executions!(
            "WHERE program_id = $1 AND status = $2 AND (created_at, id) < ($3, $4) \
             AND pipeline_id IN ( \
                 SELECT pipelines.id FROM pipelines \
                 WHERE pipelines.program_id = $1 AND deleted_at IS NULL) \
             ORDER BY created_at DESC, id DESC LIMIT $5"
        ))
        .bind(program.number())
        .bind(status.as_str())
        .bind(created_at)
        .bind(id)
        .bind(limit);
        rows.extend(found.fetch_all(&mut **reader).await?);
    }
    rows.sort_unstable_by_key(|row| std::cmp::Reverse((row.key.created_at, row.key.id)));
    rows.truncate(limit as usize);
    read_all(database, reader, rows).await.map(Some)
}

/// Returns the two newest executions of each pipeline of a program (or of one pipeline): from them
/// follow the pipelines' status and when they last started and finished.
pub async fn list_newest(
    database: &Database,
    program: ProgramId,
    pipeline: Option<PipelineId>,
) -> Result<Listed, StoreError> {
    let reader = &mut database.reader().await?;
    let rows = sqlx::query_as(select_executions!(
        "WHERE id IN ( \
             SELECT newest.id FROM pipelines JOIN executions AS newest ON newest.id IN ( \
                 SELECT e.id FROM executions AS e \
                 WHERE e.program_id = pipelines.program_id AND e.pipeline_id = pipelines.id \
                 ORDER BY e.sequence DESC LIMIT 2) \
             WHERE pipelines.program_id = $1 AND ($2 IS NULL OR pipelines.id = $2)) \
         ORDER BY pipeline_id, sequence DESC"
    ))
    .bind(program.number())
    .bind(pipeline.map(PipelineId::number))
    .fetch_all(&mut **reader)
    .await?;
    read_all(database, reader, rows).await
}

/// Reads every execution, so that rows that can't be read are found now and not later by a user.
pub async fn check_all(database: &Database) -> Result<(), StoreError> {
    let mut last = i64::MIN;
    loop {
        let rows: Vec<ExecutionRow> =
            sqlx::query_as(select_executions!("WHERE id > $1 ORDER BY id LIMIT $2"))
                .bind(last)
                .bind(CHECKED_AT_ONCE)
                .fetch_all(database.readers())
                .await?;
        let Some(row) = rows.last() else { return Ok(()) };
        last = row.id;
        for row in rows {
            read(database, database.readers(), row).await?;
        }
    }
}

/// Recomputes `due_at` of all unfinished executions, in a database that nobody else uses.
#[allow(clippy::disallowed_methods, reason = "memory has nothing of this database")]
pub async fn recompute_due(database: &Database) -> Result<(), StoreError> {
    let mut tx = Database::begin(database).await?;
    let rows: Vec<ExecutionRow> =
        sqlx::query_as(select_executions!("WHERE finished_at IS NULL")).fetch_all(&mut *tx).await?;
    let mut wrong = Vec::new();
    for row in rows {
        let due_at = row.due_at;
        let Stored { execution, .. } = read(database, &mut *tx, row).await?;
        if machine::due_at(&execution).map(Timestamp::as_millis) != due_at {
            wrong.push(execution);
        }
    }
    update(&mut tx, wrong.iter()).await?;
    tx.commit().await.map(drop)
}

/// Returns how many executions there are, and how many of them are not over.
pub async fn count(database: &Database) -> Result<(i64, i64), StoreError> {
    Ok(sqlx::query_as(
        // Sequence numbers have no gaps: two searches in the index for each pipeline.
        "SELECT coalesce(sum( \
             (SELECT max(sequence) FROM executions AS e \
              WHERE e.program_id = p.program_id AND e.pipeline_id = p.id) \
             - (SELECT min(sequence) FROM executions AS e \
                WHERE e.program_id = p.program_id AND e.pipeline_id = p.id) + 1), 0), \
             (SELECT count(*) FROM executions WHERE finished_at IS NULL) \
         FROM pipelines AS p WHERE p.deleted_at IS NULL",
    )
    .fetch_one(database.readers())
    .await?)
}
