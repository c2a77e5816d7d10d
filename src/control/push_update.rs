//! Updates by Adobe.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Control;
use crate::api::view::ExecutionView;
use crate::domain::execution::start::{ADOBE, StartRequest};
use crate::engine::read::Snapshot;
use crate::extract::InPipeline;
use crate::http::problem::Problem;

/// Starts an update by Adobe.
///
/// This is a complete execution with the trigger `PUSH_UPGRADES` and the commit of the last
/// successful execution. It always builds new artifacts.
#[utoipa::path(post, path = "/_emulator/program/{programId}/pipeline/{pipelineId}/push-update",
    operation_id = "postPushUpdate", tag = "Emulator",
    params(InPipeline),
    responses((status = 201, description = "The execution was started", body = ExecutionView),
        (status = 409, description = "No execution of the pipeline has finished successfully",
            body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "The pipeline is busy", body = Problem,
            content_type = "application/problem+json")))]
pub async fn post_push_update(
    State(control): State<Control>,
    InPipeline { pipeline, .. }: InPipeline,
) -> Result<(StatusCode, Json<ExecutionView>), Problem> {
    let user = Some(ADOBE.to_owned());
    let execution = control.engine.start(pipeline.key(), StartRequest::PushUpdate, user).await?;
    let now = execution.created_at;
    let view = ExecutionView::new(&Snapshot { execution, is_last: true, now });
    Ok((StatusCode::CREATED, Json(view)))
}
