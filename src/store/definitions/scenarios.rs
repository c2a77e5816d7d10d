//! Scenarios, as they were written; one for a pipeline at most.

use crate::domain::id::{PipelineId, PipelineKey, ProgramId};
use crate::domain::scenario_document::ScenarioDocument;
use crate::store::insert::insert_rows;
use crate::store::{Database, InRow, StoreError, Transaction, parse_json};

fn read(
    pipeline: PipelineKey,
    row: Option<(Option<u32>, String)>,
) -> Result<Option<ScenarioDocument>, StoreError> {
    row.map(|(times, steps)| {
        let PipelineKey { program_id, pipeline_id } = pipeline;
        let key = (program_id.number(), pipeline_id.number());
        let steps = parse_json(&steps).in_row("scenarios", key)?;
        Ok(ScenarioDocument { times, steps })
    })
    .transpose()
}

const FIND: &str = "SELECT times, steps FROM scenarios WHERE program_id = $1 AND pipeline_id = $2";

/// Returns the scenario of a pipeline.
pub async fn find(
    database: &Database,
    pipeline: PipelineKey,
) -> Result<Option<ScenarioDocument>, StoreError> {
    let row = sqlx::query_as(FIND)
        .bind(pipeline.program_id.number())
        .bind(pipeline.pipeline_id.number())
        .fetch_optional(database.readers())
        .await?;
    read(pipeline, row)
}

/// Returns the scenario of a pipeline for an execution that starts now; it holds for one execution
/// less.
pub async fn take(
    tx: &mut Transaction,
    pipeline: PipelineKey,
) -> Result<Option<ScenarioDocument>, StoreError> {
    let row = sqlx::query_as(FIND)
        .bind(pipeline.program_id.number())
        .bind(pipeline.pipeline_id.number())
        .fetch_optional(&mut **tx)
        .await?;
    let found = read(pipeline, row)?;
    match found.as_ref().map(|scenario| scenario.times) {
        None | Some(None) => {}
        Some(Some(0 | 1)) => delete(tx, pipeline).await?,
        Some(Some(_)) => {
            sqlx::query(
                "UPDATE scenarios SET times = times - 1 WHERE program_id = $1 AND pipeline_id = $2",
            )
            .bind(pipeline.program_id.number())
            .bind(pipeline.pipeline_id.number())
            .execute(&mut **tx)
            .await?;
        }
    }
    Ok(found)
}

/// Stores scenarios, each in place of its pipeline's earlier one.
pub async fn put(
    tx: &mut Transaction,
    scenarios: &[(PipelineKey, ScenarioDocument)],
) -> Result<(), StoreError> {
    let rows: Vec<_> = scenarios
        .iter()
        .map(|(pipeline, ScenarioDocument { times, steps })| {
            (pipeline.program_id, pipeline.pipeline_id, times, steps)
        })
        .collect();
    insert_rows(
        tx,
        "INSERT INTO scenarios (program_id, pipeline_id, times, steps) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value -> 3 FROM json_each($1) WHERE true \
         ON CONFLICT (program_id, pipeline_id) \
         DO UPDATE SET times = excluded.times, steps = excluded.steps",
        &rows,
    )
    .await
}

/// Deletes the scenario of a pipeline, if it has one.
pub async fn delete(tx: &mut Transaction, pipeline: PipelineKey) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM scenarios WHERE program_id = $1 AND pipeline_id = $2")
        .bind(pipeline.program_id.number())
        .bind(pipeline.pipeline_id.number())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Reads every scenario, so that what can't be read is found now.
pub async fn check_all(database: &Database) -> Result<(), StoreError> {
    let rows: Vec<(i64, i64, Option<u32>, String)> =
        sqlx::query_as("SELECT program_id, pipeline_id, times, steps FROM scenarios")
            .fetch_all(database.readers())
            .await?;
    rows.into_iter().try_for_each(|(program_id, pipeline_id, times, steps)| {
        let (program_id, pipeline_id) = (ProgramId::new(program_id), PipelineId::new(pipeline_id));
        read(PipelineKey { program_id, pipeline_id }, Some((times, steps))).map(drop)
    })
}
