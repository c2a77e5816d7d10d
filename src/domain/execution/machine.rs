//! The state machine of an execution.
//!
//! | state | input | becomes |
//! |---|---|---|
//! | execution not started | time: at its creation | running, first step begins |
//! | step running | time: `until` | finished, failed, error; waiting (gate, paused deploy) |
//! | step waiting for an answer | time: its deadline | failed (gates), cancelled (others) |
//! | schedule with a time | time: that time | finished |
//! | step waiting | advance | finished; running again (deploy); waiting (schedule with a time) |
//! | step waiting | cancel | failed (gates), cancelled (others) |
//! | build or test running | cancel | cancelled; the execution is cancelling |
//! | execution cancelling | time: `until` | cancelled |
//!
//! A step begins at the instant at which the one before it ended. Where a step ends other than
//! finished, the execution ends with it, the same way. Every other pair is refused and changes
//! nothing.

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
use super::step::{Scheduled, StepState};
use super::{End, Execution, Progress};
use crate::domain::environment::EnvironmentType;

/// What somebody asks of a step.
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

/// What one or more transitions brought about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// How many times a step changed its status.
    pub transitions: u64,
    /// What happened, in order.
    pub events: Vec<Event>,
}

impl Effects {
    fn tell(&mut self, kind: EventKind, at: Timestamp, step: Option<usize>) {
        self.events.push(Event { kind, at, step });
    }
}

/// How long a step waits for an answer; for ever if it may.
///
/// Source: the time-outs in Cloud Manager's documentation of code deployment.
#[must_use]
pub fn patience(step: &PlannedStep) -> Option<Duration> {
    match step.action {
        Action::Deploy => None,
        Action::Schedule | Action::Managed => Some(Duration::from_days(14)),
        Action::Approval if step.environment_type() == Some(EnvironmentType::Prod) => {
            Some(Duration::from_days(14))
        }
        _ => Some(Duration::from_days(7)),
    }
}

/// When time alone will next change the execution; never if it is over or waits for ever.
#[must_use]
pub fn due_at(execution: &Execution) -> Option<Timestamp> {
    match execution.progress {
        Progress::NotStarted => Some(execution.created_at),
        Progress::Cancelling { until, .. } => Some(until),
        Progress::Ended { .. } => None,
        Progress::Running => {
            let (plan, state) = execution.step(execution.current_step()?)?;
            match state {
                // The turn of the next step comes with the end of the one before.
                StepState::NotStarted | StepState::Ended { .. } => None,
                StepState::Running { until, .. } => Some(*until),
                StepState::Waiting { scheduled: Some(scheduled), .. } => Some(scheduled.at),
                StepState::Waiting { since, .. } => {
                    patience(plan).map(|patience| *since + patience)
                }
            }
        }
    }
}

/// Lets time pass up to and including `now`; each change happens at its own due time.
pub fn run_until(execution: &mut Execution, now: Timestamp, effects: &mut Effects) {
    while let Some(at) = due_at(execution).filter(|due| *due <= now) {
        fall_due(execution, at, effects);
    }
}

/// Lets all the time pass that an execution needs to its end, as if everybody who is asked agreed
/// at once.
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

/// Ends an execution that is not over, whatever it does, because its program goes away.
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

/// What is due at `at` happens.
fn fall_due(execution: &mut Execution, at: Timestamp, effects: &mut Effects) {
    match execution.progress {
        Progress::NotStarted => {
            execution.progress = Progress::Running;
            effects.tell(EventKind::ExecutionStarted, at, None);
            begin_step(execution, 0, at, effects);
        }
        Progress::Cancelling { .. } => end_execution(execution, End::Cancelled, at, effects),
        Progress::Running => {
            if let Some(position) = execution.current_step() {
                step_falls_due(execution, position, at, effects);
            }
        }
        Progress::Ended { .. } => {}
    }
}

fn step_falls_due(
    execution: &mut Execution,
    position: usize,
    at: Timestamp,
    effects: &mut Effects,
) {
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
                    effects.transitions += 1;
                    effects.tell(EventKind::StepWaiting, at, Some(position));
                }
            }
        }
        StepState::Waiting { scheduled: Some(scheduled), .. } => {
            let answer = Some(scheduled.answer());
            end_step(execution, position, End::Finished, at, answer, effects);
        }
        StepState::Waiting { .. } => {
            end_step(execution, position, rejection(step.action), at, None, effects);
            if let StepState::Ended { timed_out, .. } = &mut execution.steps[position] {
                *timed_out = true;
            }
        }
        StepState::NotStarted | StepState::Ended { .. } => {}
    }
}

/// What the end of a step's work leads to.
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

/// How a step ends that somebody rejects, or that nobody answers in time.
fn rejection(action: Action) -> End {
    if gate::Gate::of(action).is_some() { End::Failed } else { End::Cancelled }
}

fn begin_step(execution: &mut Execution, position: usize, at: Timestamp, effects: &mut Effects) {
    let step = &execution.plan.steps[position];
    effects.transitions += 1;
    if step.action.waits_for_a_person() {
        execution.steps[position] =
            StepState::Waiting { started_at: at, since: at, scheduled: None };
        effects.tell(EventKind::StepWaiting, at, Some(position));
        return;
    }
    let work = match step.outcome {
        Outcome::Paused => step.duration.divided_by(2),
        _ => step.duration,
    };
    if step.action != Action::CodeQuality {
        effects.tell(EventKind::StepStarted, at, Some(position));
    }
    execution.steps[position] =
        StepState::Running { started_at: at, until: at + work, resumed_at: None };
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
    if end == End::Finished && position + 1 < execution.steps.len() {
        begin_step(execution, position + 1, at, effects);
    } else {
        end_execution(execution, end, at, effects);
    }
}

/// Ends a step without a word on what comes after it.
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
    effects.transitions += 1;
    effects.tell(EventKind::StepEnded, at, Some(position));
}

fn end_execution(execution: &mut Execution, end: End, at: Timestamp, effects: &mut Effects) {
    execution.progress = Progress::Ended { end, at };
    effects.tell(EventKind::ExecutionEnded, at, None);
}

/// Does what somebody asks of the step at `position`, at `at`, to which the execution has been
/// brought before ([`run_until`]).
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
            effects.transitions += 1;
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
        end_step(execution, position, rejection(action), at, Some(answer), effects);
        return Ok(());
    }
    close_step(execution, position, End::Cancelled, at, Some(answer), effects);
    execution.progress = Progress::Cancelling { since: at, until: at + plan.cancelling };
    Ok(())
}
