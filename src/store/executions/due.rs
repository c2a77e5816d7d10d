//! Executions that are due, and those that can't be read although they are not over.

use sqlx::sqlite::SqliteRow;
use sqlx::{Executor, FromRow, Row, Sqlite};

use super::{ExecutionRow, Stored, read, read_all};
use crate::domain::execution::Execution;
use crate::domain::id::{ExecutionId, PipelineId, PipelineKey, ProgramId};
use crate::domain::time::Timestamp;
use crate::store::{Database, FoundRow, InRow, StoreError, Transaction};

/// An execution that is due, as its row says.
pub struct Due {
    /// The execution.
    pub id: ExecutionId,
    /// Its pipeline.
    pub pipeline: PipelineKey,
    /// When.
    pub due_at: Timestamp,
    /// It, or why its row makes no sense.
    pub execution: Result<Execution, String>,
}

/// What identifies an execution and can be read in any case: integers.
struct KeyRow {
    id: i64,
    program_id: i64,
    pipeline_id: i64,
    due_at: Option<i64>,
}

impl<'r> FromRow<'r, SqliteRow> for KeyRow {
    fn from_row(row: &'r SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            program_id: row.try_get("program_id")?,
            pipeline_id: row.try_get("pipeline_id")?,
            due_at: row.try_get("due_at")?,
        })
    }
}

/// Returns what is found in a row. Only a failure of the database is an error.
async fn read_due<'c, E>(
    database: &Database,
    connection: E,
    row: FoundRow<KeyRow, ExecutionRow>,
) -> Result<Due, StoreError>
where
    E: Executor<'c, Database = Sqlite>,
{
    let KeyRow { id, program_id, pipeline_id, due_at } = row.key;
    let read = match row.columns.in_row("executions", id) {
        Ok(row) => read(database, connection, row).await,
        Err(error) => Err(error),
    };
    let execution = match read {
        Ok(stored) => Ok(stored.execution),
        Err(StoreError::Unreadable(reason)) => Err(reason),
        Err(error) => return Err(error),
    };
    Ok(Due {
        id: ExecutionId::new(id),
        pipeline: PipelineKey {
            program_id: ProgramId::new(program_id),
            pipeline_id: PipelineId::new(pipeline_id),
        },
        due_at: due_at.map_or(Timestamp::MIN, Timestamp::from_millis),
        execution,
    })
}

/// Returns the executions that are due first, at or before `until`, at most `limit`.
pub async fn list_due(
    database: &Database,
    tx: &mut Transaction,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<Due>, StoreError> {
    let rows: Vec<FoundRow<KeyRow, ExecutionRow>> =
        sqlx::query_as(select_executions!("WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2"))
            .bind(until.as_millis())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&mut **tx)
            .await?;
    let mut executions = Vec::with_capacity(rows.len());
    for row in rows {
        executions.push(read_due(database, &mut **tx, row).await?);
    }
    Ok(executions)
}

/// An execution that the scheduler ignores, because its row makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidExecution {
    /// Its identifier.
    pub id: ExecutionId,
    /// Its pipeline.
    pub pipeline: PipelineKey,
    /// What is wrong.
    pub problem: String,
}

/// Returns the executions that are not over, were set aside, and still can't be read.
pub async fn list_set_aside(database: &Database) -> Result<Vec<InvalidExecution>, StoreError> {
    let rows: Vec<FoundRow<KeyRow, ExecutionRow>> =
        sqlx::query_as(select_executions!("WHERE finished_at IS NULL AND due_at IS NULL"))
            .fetch_all(database.readers())
            .await?;
    let mut invalid = Vec::new();
    for row in rows {
        let Due { id, pipeline, execution, .. } =
            read_due(database, database.readers(), row).await?;
        invalid.extend(execution.err().map(|problem| InvalidExecution { id, pipeline, problem }));
    }
    Ok(invalid)
}

/// Returns the executions that time will change next, soonest first, at most `limit`.
pub async fn list_next_due(database: &Database, limit: u32) -> Result<Vec<Stored>, StoreError> {
    let rows =
        sqlx::query_as(select_executions!("WHERE due_at IS NOT NULL ORDER BY due_at, id LIMIT $1"))
            .bind(limit)
            .fetch_all(database.readers())
            .await?;
    read_all(database, rows).await
}

/// Returns when time will next change an execution, or `None` if none is due.
pub async fn find_next_due(database: &Database) -> Result<Option<Timestamp>, StoreError> {
    let due: Option<i64> =
        sqlx::query_scalar("SELECT min(due_at) FROM executions WHERE due_at IS NOT NULL")
            .fetch_one(database.readers())
            .await?;
    Ok(due.map(Timestamp::from_millis))
}
