//! Pipelines.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::SqliteConnection;

use super::known::Programs;
use super::{phases, variables};
use crate::domain::id::{PipelineId, PipelineKey, ProgramId};
use crate::domain::pipeline::Pipeline;
use crate::domain::time::Timestamp;
use crate::domain::variable::{Owner, Variable};
use crate::store::insert::insert_rows;
use crate::store::{InRow, StoreError, Transaction, parse_word};

/// Stores pipelines.
pub(super) async fn insert(
    tx: &mut Transaction,
    pipelines: impl Iterator<Item = &Arc<Pipeline>> + Clone,
) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for pipeline in pipelines.clone() {
        let Pipeline {
            id,
            program_id,
            name,
            trigger,
            important_failures,
            created_at,
            updated_at,
            phases: _,
            variables: _,
            cache_invalidated_at: _,
        } = &**pipeline;
        rows.push((
            program_id,
            id,
            name,
            trigger.as_str(),
            important_failures.as_str(),
            created_at,
            updated_at,
        ));
    }
    insert_rows(
        tx,
        "INSERT INTO pipelines (program_id, id, name, trigger, important_failures, created_at, \
         updated_at) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, \
         value ->> 6 FROM json_each($1)",
        &rows,
    )
    .await?;
    phases::insert(tx, pipelines).await
}

type PipelineRow = (i64, i64, String, String, String, i64, i64, Option<i64>);

/// Reads all pipelines into their programs.
pub(super) async fn read_into(
    connection: &mut SqliteConnection,
    programs: &mut Programs,
    variables: &mut BTreeMap<Owner, Vec<Variable>>,
) -> Result<(), StoreError> {
    let mut phases = phases::list(connection).await?;
    let rows: Vec<PipelineRow> = sqlx::query_as(
        "SELECT program_id, id, name, trigger, important_failures, created_at, updated_at, \
         cache_invalidated_at FROM pipelines WHERE deleted_at IS NULL",
    )
    .fetch_all(&mut *connection)
    .await?;
    for (program_id, id, name, trigger, important_failures, created, updated, invalidated) in rows {
        let row = (program_id, id);
        let phases = phases.remove(&row).ok_or_else(|| StoreError::unreadable("no phases"));
        let key = PipelineKey {
            program_id: ProgramId::new(program_id),
            pipeline_id: PipelineId::new(id),
        };
        let pipeline = Pipeline {
            id: key.pipeline_id,
            program_id: key.program_id,
            name,
            trigger: parse_word(&trigger).in_row("pipelines", row)?,
            important_failures: parse_word(&important_failures).in_row("pipelines", row)?,
            created_at: Timestamp::from_millis(created),
            updated_at: Timestamp::from_millis(updated),
            phases: phases.in_row("pipelines", row)?,
            variables: variables.remove(&Owner::Pipeline(key)).unwrap_or_default(),
            cache_invalidated_at: invalidated.map(Timestamp::from_millis),
        };
        if let Some(program) = programs.find(program_id).in_row("pipelines", row)? {
            program.pipelines.insert(pipeline.id, Arc::new(pipeline));
        }
    }
    Ok(())
}

/// Stores another version of a pipeline: its phases, steps and options, and its cache.
pub async fn update(tx: &mut Transaction, pipeline: &Arc<Pipeline>) -> Result<(), StoreError> {
    let key = pipeline.key();
    sqlx::query(
        "UPDATE pipelines SET updated_at = $3, cache_invalidated_at = $4 \
         WHERE program_id = $1 AND id = $2",
    )
    .bind(key.program_id.number())
    .bind(key.pipeline_id.number())
    .bind(pipeline.updated_at.as_millis())
    .bind(pipeline.cache_invalidated_at.map(Timestamp::as_millis))
    .execute(&mut **tx)
    .await?;
    sqlx::query("DELETE FROM phases WHERE program_id = $1 AND pipeline_id = $2")
        .bind(key.program_id.number())
        .bind(key.pipeline_id.number())
        .execute(&mut **tx)
        .await?;
    phases::insert(tx, std::iter::once(pipeline)).await
}

/// Deletes a pipeline. Its executions are out of reach at once and go later, by [`super::purge`].
pub async fn delete(
    tx: &mut Transaction,
    key: PipelineKey,
    now: Timestamp,
) -> Result<(), StoreError> {
    variables::delete_all(tx, Owner::Pipeline(key)).await?;
    sqlx::query("UPDATE pipelines SET deleted_at = $3 WHERE program_id = $1 AND id = $2")
        .bind(key.program_id.number())
        .bind(key.pipeline_id.number())
        .bind(now.as_millis())
        .execute(&mut **tx)
        .await?;
    Ok(())
}
