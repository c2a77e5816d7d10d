//! Builds: which execution made the artifacts of a commit.

use super::insert::insert_rows;
use super::{StoreError, Transaction};
use crate::domain::execution::Execution;
use crate::domain::execution::plan::{Code, KnownBuild};
use crate::domain::id::{ExecutionId, ProgramId};

/// Stores that these executions have built artifacts. For each commit, the first build stays.
pub async fn insert<'e>(
    tx: &mut Transaction,
    executions: impl Iterator<Item = &'e Execution>,
) -> Result<(), StoreError> {
    let rows: Vec<_> = executions
        .filter_map(|execution| {
            let Code { repository, commit, .. } = &execution.plan.code;
            let program_id = execution.pipeline.program_id;
            let commit = commit.as_ref()?;
            Some((program_id, repository, commit, execution.id, execution.artifacts_version()))
        })
        .collect();
    insert_rows(
        tx,
        "INSERT INTO builds (program_id, repository, commit_id, execution_id, version) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 \
         FROM json_each($1) WHERE true ON CONFLICT DO NOTHING",
        &rows,
    )
    .await
}

/// Returns the build of a commit.
pub async fn find(
    tx: &mut Transaction,
    program: ProgramId,
    repository: &str,
    commit: &str,
) -> Result<Option<KnownBuild>, StoreError> {
    let row: Option<(i64, String)> = sqlx::query_as(
        "SELECT execution_id, version FROM builds \
         WHERE program_id = $1 AND repository = $2 AND commit_id = $3",
    )
    .bind(program.number())
    .bind(repository)
    .bind(commit)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|(id, version)| KnownBuild { execution_id: ExecutionId::new(id), version }))
}
