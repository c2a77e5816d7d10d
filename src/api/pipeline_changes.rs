//! Changing and deleting pipelines.

mod immutable_fields;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;

use super::Api;
use super::pipelines::{PipelineView, activity};
use super::refusal::refusal;
use crate::domain::pipeline_update::PipelineUpdate;
use crate::extract::InPipeline;
use crate::http::body::read_object;
use crate::http::problem::Problem;

const WHAT: &str = "The pipeline";

/// Changes the branch, the repository, the environments or the dispatcher paths of a pipeline.
/// Absent fields keep their values. Either all changes are made or none.
/// All other fields must repeat their current value, since clients send back what they have read.
#[utoipa::path(patch, path = "/api/program/{programId}/pipeline/{pipelineId}",
    operation_id = "patchPipeline", tag = "Pipelines", params(InPipeline),
    request_body = PipelineUpdate,
    responses((status = 200, description = "The pipeline", body = PipelineView),
        (status = 412, description = "The pipeline has an unfinished execution", body = Problem,
            content_type = "application/problem+json")))]
pub async fn patch_pipeline(
    State(api): State<Api>,
    InPipeline { program, pipeline }: InPipeline,
    body: Bytes,
) -> Result<Json<PipelineView>, Problem> {
    let update: PipelineUpdate = read_object(&body)?;
    let shown = PipelineView::new(&pipeline, activity(&api, &program, &pipeline).await?);
    immutable_fields::check(&body, &shown)?;
    let changed = api.engine.update_pipeline(pipeline.key(), update).await;
    let pipeline = changed.map_err(|error| refusal(error, WHAT))?;
    Ok(Json(PipelineView::new(&pipeline, activity(&api, &program, &pipeline).await?)))
}

/// Deletes a pipeline; it must have no unfinished execution.
#[utoipa::path(delete, path = "/api/program/{programId}/pipeline/{pipelineId}",
    operation_id = "deletePipeline", tag = "Pipelines", params(InPipeline),
    responses((status = 204, description = "The pipeline is deleted"),
        (status = 412, description = "The pipeline has an unfinished execution", body = Problem,
            content_type = "application/problem+json")))]
pub async fn delete_pipeline(
    State(api): State<Api>,
    InPipeline { pipeline, .. }: InPipeline,
) -> Result<StatusCode, Problem> {
    let deleted = api.engine.delete_pipeline(pipeline.key()).await;
    deleted.map_err(|error| refusal(error, WHAT))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Empties the build cache of a pipeline. The next build downloads everything again.
#[utoipa::path(delete, path = "/api/program/{programId}/pipeline/{pipelineId}/cache",
    operation_id = "invalidateCache", tag = "Pipelines", params(InPipeline),
    responses((status = 204, description = "The cache is empty")))]
pub async fn invalidate_cache(
    State(api): State<Api>,
    InPipeline { pipeline, .. }: InPipeline,
) -> Result<StatusCode, Problem> {
    let emptied = api.engine.invalidate_cache(pipeline.key()).await;
    emptied.map_err(|error| refusal(error, WHAT))?;
    Ok(StatusCode::NO_CONTENT)
}
