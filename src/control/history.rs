//! A past for a pipeline.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Control;
use crate::domain::execution::Trigger;
use crate::domain::invalid::InvalidField;
use crate::engine::HistoryError;
use crate::extract::InPipeline;
use crate::http::body::read_object;
use crate::http::problem::Problem;

/// The most executions that one call makes.
const MOST: u32 = 10_000_000;

/// How many executions to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryBody {
    /// The number of executions.
    #[schema(minimum = 1, maximum = 10_000_000)]
    count: u32,
    /// What started the executions; `MANUAL` if absent. Re-executions and rollbacks need a
    /// production pipeline; the execution whose artifacts they copy does not exist.
    #[serde(default = "manual")]
    trigger: Trigger,
}

fn manual() -> Trigger {
    Trigger::Manual
}

/// The executions that were created.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = History)]
pub struct HistoryView {
    count: u32,
    /// The oldest of them.
    first_execution_id: String,
    /// The newest of them.
    last_execution_id: String,
}

/// Adds finished executions to a pipeline, dated before its existing ones.
#[utoipa::path(post, path = "/_emulator/program/{programId}/pipeline/{pipelineId}/history",
    operation_id = "postHistory", tag = "Emulator",
    params(InPipeline),
    request_body = HistoryBody,
    responses((status = 201, description = "The executions were created", body = HistoryView),
        (status = 409, description = "The state was reset or replaced in the meantime",
            body = Problem, content_type = "application/problem+json")))]
pub async fn post_history(
    State(control): State<Control>,
    InPipeline { pipeline, .. }: InPipeline,
    body: Bytes,
) -> Result<(StatusCode, Json<HistoryView>), Problem> {
    let HistoryBody { count, trigger } = read_object(&body)?;
    if count == 0 || count > MOST {
        return Err(invalid_count(count, format!("must be a whole number from 1 to {MOST}")));
    }
    let made = control.engine.add_history(pipeline.key(), count, trigger).await;
    let made = made.map_err(|error| refusal(error, count))?;
    let view = HistoryView {
        count,
        first_execution_id: made.first.to_string(),
        last_execution_id: made.last.to_string(),
    };
    Ok((StatusCode::CREATED, Json(view)))
}

fn refusal(error: HistoryError, count: u32) -> Problem {
    match error {
        HistoryError::NoSuchPipeline => Problem::not_found("The pipeline"),
        HistoryError::Replaced => {
            Problem::new(StatusCode::CONFLICT, "Conflict", format!("{error}."))
        }
        HistoryError::NotAProductionPipeline(trigger) => {
            let field = InvalidField::new("trigger", error.to_string());
            Problem::invalid([field.with_value(trigger.as_str())])
        }
        HistoryError::TooFar => invalid_count(count, error.to_string()),
        HistoryError::Store(error) => error.into(),
    }
}

fn invalid_count(count: u32, message: String) -> Problem {
    Problem::invalid([InvalidField::new("count", message).with_value(count)])
}
