//! The clock: read it, set its rate, move it forward.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Control;
use crate::domain::execution::step::StepState;
use crate::domain::execution::{Execution, Progress};
use crate::domain::pipeline::Action;
use crate::domain::time::{Duration, Timestamp};
use crate::engine::clock::is_rate;
use crate::engine::{AdvanceError, Destination};
use crate::http::body::read_object;
use crate::http::problem::Problem;

/// How many timers are listed.
const TIMERS: u32 = 1000;

/// The clock.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Clock)]
pub struct ClockView {
    /// Emulated time.
    now: String,
    /// Emulated milliseconds per real millisecond.
    rate: f64,
    /// When the next timer is due; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_due: Option<String>,
}

/// How fast the clock should run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockBody {
    /// Emulated milliseconds per real millisecond; 0 stops the clock.
    #[schema(minimum = 0, maximum = 1_000_000)]
    rate: f64,
}

/// How far to move the clock: `by`, `to`, or neither to move it to the next timer.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdvanceBody {
    /// An ISO-8601 duration without years and months.
    #[schema(format = "duration")]
    by: Option<String>,
    /// An ISO-8601 time, not in the past.
    #[schema(format = DateTime)]
    to: Option<String>,
}

/// What happened while the clock was moved.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Advanced {
    /// Emulated time.
    now: String,
    /// The number of status changes of steps.
    transitions: u64,
    /// The number of events that were recorded for subscribers.
    events: u64,
    /// When the next timer is due; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_due: Option<String>,
}

/// The pending timers, soonest first, at most 1000.
#[derive(Debug, Serialize, ToSchema)]
pub struct Timers {
    timers: Vec<Timer>,
}

/// A change that is due at a certain time.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Timer {
    due_at: String,
    /// What happens then.
    kind: TimerKind,
    program_id: String,
    pipeline_id: String,
    execution_id: String,
    /// The action of the step that changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<Action>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step_id: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum TimerKind {
    /// The execution begins.
    Start,
    /// The pause before the step ends, and the step starts.
    StepStart,
    /// The pause after the last step ends, and so does the execution.
    End,
    /// The running step completes its work: it ends, or waits for an answer.
    WorkDone,
    /// The waiting step times out.
    Timeout,
    /// The scheduled time of the waiting step is reached.
    Scheduled,
    /// The cancellation of a running step completes.
    Cancelled,
}

impl Timer {
    fn new(due: Timestamp, execution: &Execution) -> Self {
        let current = execution.current_step().and_then(|position| execution.step(position));
        let kind = match (execution.progress, current) {
            (Progress::NotStarted, _) => TimerKind::Start,
            (Progress::Cancelling { .. }, _) => TimerKind::Cancelled,
            (_, None) => TimerKind::End,
            (_, Some((_, StepState::NotStarted))) => TimerKind::StepStart,
            (_, Some((_, StepState::Waiting { scheduled: Some(_), .. }))) => TimerKind::Scheduled,
            (_, Some((_, StepState::Waiting { .. }))) => TimerKind::Timeout,
            _ => TimerKind::WorkDone,
        };
        Self {
            due_at: due.to_string(),
            kind,
            program_id: execution.pipeline.program_id.to_string(),
            pipeline_id: execution.pipeline.pipeline_id.to_string(),
            execution_id: execution.id.to_string(),
            action: current.map(|(step, _)| step.action),
            step_id: current.map(|(step, _)| step.id.to_string()),
        }
    }
}

async fn view(control: &Control) -> Result<Json<ClockView>, Problem> {
    let next_due = control.engine.find_next_due().await?;
    Ok(Json(ClockView {
        now: control.engine.now().to_string(),
        rate: control.engine.clock_rate(),
        next_due: next_due.map(|due| due.to_string()),
    }))
}

/// Returns the clock.
#[utoipa::path(get, path = "/_emulator/clock", operation_id = "getClock", tag = "Emulator",
    responses((status = 200, description = "The clock", body = ClockView)))]
pub async fn get_clock(State(control): State<Control>) -> Result<Json<ClockView>, Problem> {
    view(&control).await
}

/// Sets how fast the clock runs.
#[utoipa::path(put, path = "/_emulator/clock", operation_id = "putClock", tag = "Emulator",
    request_body = ClockBody, responses((status = 200, description = "The clock", body = ClockView)))]
pub async fn put_clock(
    State(control): State<Control>,
    body: Bytes,
) -> Result<Json<ClockView>, Problem> {
    let ClockBody { rate } = read_object(&body)?;
    if !is_rate(rate) {
        let message = "must be a number from 0 to 1000000";
        return Err(Problem::invalid_parameter("rate", message, &rate.to_string()));
    }
    // Adding zero makes a negative zero positive.
    control.engine.set_clock_rate(rate + 0.0).await?;
    view(&control).await
}

/// Moves the clock forward. When the call returns, everything due up to the new time has happened.
#[utoipa::path(post, path = "/_emulator/clock/advance", operation_id = "advanceClock",
    tag = "Emulator", request_body = Option<AdvanceBody>,
    responses((status = 200, description = "What happened", body = Advanced)))]
pub async fn advance_clock(
    State(control): State<Control>,
    body: Bytes,
) -> Result<Json<Advanced>, Problem> {
    let body = if body.is_empty() { AdvanceBody::default() } else { read_object(&body)? };
    let destination = read_destination(&body)?;
    let settled = control.engine.advance_clock(destination).await.map_err(|error| {
        let (name, value) = match (&body.by, &body.to) {
            (Some(by), _) => ("by", by.as_str()),
            (_, to) => ("to", to.as_deref().unwrap_or_default()),
        };
        match error {
            AdvanceError::Store(error) => error.into(),
            error @ AdvanceError::Stopping(_) => Problem::stopping(format!("{error}.")),
            error => Problem::invalid_parameter(name, error.to_string(), value),
        }
    })?;
    let next_due = control.engine.find_next_due().await?;
    Ok(Json(Advanced {
        now: control.engine.now().to_string(),
        transitions: settled.transitions,
        events: settled.events,
        next_due: next_due.map(|due| due.to_string()),
    }))
}

fn read_destination(body: &AdvanceBody) -> Result<Destination, Problem> {
    match (&body.by, &body.to) {
        (Some(_), Some(to)) => {
            Err(Problem::invalid_parameter("to", "can't be given together with by", to))
        }
        (Some(by), None) => Duration::parse(by)
            .map(Destination::By)
            .map_err(|error| Problem::invalid_parameter("by", error.to_string(), by)),
        (None, Some(to)) => Timestamp::parse(to)
            .map(Destination::To)
            .map_err(|error| Problem::invalid_parameter("to", error.to_string(), to)),
        (None, None) => Ok(Destination::NextDue),
    }
}

/// Lists the pending timers, soonest first.
#[utoipa::path(get, path = "/_emulator/timers", operation_id = "getTimers", tag = "Emulator",
    responses((status = 200, description = "The timers", body = Timers)))]
pub async fn get_timers(State(control): State<Control>) -> Result<Json<Timers>, Problem> {
    let timers = control.engine.list_timers(TIMERS).await?;
    let timers = timers.iter().map(|(due, execution)| Timer::new(*due, execution)).collect();
    Ok(Json(Timers { timers }))
}
