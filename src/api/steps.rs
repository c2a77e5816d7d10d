//! Step states: read, advance, cancel, metrics.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Result as Answer;

use super::Api;
use super::view::{MetricsView, StepStateView};
use crate::access::gateway::{Caller, GatewayError};
use crate::domain::execution::links;
use crate::domain::execution::machine::Refusal;
use crate::domain::role;
use crate::engine::commands::{StepCommand, StepError};
use crate::extract::InStep;
use crate::http::body::read_json;
use crate::http::problem::Problem;

/// Returns the state of a step.
#[utoipa::path(get, path = "/api/program/{programId}/pipeline/{pipelineId}/execution/{executionId}/phase/{phaseId}/step/{stepId}",
    operation_id = "stepState", tag = "Pipeline Execution",
    params(InStep),
    responses((status = 200, description = "The step state", body = StepStateView)))]
pub async fn step_state(
    InStep { snapshot, position, .. }: InStep,
) -> Result<Json<StepStateView>, Problem> {
    StepStateView::new(&snapshot, position).map(Json).ok_or_else(|| Problem::not_found("The step"))
}

/// Advances a waiting step. The body depends on the action of the step.
#[utoipa::path(put, path = "/api/program/{programId}/pipeline/{pipelineId}/execution/{executionId}/phase/{phaseId}/step/{stepId}/advance",
    operation_id = "advancePipelineExecution", tag = "Pipeline Execution",
    params(InStep),
    request_body = Object,
    responses((status = 202, description = "The step continues")))]
pub async fn advance_pipeline_execution(
    State(api): State<Api>,
    caller: Caller,
    step: InStep,
    body: Bytes,
) -> Answer<StatusCode> {
    check_roles(&caller, &step, StepCommand::Advance)?;
    Ok(command(&api, &step, StepCommand::Advance, &body).await?)
}

/// Cancels a waiting step, or a running build or test. The body depends on the action of the step.
#[utoipa::path(put, path = "/api/program/{programId}/pipeline/{pipelineId}/execution/{executionId}/phase/{phaseId}/step/{stepId}/cancel",
    operation_id = "cancelPipelineExecutionStep", tag = "Pipeline Execution",
    params(InStep),
    request_body = Object,
    responses((status = 202, description = "The step is cancelled")))]
pub async fn cancel_pipeline_execution_step(
    State(api): State<Api>,
    caller: Caller,
    step: InStep,
    body: Bytes,
) -> Answer<StatusCode> {
    check_roles(&caller, &step, StepCommand::Cancel)?;
    Ok(command(&api, &step, StepCommand::Cancel, &body).await?)
}

/// Checks that the caller's roles allow the command. The step may have changed since it was read.
/// That is harmless: a step that no longer waits can't be cancelled by anybody.
fn check_roles(caller: &Caller, step: &InStep, command: StepCommand) -> Result<(), GatewayError> {
    let InStep { snapshot, position, key: _ } = step;
    let Some((plan, state)) = snapshot.execution.step(*position) else { return Ok(()) };
    match command {
        StepCommand::Advance => role::check_advance(caller.roles(), plan.action)?,
        StepCommand::Cancel => role::check_cancel(caller.roles(), plan.action, state.status())?,
    }
    Ok(())
}

async fn command(
    api: &Api,
    step: &InStep,
    command: StepCommand,
    body: &[u8],
) -> Result<StatusCode, Problem> {
    let body = read_json(body)?;
    api.engine.command_step(step.key, command, body).await.map_err(|error| match error {
        StepError::NoSuchStep => Problem::not_found("The step"),
        StepError::Refused(Refusal::Unavailable(reason)) => Problem::new(
            StatusCode::NOT_FOUND,
            "Not possible now",
            format!("It is not possible to {command} the step now: {reason}."),
        ),
        StepError::Refused(Refusal::Invalid(field)) => Problem::invalid([field]),
        StepError::Store(error) => error.into(),
    })?;
    Ok(StatusCode::ACCEPTED)
}

/// Returns the metrics of a step's quality gate.
#[utoipa::path(get, path = "/api/program/{programId}/pipeline/{pipelineId}/execution/{executionId}/phase/{phaseId}/step/{stepId}/metrics",
    operation_id = "stepMetric", tag = "Pipeline Execution",
    params(InStep),
    responses((status = 200, description = "The metrics", body = MetricsView)))]
pub async fn step_metric(
    InStep { snapshot, position, .. }: InStep,
) -> Result<Json<MetricsView>, Problem> {
    links::metrics(&snapshot.execution, position)
        .map_err(|reason| Problem::not_found(&format!("The list of metrics ({reason})")))?;
    Ok(Json(MetricsView::new(&snapshot, position)))
}
