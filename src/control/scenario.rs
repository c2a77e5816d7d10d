//! Scenarios: how the next executions of a pipeline go.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;

use super::Control;
use crate::domain::scenario_document::ScenarioDocument;
use crate::extract::InPipeline;
use crate::http::body::{invalid, read_object};
use crate::http::problem::Problem;

/// Returns the scenario of a pipeline, with the number of executions that it still applies to.
#[utoipa::path(get, path = "/_emulator/program/{programId}/pipeline/{pipelineId}/scenario",
    operation_id = "getScenario", tag = "Emulator",
    params(InPipeline),
    responses((status = 200, description = "The scenario", body = ScenarioDocument)))]
pub async fn get_scenario(
    State(control): State<Control>,
    InPipeline { pipeline, .. }: InPipeline,
) -> Result<Json<ScenarioDocument>, Problem> {
    let found = control.engine.find_scenario(pipeline.key()).await?;
    found.map(Json).ok_or_else(|| Problem::not_found("A scenario of the pipeline"))
}

/// Sets or replaces the scenario of a pipeline.
#[utoipa::path(put, path = "/_emulator/program/{programId}/pipeline/{pipelineId}/scenario",
    operation_id = "putScenario", tag = "Emulator",
    params(InPipeline),
    request_body = ScenarioDocument,
    responses((status = 200, description = "The scenario", body = ScenarioDocument)))]
pub async fn put_scenario(
    State(control): State<Control>,
    InPipeline { program, pipeline }: InPipeline,
    body: Bytes,
) -> Result<Json<ScenarioDocument>, Problem> {
    let document: ScenarioDocument = read_object(&body)?;
    document.read(&program, &pipeline).map_err(|fields| invalid(fields, &body))?;
    control.engine.put_scenario(pipeline.key(), document.clone()).await?;
    Ok(Json(document))
}

/// Deletes the scenario of a pipeline, if it has one.
#[utoipa::path(delete, path = "/_emulator/program/{programId}/pipeline/{pipelineId}/scenario",
    operation_id = "deleteScenario", tag = "Emulator",
    params(InPipeline),
    responses((status = 204, description = "The pipeline has no scenario now")))]
pub async fn delete_scenario(
    State(control): State<Control>,
    InPipeline { pipeline, .. }: InPipeline,
) -> Result<StatusCode, Problem> {
    control.engine.delete_scenario(pipeline.key()).await?;
    Ok(StatusCode::NO_CONTENT)
}
