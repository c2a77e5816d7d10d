//! Executions that are due, and those that were set aside.

use super::Listed;
use super::found::{ExecutionFound, InvalidExecution, read_all, read_found};
use crate::domain::execution::Execution;
use crate::domain::time::Timestamp;
use crate::store::{Database, StoreError, Transaction};

/// An execution that is due, as its row says.
pub struct Due {
    /// When.
    pub due_at: Timestamp,
    /// The execution, or why its row is invalid.
    pub execution: Result<Execution, InvalidExecution>,
}

/// Returns the executions that are due first, at or before `until`, at most `limit`.
pub async fn list_due(
    database: &Database,
    tx: &mut Transaction,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<Due>, StoreError> {
    let rows: Vec<ExecutionFound> =
        sqlx::query_as(select_executions!("WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2"))
            .bind(until.as_millis())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&mut **tx)
            .await?;
    let mut executions = Vec::with_capacity(rows.len());
    for row in rows {
        let due_at = row.key.due_at.map_or(Timestamp::MIN, Timestamp::from_millis);
        let found = read_found(database, tx, row).await?;
        executions.push(Due { due_at, execution: found.map(|stored| stored.execution) });
    }
    Ok(executions)
}

/// Returns the executions that are not over, were set aside, and still can't be read.
pub async fn list_set_aside(database: &Database) -> Result<Vec<InvalidExecution>, StoreError> {
    let reader = &mut database.reader().await?;
    let rows = sqlx::query_as(select_executions!("WHERE finished_at IS NULL AND due_at IS NULL"))
        .fetch_all(&mut **reader)
        .await?;
    Ok(read_all(database, reader, rows).await?.invalid)
}

/// Returns the executions that time will change next, soonest first, at most `limit`.
pub async fn list_next_due(database: &Database, limit: u32) -> Result<Listed, StoreError> {
    let reader = &mut database.reader().await?;
    let rows =
        sqlx::query_as(select_executions!("WHERE due_at IS NOT NULL ORDER BY due_at, id LIMIT $1"))
            .bind(limit)
            .fetch_all(&mut **reader)
            .await?;
    read_all(database, reader, rows).await
}

/// Returns when time will next change an execution, or `None` if none is due.
pub async fn find_next_due(database: &Database) -> Result<Option<Timestamp>, StoreError> {
    let due: Option<i64> =
        sqlx::query_scalar("SELECT min(due_at) FROM executions WHERE due_at IS NOT NULL")
            .fetch_one(database.readers())
            .await?;
    Ok(due.map(Timestamp::from_millis))
}
