//! Waiting for an execution, so that nobody needs to poll.

use std::time::Duration as RealDuration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;

use super::Control;
use super::extract::AnyExecution;
use crate::api::view::ExecutionView;
use crate::domain::execution::answer::InvalidField;
use crate::domain::time::Duration;
use crate::engine::wait::{Milestone, WaitError};
use crate::http::problem::Problem;
use crate::http::query::QueryParameters;

/// How long to wait when nothing is said, in real time.
const USUAL: Duration = Duration::from_secs(30);

/// How long to wait at most, in real time.
const LONGEST: Duration = Duration::from_mins(60);

/// Answers as soon as a step of the execution waits or the execution has ended (`WAITING`), or has
/// ended (`ENDED`).
#[utoipa::path(get,
    path = "/_emulator/program/{programId}/pipeline/{pipelineId}/execution/{executionId}/wait",
    operation_id = "waitForExecution", tag = "Emulator",
    params(AnyExecution,
        ("for" = String, Query, description = "WAITING or ENDED; WAITING also ends with the execution"),
        ("timeout" = Option<String>, Query,
            description = "How long to wait in real time, an ISO-8601 duration up to PT1H; PT30S if absent")),
    responses((status = 200, description = "The execution", body = ExecutionView),
        (status = 408, description = "It has not come so far in time", body = Problem,
            content_type = "application/problem+json"),
        (status = 503, description = "The emulator stops", body = Problem,
            content_type = "application/problem+json")))]
pub async fn wait_for_execution(
    State(control): State<Control>,
    AnyExecution(snapshot): AnyExecution,
    query: QueryParameters,
) -> Result<Json<ExecutionView>, Problem> {
    let (milestone, timeout) = read_query(&query)?;
    let execution = snapshot.execution;
    let reached = control.engine.wait_for(milestone, execution.pipeline, execution.id);
    let real = RealDuration::from_millis(timeout.as_millis().unsigned_abs());
    match tokio::time::timeout(real, reached).await {
        Ok(snapshot) => Ok(Json(ExecutionView::new(&snapshot?))),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "Not yet",
            format!("The execution has not come so far within {timeout} of real time."),
        )),
    }
}

fn read_query(query: &QueryParameters) -> Result<(Milestone, Duration), Problem> {
    let mut mistakes = query.unknown(&["for", "timeout"]);
    let milestone = match query.get("for") {
        Some("WAITING") => Some(Milestone::Waiting),
        Some("ENDED") => Some(Milestone::Ended),
        other => {
            mistakes.push(mistake("for", "must be WAITING or ENDED", other));
            None
        }
    };
    let sent = query.get("timeout");
    let timeout = sent.map_or(Ok(USUAL), Duration::parse);
    match &timeout {
        Ok(timeout) if *timeout <= LONGEST => {}
        Ok(_) => mistakes.push(mistake("timeout", "must be at most PT1H", sent)),
        Err(error) => mistakes.push(mistake("timeout", &error.to_string(), sent)),
    }
    match (milestone, timeout) {
        (Some(milestone), Ok(timeout)) if mistakes.is_empty() => Ok((milestone, timeout)),
        _ => Err(Problem::invalid(mistakes)),
    }
}

fn mistake(name: &str, message: &str, sent: Option<&str>) -> InvalidField {
    InvalidField {
        field: name.into(),
        message: message.into(),
        invalid_value: sent.map(Value::from),
    }
}

impl From<WaitError> for Problem {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::NoSuchExecution => Self::not_found("The execution"),
            WaitError::Stopping => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "Stopping", "The emulator stops.")
            }
            WaitError::Store(error) => error.into(),
        }
    }
}
