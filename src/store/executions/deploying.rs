//! Executions that deploy: those with given identifiers, and those that are overdue.

use std::collections::BTreeSet;

use super::Listed;
use super::found::read_all;
use crate::domain::id::{ExecutionId, ProgramId};
use crate::domain::time::Timestamp;
use crate::store::{Connection, Database, StoreError};

/// Returns the executions of a program that are due at or before `until`.
pub async fn list_overdue(
    database: &Database,
    connection: &mut Connection,
    program: ProgramId,
    until: Timestamp,
) -> Result<Listed, StoreError> {
    // The plus keeps SQLite from the index of the program's executions: few of them are overdue.
    let rows = sqlx::query_as(select_executions!(
        "WHERE due_at <= $1 AND +program_id = $2 ORDER BY due_at, id"
    ))
    .bind(until.as_millis())
    .bind(program.number())
    .fetch_all(&mut *connection)
    .await?;
    read_all(database, connection, rows).await
}

/// Returns the executions with these identifiers.
pub async fn list_by_id(
    database: &Database,
    connection: &mut Connection,
    ids: &BTreeSet<ExecutionId>,
) -> Result<Listed, StoreError> {
    if ids.is_empty() {
        return Ok(Listed::default());
    }
    let ids = serde_json::to_string(ids).map_err(StoreError::unreadable)?;
    let rows = sqlx::query_as(select_executions!("WHERE id IN (SELECT value FROM json_each($1))"))
        .bind(ids)
        .fetch_all(&mut *connection)
        .await?;
    read_all(database, connection, rows).await
}
