//! Executions as they are found: some of their rows may be invalid.

use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

use super::{ExecutionRow, Stored, read};
use crate::domain::id::{ExecutionId, PipelineId, PipelineKey, ProgramId};
use crate::store::{Connection, Database, FoundRow, InRow, StoreError};

/// The row of an execution. Everything but the key may be unreadable.
pub(super) type ExecutionFound = FoundRow<KeyRow, ExecutionRow>;

/// The columns that can always be read: integers.
pub(super) struct KeyRow {
    pub id: i64,
    program_id: i64,
    pipeline_id: i64,
    pub created_at: i64,
    pub due_at: Option<i64>,
}

impl<'r> FromRow<'r, SqliteRow> for KeyRow {
    fn from_row(row: &'r SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            program_id: row.try_get("program_id")?,
            pipeline_id: row.try_get("pipeline_id")?,
            created_at: row.try_get("created_at")?,
            due_at: row.try_get("due_at")?,
        })
    }
}

/// An execution whose row can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidExecution {
    /// Its identifier.
    pub id: ExecutionId,
    /// Its pipeline.
    pub pipeline: PipelineKey,
    /// What is wrong, with the table and the key of the row.
    pub problem: String,
}

/// The executions of a list.
#[derive(Debug, Default)]
pub struct Listed {
    /// Those that can be read, in the order of the list.
    pub readable: Vec<Stored>,
    /// The others.
    pub invalid: Vec<InvalidExecution>,
}

/// Returns the execution in a row, or why it can't be read. Only a failure of the database is an
/// error.
pub(super) async fn read_found(
    database: &Database,
    connection: &mut Connection,
    row: ExecutionFound,
) -> Result<Result<Stored, InvalidExecution>, StoreError> {
    let KeyRow { id, program_id, pipeline_id, .. } = row.key;
    let read = match row.columns.in_row("executions", id) {
        Ok(row) => read(database, connection, row).await,
        Err(error) => Err(error),
    };
    match read {
        Ok(stored) => Ok(Ok(stored)),
        Err(StoreError::Unreadable(problem)) => Ok(Err(InvalidExecution {
            id: ExecutionId::new(id),
            pipeline: PipelineKey {
                program_id: ProgramId::new(program_id),
                pipeline_id: PipelineId::new(pipeline_id),
            },
            problem,
        })),
        Err(error) => Err(error),
    }
}

/// Returns the executions in some rows.
pub(super) async fn read_all(
    database: &Database,
    connection: &mut Connection,
    rows: Vec<ExecutionFound>,
) -> Result<Listed, StoreError> {
    let mut listed = Listed::default();
    for row in rows {
        match read_found(database, connection, row).await? {
            Ok(stored) => listed.readable.push(stored),
            Err(invalid) => listed.invalid.push(invalid),
        }
    }
    Ok(listed)
}
