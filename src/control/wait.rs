//! Waiting for an execution, so that nobody needs to poll.

use std::time::Duration as RealDuration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa::IntoParams;

use super::Control;
use crate::api::view::ExecutionView;
use crate::domain::time::Duration;
use crate::engine::wait::{Milestone, WaitError};
use crate::extract::InExecution;
use crate::http::problem::Problem;
use crate::http::query::{QueryParameters, QueryReader};

/// How long to wait when nothing is said, in real time.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long to wait at most, in real time.
const MAX_TIMEOUT: Duration = Duration::from_mins(60);

/// Waits for an execution, and returns it.
///
/// With `for=WAITING`, waits until a step waits or the execution has ended; with `for=ENDED`, until it
/// has ended.
#[utoipa::path(get,
    path = "/_emulator/program/{programId}/pipeline/{pipelineId}/execution/{executionId}/wait",
    operation_id = "waitForExecution", tag = "Emulator",
    params(InExecution,
        ("for" = String, Query, pattern = "^(WAITING|ENDED)$", description = "`WAITING` or `ENDED`; `WAITING` also returns when the execution has ended"),
        TimeoutParameter),
    responses((status = 200, description = "The execution", body = ExecutionView),
        (status = 408, description = "The execution did not reach this state in time", body = Problem,
            content_type = "application/problem+json"),
        (status = 503, description = "The emulator is shutting down", body = Problem,
            content_type = "application/problem+json")))]
pub async fn wait_for_execution(
    State(control): State<Control>,
    InExecution { snapshot }: InExecution,
    query: QueryParameters,
) -> Result<Json<ExecutionView>, Problem> {
    let mut reader = QueryReader::new(&query, &["for", "timeout"]);
    let milestone = reader.read_required("for", |text| match text {
        "WAITING" => Ok(Milestone::Waiting),
        "ENDED" => Ok(Milestone::Ended),
        _ => Err("must be WAITING or ENDED".into()),
    });
    let timeout = read_timeout(&mut reader);
    reader.finish()?;
    // `finish` has returned an error if the milestone is missing or invalid.
    let milestone = milestone.unwrap_or(Milestone::Ended);
    if milestone.is_reached(&snapshot.execution) {
        return Ok(Json(ExecutionView::new(&snapshot)));
    }
    let execution = snapshot.execution;
    let reached = control.engine.wait_for(milestone, execution.pipeline, execution.id);
    let snapshot = with_timeout(timeout, "The execution did not reach this state", reached).await?;
    Ok(Json(ExecutionView::new(&snapshot)))
}

/// The query parameter that says how long to wait.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what `read_timeout` reads")]
pub struct TimeoutParameter {
    /// How long to wait in real time: seconds, or an ISO-8601 duration, up to PT1H; PT30S if absent.
    timeout: Option<String>,
}

/// How long the caller wants to wait, in real time.
pub(super) fn read_timeout(reader: &mut QueryReader<'_>) -> Duration {
    let timeout = reader.read("timeout", |text| {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let in_seconds = Duration::parse(&format!("PT{text}S")).ok().filter(|_| is_number);
        match in_seconds.map_or_else(|| Duration::parse(text), Ok) {
            Ok(timeout) if timeout <= MAX_TIMEOUT => Ok(timeout),
            Ok(_) => Err("must be at most PT1H".into()),
            Err(_) => {
                let expected = "must be whole seconds or an ISO-8601 duration, as in 30 or PT1M30S";
                Err(expected.into())
            }
        }
    });
    timeout.unwrap_or(DEFAULT_TIMEOUT)
}

/// Waits for a future, at most `timeout` in real time. Returns 408 with the message `not_yet` if it
/// is not ready by then.
pub(super) async fn with_timeout<T, E: Into<Problem>>(
    timeout: Duration,
    not_yet: &str,
    waiting: impl Future<Output = Result<T, E>>,
) -> Result<T, Problem> {
    let real = RealDuration::from_millis(timeout.as_millis().unsigned_abs());
    match tokio::time::timeout(real, waiting).await {
        Ok(reached) => reached.map_err(Into::into),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "Timed out",
            format!("{not_yet} within {timeout} of real time."),
        )),
    }
}

impl From<WaitError> for Problem {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::NoSuchExecution => Self::not_found("The execution"),
            WaitError::Stopping => Self::stopping("The emulator is shutting down."),
            WaitError::Store(error) => error.into(),
        }
    }
}
