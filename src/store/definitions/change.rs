//! Changing and deleting definitions.

use std::sync::Arc;

use super::insert::insert_phases;
use crate::domain::id::{EnvironmentId, PipelineKey, ProgramId, RepositoryId};
use crate::domain::pipeline::Pipeline;
use crate::domain::program::{Kpis, Program};
use crate::domain::time::Timestamp;
use crate::domain::variable::Owner;
use crate::store::{StoreError, Transaction, variables};

/// Stores what Customer Success Engineers have set for a program.
pub async fn update_program(tx: &mut Transaction, program: &Program) -> Result<(), StoreError> {
    let Kpis { response_time, page_views_per_minute } = program.kpis;
    sqlx::query(
        "UPDATE programs SET emergency_mode = $2, kpi_response_time = $3, \
         kpi_page_views_per_minute = $4, updated_at = $5 WHERE id = $1",
    )
    .bind(program.id.number())
    .bind(program.emergency_mode)
    .bind(response_time)
    .bind(page_views_per_minute)
    .bind(program.updated_at.as_millis())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Stores another version of a pipeline: its phases, steps and options, and its cache.
pub async fn update_pipeline(
    tx: &mut Transaction,
    pipeline: &Arc<Pipeline>,
) -> Result<(), StoreError> {
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
    insert_phases(tx, std::iter::once(pipeline)).await
}

/// Deletes a pipeline. Its executions are out of reach at once and go later, by [`purge`].
pub async fn delete_pipeline(
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

/// Deletes a program with everything in it, as [`delete_pipeline`] does.
pub async fn delete_program(
    tx: &mut Transaction,
    id: ProgramId,
    now: Timestamp,
) -> Result<(), StoreError> {
    for statement in [
        "UPDATE programs SET deleted_at = $2 WHERE id = $1",
        "UPDATE pipelines SET deleted_at = $2 WHERE program_id = $1",
    ] {
        sqlx::query(statement).bind(id.number()).bind(now.as_millis()).execute(&mut **tx).await?;
    }
    Ok(())
}

/// Deletes an environment with its variables.
pub async fn delete_environment(
    tx: &mut Transaction,
    program: ProgramId,
    id: EnvironmentId,
) -> Result<(), StoreError> {
    variables::delete_all(tx, Owner::Environment(program, id)).await?;
    sqlx::query("DELETE FROM environments WHERE program_id = $1 AND id = $2")
        .bind(program.number())
        .bind(id.number())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Sets the head commit of a branch, which need not have been there.
pub async fn set_head(
    tx: &mut Transaction,
    program: ProgramId,
    repository: RepositoryId,
    branch: &str,
    commit: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO heads (program_id, repository_id, name, commit_id) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (program_id, repository_id, name) DO UPDATE SET commit_id = excluded.commit_id",
    )
    .bind(program.number())
    .bind(repository.number())
    .bind(branch)
    .bind(commit)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes away some of what belongs to deleted pipelines and programs, at most `most` executions;
/// whether there may be more.
pub async fn purge(tx: &mut Transaction, most: u32) -> Result<bool, StoreError> {
    // SQLite keeps the order of a CROSS JOIN: it looks at what is deleted alone.
    let executions = sqlx::query(
        "DELETE FROM executions WHERE id IN ( \
             SELECT executions.id FROM pipelines CROSS JOIN executions \
             ON executions.program_id = pipelines.program_id \
             AND executions.pipeline_id = pipelines.id \
             WHERE pipelines.deleted_at IS NOT NULL LIMIT $1)",
    )
    .bind(most)
    .execute(&mut **tx)
    .await?;
    if executions.rows_affected() > 0 {
        return Ok(true);
    }
    for statement in [
        "DELETE FROM pipelines WHERE deleted_at IS NOT NULL",
        "DELETE FROM programs WHERE deleted_at IS NOT NULL",
    ] {
        sqlx::query(statement).execute(&mut **tx).await?;
    }
    Ok(false)
}
