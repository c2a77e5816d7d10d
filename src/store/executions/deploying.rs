//! Executions that deploy: those with given identifiers, and those that are overdue.

use std::collections::BTreeSet;

use sqlx::{Executor, Sqlite};

use super::{ExecutionRow, Stored, read};
use crate::domain::id::{ExecutionId, ProgramId};
use crate::domain::time::Timestamp;
use crate::store::{Database, StoreError, Transaction};

/// Returns the executions of a program that are due at or before `until`. What can't be read is
/// left out, here and below: the scheduler sets it aside and logs it.
pub async fn list_overdue(
    database: &Database,
    program: ProgramId,
    until: Timestamp,
) -> Result<Vec<Stored>, StoreError> {
    let rows = overdue_rows(database.readers(), program, until).await?;
    let mut executions = Vec::new();
    for row in rows {
        executions.extend(readable(read(database, database.readers(), row).await)?);
    }
    Ok(executions)
}

/// Returns the same inside a transaction that writes.
pub async fn list_overdue_for_update(
    database: &Database,
    tx: &mut Transaction,
    program: ProgramId,
    until: Timestamp,
) -> Result<Vec<Stored>, StoreError> {
    let mut executions = Vec::new();
    for row in overdue_rows(&mut **tx, program, until).await? {
        executions.extend(readable(read(database, &mut **tx, row).await)?);
    }
    Ok(executions)
}

/// Returns the executions with these identifiers.
pub async fn list_by_id(
    database: &Database,
    ids: &BTreeSet<ExecutionId>,
) -> Result<Vec<Stored>, StoreError> {
    let mut executions = Vec::new();
    for row in rows_by_id(database.readers(), ids).await? {
        executions.extend(readable(read(database, database.readers(), row).await)?);
    }
    Ok(executions)
}

/// Returns the same inside a transaction that writes.
pub async fn list_by_id_for_update(
    database: &Database,
    tx: &mut Transaction,
    ids: &BTreeSet<ExecutionId>,
) -> Result<Vec<Stored>, StoreError> {
    let mut executions = Vec::new();
    for row in rows_by_id(&mut **tx, ids).await? {
        executions.extend(readable(read(database, &mut **tx, row).await)?);
    }
    Ok(executions)
}

fn readable(read: Result<Stored, StoreError>) -> Result<Option<Stored>, StoreError> {
    match read {
        Ok(stored) => Ok(Some(stored)),
        Err(StoreError::Unreadable(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn overdue_rows(
    connection: impl Executor<'_, Database = Sqlite>,
    program: ProgramId,
    until: Timestamp,
) -> Result<Vec<ExecutionRow>, StoreError> {
    // The plus keeps SQLite from the index of the program's executions: few of them are overdue.
    Ok(sqlx::query_as(select_executions!(
        "WHERE due_at <= $1 AND +program_id = $2 ORDER BY due_at, id"
    ))
    .bind(until.as_millis())
    .bind(program.number())
    .fetch_all(connection)
    .await?)
}

async fn rows_by_id(
    connection: impl Executor<'_, Database = Sqlite>,
    ids: &BTreeSet<ExecutionId>,
) -> Result<Vec<ExecutionRow>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids = serde_json::to_string(ids).map_err(StoreError::unreadable)?;
    Ok(sqlx::query_as(select_executions!("WHERE id IN (SELECT value FROM json_each($1))"))
        .bind(ids)
        .fetch_all(connection)
        .await?)
}
