//! Builds: which execution made the artifacts of a commit.

use sha2::{Digest, Sha256};

use super::insert::insert_rows;
use super::{StoreError, Transaction};
use crate::domain::execution::Execution;
use crate::domain::execution::plan::{Code, KnownBuild};
use crate::domain::id::{ExecutionId, ProgramId};

/// Returns what tells one list of what is to be built from another; empty for the demo's files.
fn outputs_key(code: &Code) -> String {
    let Some(outputs) = &code.outputs else { return String::new() };
    // Writing what was read or checked before does not fail.
    let list = serde_json::to_vec(outputs).unwrap_or_default();
    format!("{:x}", Sha256::digest(list))
}

/// Stores that these executions have built artifacts. For each commit and list of what is to be
/// built, the first build stays.
pub async fn insert<'e>(
    tx: &mut Transaction,
    executions: impl Iterator<Item = &'e Execution>,
) -> Result<(), StoreError> {
    let rows: Vec<_> = executions
        .filter_map(|execution| {
            let Code { repository, commit, .. } = &execution.plan.code;
            let program_id = execution.pipeline.program_id;
            let commit = commit.as_ref()?;
            let (outputs, version) =
                (outputs_key(&execution.plan.code), execution.artifacts_version());
            Some((program_id, repository, commit, outputs, execution.id, version))
        })
        .collect();
    insert_rows(
        tx,
        "INSERT INTO builds (program_id, repository, commit_id, outputs, execution_id, version) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 \
         FROM json_each($1) WHERE true ON CONFLICT DO NOTHING",
        &rows,
    )
    .await
}

/// Returns the build of the same commit that left the same.
pub async fn find(
    tx: &mut Transaction,
    program: ProgramId,
    code: &Code,
) -> Result<Option<KnownBuild>, StoreError> {
    let row: Option<(i64, String)> = sqlx::query_as(
        "SELECT execution_id, version FROM builds \
         WHERE program_id = $1 AND repository = $2 AND commit_id = $3 AND outputs = $4",
    )
    .bind(program.number())
    .bind(&code.repository)
    .bind(&code.commit)
    .bind(outputs_key(code))
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|(id, version)| KnownBuild { execution_id: ExecutionId::new(id), version }))
}
