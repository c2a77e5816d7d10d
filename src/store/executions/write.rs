//! Storing executions.

use super::Stored;
use crate::domain::execution::{Execution, machine};
use crate::domain::id::ExecutionId;
use crate::domain::time::{Duration, Timestamp};
use crate::store::insert::insert_rows;
use crate::store::{Database, StoreError, Transaction, plans, timeline};

/// The outcome of storing a new execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is stored.
    Yes,
    /// The pipeline has one that is not over.
    PipelineIsBusy,
}

/// `SQLite`'s error for a second execution that is not over. It names the columns of the unique index,
/// not the index, and has no code that tells it from other unique indexes.
const ONE_RUNNING_EXECUTION: &str =
    "UNIQUE constraint failed: executions.program_id, executions.pipeline_id";

/// Stores a new execution after the one with the sequence number `after`.
pub async fn insert(
    database: &Database,
    tx: &mut Transaction,
    execution: &Execution,
    after: Option<i64>,
) -> Result<Inserted, StoreError> {
    let plan_id = plans::intern(database, tx, &execution.plan).await?;
    let inserted = sqlx::query(
        "INSERT INTO executions (id, program_id, pipeline_id, sequence, plan_id, trigger, mode, \
         user, source_id, status, created_at, updated_at, finished_at, due_at, timeline) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(execution.id.number())
    .bind(execution.pipeline.program_id.number())
    .bind(execution.pipeline.pipeline_id.number())
    .bind(after.map_or(1, |after| after + 1))
    .bind(plan_id)
    .bind(execution.trigger.as_str())
    .bind(execution.mode.as_str())
    .bind(execution.user.as_deref())
    .bind(execution.source.map(ExecutionId::number))
    .bind(execution.status().as_str())
    .bind(execution.created_at.as_millis())
    .bind(execution.updated_at().as_millis())
    .bind(execution.finished_at().map(Timestamp::as_millis))
    .bind(machine::due_at(execution).map(Timestamp::as_millis))
    .bind(timeline::write(execution.created_at, &execution.steps)?)
    .execute(&mut **tx)
    .await;
    match inserted {
        Ok(_) => Ok(Inserted::Yes),
        Err(sqlx::Error::Database(error)) if error.message() == ONE_RUNNING_EXECUTION => {
            Ok(Inserted::PipelineIsBusy)
        }
        Err(error) => Err(error.into()),
    }
}

/// Stores `count` copies of an execution that is over, in the past: each begins `interval` after
/// the one before, and has the next identifier and the next sequence number.
pub async fn insert_copies(
    database: &Database,
    tx: &mut Transaction,
    first: &Stored,
    interval: Duration,
    count: u32,
) -> Result<(), StoreError> {
    let Stored { execution, sequence } = first;
    let plan_id = plans::intern(database, tx, &execution.plan).await?;
    sqlx::query(
        "INSERT INTO executions (id, program_id, pipeline_id, sequence, plan_id, trigger, mode, \
         user, source_id, status, created_at, updated_at, finished_at, due_at, timeline) \
         WITH RECURSIVE copies (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM copies WHERE n + 1 < $1) \
         SELECT $3 + n, $4, $5, $6 + n, $7, $8, $9, $10, $11, $12, $13 + n * $2, $14 + n * $2, \
         $15 + n * $2, NULL, $16 FROM copies",
    )
    .bind(count)
    .bind(interval.as_millis())
    .bind(execution.id.number())
    .bind(execution.pipeline.program_id.number())
    .bind(execution.pipeline.pipeline_id.number())
    .bind(sequence)
    .bind(plan_id)
    .bind(execution.trigger.as_str())
    .bind(execution.mode.as_str())
    .bind(execution.user.as_deref())
    .bind(execution.source.map(ExecutionId::number))
    .bind(execution.status().as_str())
    .bind(execution.created_at.as_millis())
    .bind(execution.updated_at().as_millis())
    .bind(execution.finished_at().map(Timestamp::as_millis))
    .bind(timeline::write(execution.created_at, &execution.steps)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Stores the progress of executions.
pub async fn update<'e>(
    tx: &mut Transaction,
    executions: impl Iterator<Item = &'e Execution>,
) -> Result<(), StoreError> {
    let rows = executions
        .map(|execution| {
            Ok((
                execution.id,
                execution.status().as_str(),
                execution.updated_at(),
                execution.finished_at(),
                machine::due_at(execution),
                timeline::write(execution.created_at, &execution.steps)?,
            ))
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    insert_rows(
        tx,
        "UPDATE executions SET status = row.value ->> 1, updated_at = row.value ->> 2, \
         finished_at = row.value ->> 3, due_at = row.value ->> 4, timeline = row.value ->> 5 \
         FROM json_each($1) AS row WHERE executions.id = row.value ->> 0",
        &rows,
    )
    .await
}

/// Clears `due_at` of an execution, so that the scheduler ignores it. Nothing else changes.
pub async fn set_aside(tx: &mut Transaction, id: ExecutionId) -> Result<(), StoreError> {
    sqlx::query("UPDATE executions SET due_at = NULL WHERE id = $1")
        .bind(id.number())
        .execute(&mut **tx)
        .await?;
    Ok(())
}
