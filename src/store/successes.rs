//! The newest successes of each pipeline. They are stored and not searched: among the executions,
//! the search for other artifacts would take longer the more executions have the same.

use super::insert::insert_rows;
use super::{Database, StoreError, Transaction};
use crate::domain::execution::Execution;
use crate::domain::execution::rollback::Successes;
use crate::domain::id::{ExecutionId, PipelineId, PipelineKey, ProgramId};

type Row = (i64, i64, Option<i64>);

fn read((last, built_by, other): Row) -> Successes {
    Successes {
        last: ExecutionId::new(last),
        built_by: ExecutionId::new(built_by),
        other: other.map(ExecutionId::new),
    }
}

/// Stores that these executions have just finished, at most one of each pipeline.
pub async fn record<'e>(
    tx: &mut Transaction,
    finished: impl Iterator<Item = &'e Execution>,
) -> Result<(), StoreError> {
    let rows: Vec<_> = finished
        .map(|execution| {
            let PipelineKey { program_id, pipeline_id } = execution.pipeline;
            (program_id, pipeline_id, execution.id, execution.built_by())
        })
        .collect();
    insert_rows(
        tx,
        "INSERT INTO successes (program_id, pipeline_id, last_id, built_by) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each($1) WHERE true \
         ON CONFLICT DO UPDATE SET \
             other_id = iif(built_by = excluded.built_by, other_id, last_id), \
             last_id = excluded.last_id, built_by = excluded.built_by",
        &rows,
    )
    .await
}

/// Stores an execution that has finished before all others of its pipeline.
pub async fn record_past(
    tx: &mut Transaction,
    pipeline: PipelineKey,
    id: ExecutionId,
    built_by: ExecutionId,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO successes (program_id, pipeline_id, last_id, built_by) VALUES ($1, $2, $3, $4) \
         ON CONFLICT DO UPDATE SET other_id = excluded.last_id \
         WHERE other_id IS NULL AND built_by <> excluded.built_by",
    )
    .bind(pipeline.program_id.number())
    .bind(pipeline.pipeline_id.number())
    .bind(id.number())
    .bind(built_by.number())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Returns the successes of a pipeline, or `None` if there was none.
pub async fn find(
    tx: &mut Transaction,
    pipeline: PipelineKey,
) -> Result<Option<Successes>, StoreError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT last_id, built_by, other_id FROM successes \
         WHERE program_id = $1 AND pipeline_id = $2",
    )
    .bind(pipeline.program_id.number())
    .bind(pipeline.pipeline_id.number())
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(read))
}

/// Returns the successes of the pipelines of a program, or of one of them, in the order of the
/// pipelines.
pub async fn list(
    database: &Database,
    program: ProgramId,
    pipeline: Option<PipelineId>,
) -> Result<Vec<(PipelineId, Successes)>, StoreError> {
    let rows: Vec<(i64, i64, i64, Option<i64>)> = sqlx::query_as(
        "SELECT pipeline_id, last_id, built_by, other_id FROM successes \
         WHERE program_id = $1 AND ($2 IS NULL OR pipeline_id = $2) ORDER BY pipeline_id",
    )
    .bind(program.number())
    .bind(pipeline.map(PipelineId::number))
    .fetch_all(database.readers())
    .await?;
    let read_row = |(pipeline, last, built_by, other)| {
        (PipelineId::new(pipeline), read((last, built_by, other)))
    };
    Ok(rows.into_iter().map(read_row).collect())
}

/// Computes all successes again, in a database that nobody else uses: those in the file of somebody
/// else may be wrong.
#[allow(clippy::disallowed_methods, reason = "memory has nothing of this database")]
pub async fn recompute(database: &Database) -> Result<(), StoreError> {
    let mut tx = Database::begin(database).await?;
    sqlx::query("DELETE FROM successes").execute(&mut *tx).await?;
    sqlx::query(COMPUTE).execute(&mut *tx).await?;
    tx.commit().await.map(drop)
}

/// As in the migration that made the table.
const COMPUTE: &str = "
    INSERT INTO successes
    WITH origins AS MATERIALIZED (
        SELECT id AS plan_id, body ->> '$.code.built_by.execution_id' AS built_by FROM plans
    ), finished AS (
        SELECT program_id, pipeline_id, sequence, id, coalesce(built_by, id) AS built_by
        FROM executions JOIN origins USING (plan_id) WHERE status = 'FINISHED'
    ), newest AS (
        SELECT program_id, pipeline_id, max(sequence), id, built_by FROM finished
        GROUP BY program_id, pipeline_id
    )
    SELECT program_id, pipeline_id, id, built_by,
           (SELECT other.id FROM finished AS other
            WHERE other.program_id = newest.program_id AND other.pipeline_id = newest.pipeline_id
              AND other.built_by <> newest.built_by
            ORDER BY other.sequence DESC LIMIT 1)
    FROM newest";
