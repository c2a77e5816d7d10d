//! The state machine of an execution.
//!
//! | state | input | becomes |
//! |---|---|---|
//! | execution not started | time: at its creation | running |
//! | pause before a step | time: the end of the pause | the step begins |
//! | pause after the last step | time: the end of the pause | execution finished |
//! | step running | time: `until` | finished, failed, error; waiting (gate, paused deploy) |
//! | step waiting for an answer | time: its deadline | failed (gates), cancelled (others) |
//! | schedule with a time | time: that time | finished |
//! | step waiting | advance | finished; running again (deploy); waiting (schedule with a time) |
//! | step waiting | cancel | failed (gates), cancelled (others) |
//! | build or test running | cancel | cancelled; the execution is cancelling |
//! | execution cancelling | time: `until` | cancelled |
//!
//! After the creation and after each finished step there is a pause, whose length is in the plan.
//! If the length is zero, the next change happens at the same instant, in the same transition. If a
//! step ends without success, the execution ends at once, with the same status. Every combination
//! that is not in the table is refused and changes nothing.

use serde_json::Value;

use crate::domain::event::{Event, EventKind};
use crate::domain::gate::{self, Decision};
use crate::domain::invalid::InvalidField;
use crate::domain::pipeline::Action;
use crate::domain::scenario::Outcome;
use crate::domain::time::{Duration, Timestamp};

use super::answer::{self, Answer};
use super::links::{self, Unavailable};
use super::plan::PlannedStep;
use super::status::StepStatus;
use super::step::{Scheduled, StepState};
use super::{End, Execution, Progress};
use crate::domain::environment::EnvironmentType;

/// A command to a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepRequest<'a> {
    /// Go on, with the answer in the body.
    Advance(&'a Value),
    /// Stop, with the answer in the body.
    Cancel(&'a Value),
}

/// Why a command is refused; nothing has changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// The step's state does not allow it.
    Unavailable(Unavailable),
    /// The body does not fit the step.
    Invalid(InvalidField),
}

/// The effects of transitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// The changes of the steps' statuses, in order.
    pub steps: Vec<StepChange>,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// A step that changed its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepChange {
    /// When.
    pub at: Timestamp,
    /// The position of the step in the execution.
    pub position: usize,
    /// The new status.
    pub status: StepStatus,
}

impl Effects {
    /// Returns how many times a step changed its status.
    #[must_use]
    pub fn transitions(&self) -> u64 {
        self.steps.len() as u64
    }

    /// Notes that a step has changed its status to the present one.
    fn note_step(&mut self, execution: &Execution, position: usize, at: Timestamp) {
        let status = execution.steps[position].status();
        self.steps.push(StepChange { at, position, status });
    }

    fn record(&mut self, kind: EventKind, at: Timestamp, step: Option<usize>) {
        self.events.push(Event { kind, at, step });
    }
}

/// Returns how long a step waits for an answer, or `None` if without a limit.
///
/// Source: the time-outs in Cloud Manager's documentation of code deployment.
#[must_use]
pub fn answer_timeout(step: &PlannedStep) -> Option<Duration> {
    match step.action {
        Action::Deploy => None,
        Action::Schedule | Action::Managed => Some(Duration::from_days(14)),
        Action::Approval if step.environment_type() == Some(EnvironmentType::Prod) => {
            Some(Duration::from_days(14))
        }
        _ => Some(Duration::from_days(7)),
    }
}

/// Returns the time of the next change that happens without a command, or `None` if the execution
/// has ended or waits without a time limit.
#[must_use]
pub fn due_at(execution: &Execution) -> Option<Timestamp> {
    match execution.progress {
        Progress::NotStarted => Some(execution.created_at),
        Progress::Cancelling { until, .. } => Some(until),
        Progress::Ended { .. } => None,
        Progress::Running => {
            if let Some(until) = execution.pause_until() {
                return Some(until);
            }
            let (plan, state) = execution.step(execution.current_step()?)?;
            match state {
                StepState::NotStarted | StepState::Ended { .. } => None,
                StepState::Running { until, .. } => Some(*until),
                StepState::Waiting { scheduled: Some(scheduled), .. } => Some(scheduled.at),
                StepState::Waiting { since, .. } => {
                    answer_timeout(plan).map(|timeout| *since + timeout)
                }
            }
        }
    }
}

/// Applies everything that is due up to and including `now`. Each change happens at its own due
/// time, however late this is called: restarts and jumps of the clock need no code of their own.
pub fn run_until(execution: &mut Execution, now: Timestamp, effects: &mut Effects) {
    while let Some(at) = due_at(execution).filter(|due| *due <= now) {
        fall_due(execution, at, effects);
    }
}

/// Runs an execution to its end. Waiting steps are advanced as soon as they wait.
pub fn run_to_the_end(execution: &mut Execution, effects: &mut Effects) {
    while let Some(due) = due_at(execution) {
        let waiting =
            execution.current_step().and_then(|position| match execution.steps.get(position)? {
                StepState::Waiting { since, .. } => Some((position, *since)),
                _ => None,
            });
        let agreed = waiting.is_some_and(|(position, since)| {
            let step = &execution.plan.steps[position];
            let body = answer::consent(step.action, &execution.plan.metrics(step));
            apply(execution, position, StepRequest::Advance(&body), since, effects).is_ok()
        });
        if !agreed {
            fall_due(execution, due, effects);
        }
    }
}

/// Cancels an execution in any state, because its program is deleted.
pub fn stop(execution: &mut Execution, at: Timestamp, effects: &mut Effects) {
    if matches!(execution.progress, Progress::Ended { .. }) {
        return;
    }
    if let Some(position) = execution.current_step()
        && execution.steps[position] != StepState::NotStarted
    {
        close_step(execution, position, End::Cancelled, at, None, effects);
    }
    end_execution(execution, End::Cancelled, at, effects);
}

/// Applies the one change that is due at `at`.
fn fall_due(execution: &mut Execution, at: Timestamp, effects: &mut Effects) {
    match execution.progress {
        Progress::NotStarted => {
            execution.progress = Progress::Running;
            effects.record(EventKind::ExecutionStarted, at, None);
            go_on(execution, 0, at, effects);
        }
        Progress::Cancelling { .. } => end_execution(execution, End::Cancelled, at, effects),
        Progress::Running => match execution.current_step() {
            Some(position) if execution.steps[position] == StepState::NotStarted => {
                begin_step(execution, position, at, effects);
            }
            Some(position) => step_falls_due(execution, position, at, effects),
            None => end_execution(execution, End::Finished, at, effects),
        },
        Progress::Ended { .. } => {}
    }
}

/// Begins the step at a position, or finishes the execution if there is none, unless there is a
/// pause before.
fn go_on(execution: &mut Execution, position: usize, at: Timestamp, effects: &mut Effects) {
    if !execution.plan.pause_before(position).is_zero() {
        return;
    }
    if position < execution.steps.len() {
        begin_step(execution, position, at, effects);
    } else {
        end_execution(execution, End::Finished, at, effects);
    }
}

fn step_falls_due(
    execution: &mut Execution,
    position: usize,
    at: Timestamp,
    effects: &mut Effects,
) {
    // Copies the `Arc`: the plan is read while the execution is changed.
    let plan = execution.plan.clone();
    let Some(step) = plan.steps.get(position) else { return };
    match &execution.steps[position] {
        StepState::Running { started_at, resumed_at, .. } => {
            match work_done(execution, step, resumed_at.is_some()) {
                WorkDone::Ends(end) => {
                    let answer = resumed_at.map(|_| Answer::Resume(true));
                    end_step(execution, position, end, at, answer, effects);
                }
                WorkDone::Waits => {
                    let started_at = *started_at;
                    execution.steps[position] =
                        StepState::Waiting { started_at, since: at, scheduled: None };
                    effects.note_step(execution, position, at);
                    effects.record(EventKind::StepWaiting, at, Some(position));
                }
            }
        }
        StepState::Waiting { scheduled: Some(scheduled), .. } => {
            let answer = Some(scheduled.answer());
            end_step(execution, position, End::Finished, at, answer, effects);
        }
        StepState::Waiting { .. } => {
            end_step(execution, position, end_when_rejected(step.action), at, None, effects);
            if let StepState::Ended { timed_out, .. } = &mut execution.steps[position] {
                *timed_out = true;
            }
        }
        StepState::NotStarted | StepState::Ended { .. } => {}
    }
}

/// What happens when the work of a step is done.
enum WorkDone {
    Ends(End),
    Waits,
}

fn work_done(execution: &Execution, step: &PlannedStep, resumed: bool) -> WorkDone {
    let plan = &execution.plan;
    match step.outcome {
        Outcome::Failed => return WorkDone::Ends(End::Failed),
        Outcome::Error => return WorkDone::Ends(End::Error),
        Outcome::Paused if !resumed => return WorkDone::Waits,
        Outcome::Paused | Outcome::Finished => {}
    }
    if step.action == Action::Validate && !plan.problems.is_empty() {
        return WorkDone::Ends(End::Failed);
    }
    match gate::decide(&plan.metrics(step), plan.important_failures, plan.kind) {
        Decision::Pass | Decision::Override => WorkDone::Ends(End::Finished),
        Decision::Fail => WorkDone::Ends(End::Failed),
        Decision::Wait => WorkDone::Waits,
    }
}

/// Returns how a step ends when it is rejected or not answered in time.
fn end_when_rejected(action: Action) -> End {
    if gate::Gate::of(action).is_some() { End::Failed } else { End::Cancelled }
}

fn begin_step(execution: &mut Execution, position: usize, at: Timestamp, effects: &mut Effects) {
    let step = &execution.plan.steps[position];
    if step.action.waits_for_a_person() {
        execution.steps[position] =
            StepState::Waiting { started_at: at, since: at, scheduled: None };
        effects.note_step(execution, position, at);
        effects.record(EventKind::StepWaiting, at, Some(position));
        return;
    }
    // A paused deployment works for half of its duration before the pause, and the rest after it.
    let work = match step.outcome {
        Outcome::Paused => step.duration.divided_by(2),
        _ => step.duration,
    };
    // Cloud Manager sends no start event for scans.
    if step.action != Action::CodeQuality {
        effects.record(EventKind::StepStarted, at, Some(position));
    }
    execution.steps[position] =
        StepState::Running { started_at: at, until: at + work, resumed_at: None };
    effects.note_step(execution, position, at);
}

fn end_step(
    execution: &mut Execution,
    position: usize,
    end: End,
    at: Timestamp,
    answer: Option<Answer>,
    effects: &mut Effects,
) {
    close_step(execution, position, end, at, answer, effects);
    if end == End::Finished {
        go_on(execution, position + 1, at, effects);
    } else {
        end_execution(execution, end, at, effects);
    }
}

/// Ends a step. The caller decides what comes after it.
fn close_step(
    execution: &mut Execution,
    position: usize,
    end: End,
    at: Timestamp,
    answer: Option<Answer>,
    effects: &mut Effects,
) {
    let state = &mut execution.steps[position];
    *state = StepState::Ended {
        end,
        started_at: state.started_at().unwrap_or(at),
        at,
        resumed_at: state.resumed_at(),
        answer,
        timed_out: false,
    };
    effects.note_step(execution, position, at);
    effects.record(EventKind::StepEnded, at, Some(position));
}

fn end_execution(execution: &mut Execution, end: End, at: Timestamp, effects: &mut Effects) {
    execution.progress = Progress::Ended { end, at };
    effects.record(EventKind::ExecutionEnded, at, None);
}

/// Applies a command to the step at `position`. The caller must have called [`run_until`] for `at`
/// before: an overdue change may be why the command is refused.
pub fn apply(
    execution: &mut Execution,
    position: usize,
    command: StepRequest<'_>,
    at: Timestamp,
    effects: &mut Effects,
) -> Result<(), Refusal> {
    match command {
        StepRequest::Advance(body) => advance(execution, position, body, at, effects),
        StepRequest::Cancel(body) => cancel(execution, position, body, at, effects),
    }
}

fn advance(
    execution: &mut Execution,
    position: usize,
    body: &Value,
    at: Timestamp,
    effects: &mut Effects,
) -> Result<(), Refusal> {
    links::advance(execution, position).map_err(Refusal::Unavailable)?;
    let plan = execution.plan.clone();
    let step = &plan.steps[position];
    let answer = answer::read_advance(step.action, &plan.metrics(step), body, at)
        .map_err(Refusal::Invalid)?;
    let state = &mut execution.steps[position];
    match (answer, state) {
        (Answer::Schedule { at: time, text }, StepState::Waiting { scheduled, .. }) => {
            *scheduled = Some(Scheduled { at: time, text, given_at: at });
        }
        (Answer::Resume(true), state) => {
            let rest = step.duration - step.duration.divided_by(2);
            *state = StepState::Running {
                started_at: state.started_at().unwrap_or(at),
                until: at + rest,
                resumed_at: Some(at),
            };
            effects.note_step(execution, position, at);
        }
        (answer @ Answer::Resume(false), _) => {
            end_step(execution, position, End::Cancelled, at, Some(answer), effects);
        }
        (answer, _) => end_step(execution, position, End::Finished, at, Some(answer), effects),
    }
    Ok(())
}

fn cancel(
    execution: &mut Execution,
    position: usize,
    body: &Value,
    at: Timestamp,
    effects: &mut Effects,
) -> Result<(), Refusal> {
    links::cancel(execution, position).map_err(Refusal::Unavailable)?;
    let plan = execution.plan.clone();
    let action = plan.steps[position].action;
    let state = &execution.steps[position];
    let answer = answer::read_cancel(action, state.status(), body).map_err(Refusal::Invalid)?;
    if matches!(state, StepState::Waiting { .. }) {
        end_step(execution, position, end_when_rejected(action), at, Some(answer), effects);
        return Ok(());
    }
    // A running step is stopped at once, but the execution takes a while to wind down.
    close_step(execution, position, End::Cancelled, at, Some(answer), effects);
    execution.progress = Progress::Cancelling { since: at, until: at + plan.cancelling };
    Ok(())
}
