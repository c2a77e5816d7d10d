//! What holds for every execution at every moment; docs/invariants.md has the list.

use cloudmanager_emulator::domain::event::{Event, EventKind};
use cloudmanager_emulator::domain::execution::status::StepStatus;
use cloudmanager_emulator::domain::execution::step::StepState;
use cloudmanager_emulator::domain::execution::{End, Execution, Progress};
use cloudmanager_emulator::domain::execution::{links, machine};
use cloudmanager_emulator::domain::pipeline::Action;
use cloudmanager_emulator::domain::time::Timestamp;

use crate::rules::{PEOPLE, SILENT, STOPPABLE};

/// Checks an execution to which everything has happened that is due at `now`, and all its events.
pub fn check(execution: &Execution, events: &[Event], now: Timestamp) {
    gaps_are_pauses(execution);
    one_at_a_time(execution, now);
    prefix(execution);
    end_follows_step(execution);
    no_time_travel(execution, events, now);
    nothing_is_overdue(execution, now);
    events_tell_all(execution, events);
    assert_eq!(execution.find_fault(), None, "sound");
}

fn gaps_are_pauses(execution: &Execution) {
    let mut before = Some(execution.created_at);
    for (planned, step) in execution.plan.steps.iter().zip(&execution.steps) {
        if let Some(started_at) = step.started_at() {
            assert_eq!(Some(started_at), before.map(|at| at + planned.pause), "gaps_are_pauses");
        }
        before = step.finished_at();
    }
}

fn is_at_it(step: &StepState) -> bool {
    matches!(step, StepState::Running { .. } | StepState::Waiting { .. })
}

fn one_at_a_time(execution: &Execution, now: Timestamp) {
    let is_running = matches!(execution.progress, Progress::Running);
    let found = execution.steps.iter().filter(|step| is_at_it(step)).count();
    if is_running && found == 0 {
        return check_pause(execution, now);
    }
    assert_eq!(found, usize::from(is_running), "one_at_a_time");
}

/// Checks that a pause of the plan lasts, and that nothing is offered meanwhile.
fn check_pause(execution: &Execution, now: Timestamp) {
    let finished = execution.steps.iter().map_while(StepState::finished_at).collect::<Vec<_>>();
    let since = finished.last().copied().unwrap_or(execution.created_at);
    let planned = execution.plan.steps.get(finished.len());
    let pause = planned.map_or(execution.plan.closing_pause, |step| step.pause);
    assert!(since + pause > now, "one_at_a_time: a pause lasts");
    assert_eq!(machine::due_at(execution), Some(since + pause), "one_at_a_time");
    for position in 0..execution.steps.len() {
        assert!(links::advance(execution, position).is_err(), "one_at_a_time");
        assert!(links::cancel(execution, position).is_err(), "one_at_a_time");
        assert!(links::re_execute(execution, position, true).is_err(), "one_at_a_time");
    }
}

fn prefix(execution: &Execution) {
    let statuses: Vec<_> = execution.steps.iter().map(StepState::status).collect();
    let finished = statuses.iter().take_while(|status| **status == StepStatus::Finished).count();
    let after = statuses.iter().skip(finished + 1);
    assert!(after.clone().all(|status| *status == StepStatus::NotStarted), "prefix: {statuses:?}");
}

fn end_follows_step(execution: &Execution) {
    let Progress::Ended { end, at } = execution.progress else { return };
    let (position, last) = execution
        .steps
        .iter()
        .enumerate()
        .rfind(|(_, step)| step.finished_at().is_some())
        .expect("end_follows_step: a step has ended");
    let StepState::Ended { end: step_end, at: step_at, .. } = last else { unreachable!() };
    let was_stopped =
        *step_end == End::Cancelled && STOPPABLE.contains(&execution.plan.steps[position].action);
    let expected = match step_end {
        End::Finished => *step_at + execution.plan.closing_pause,
        _ if was_stopped => *step_at + execution.plan.cancelling,
        _ => *step_at,
    };
    assert_eq!((end, at), (*step_end, expected), "end_follows_step");
    let all = execution.steps.iter().all(|step| step.status() == StepStatus::Finished);
    assert_eq!(all, end == End::Finished, "end_follows_step: finished when all steps are");
}

fn no_time_travel(execution: &Execution, events: &[Event], now: Timestamp) {
    let mut times = vec![execution.created_at];
    for step in &execution.steps {
        times.extend([step.started_at(), step.resumed_at(), step.updated_at()].iter().flatten());
        if let StepState::Waiting { since, .. } = step {
            assert!(step.started_at() <= Some(*since), "no_time_travel");
        }
        times.extend(step.finished_at());
    }
    times.extend(execution.finished_at());
    assert!(times.is_sorted(), "no_time_travel: {times:?}");
    assert!(times.last() <= Some(&now), "no_time_travel: {times:?} at {now}");
    assert!(execution.updated_at() <= now, "no_time_travel");
    assert!(events.is_sorted_by_key(|event| event.at), "no_time_travel: {events:?}");
    assert!(events.iter().all(|event| event.at <= now), "no_time_travel: {events:?}");
}

fn nothing_is_overdue(execution: &Execution, now: Timestamp) {
    assert!(machine::due_at(execution).is_none_or(|due| due > now), "nothing_is_overdue");
}

fn events_tell_all(execution: &Execution, events: &[Event]) {
    let told = |kind, step| -> Vec<Timestamp> {
        let is_meant = |event: &&Event| event.kind == kind && event.step == step;
        events.iter().filter(is_meant).map(|event| event.at).collect()
    };
    let started = told(EventKind::ExecutionStarted, None);
    let ended = told(EventKind::ExecutionEnded, None);
    assert_eq!(started, [execution.created_at], "events_tell_all");
    assert_eq!(ended, Vec::from_iter(execution.finished_at()), "events_tell_all");
    let mut count = started.len() + ended.len();
    for (position, state) in execution.steps.iter().enumerate() {
        let action = execution.plan.steps[position].action;
        let started = told(EventKind::StepStarted, Some(position));
        let waiting = told(EventKind::StepWaiting, Some(position));
        let ended = told(EventKind::StepEnded, Some(position));
        let is_told = |_: &Timestamp| !SILENT.contains(&action);
        let expected = Vec::from_iter(state.started_at().filter(is_told));
        assert_eq!(started, expected, "events_tell_all: {action:?}");
        check_waiting_events(action, state, &waiting);
        assert_eq!(ended, Vec::from_iter(state.finished_at()), "events_tell_all: {action:?}");
        count += started.len() + waiting.len() + ended.len();
    }
    assert_eq!(events.len(), count, "events_tell_all: there are no others");
}

fn check_waiting_events(action: Action, state: &StepState, waiting: &[Timestamp]) {
    if PEOPLE.contains(&action) {
        assert_eq!(waiting, Vec::from_iter(state.started_at()), "events_tell_all: {action:?}");
        return;
    }
    match state {
        StepState::NotStarted | StepState::Running { resumed_at: None, .. } => {
            assert!(waiting.is_empty(), "events_tell_all: {action:?}");
        }
        StepState::Waiting { since, .. } => {
            assert_eq!(waiting, [*since], "events_tell_all: {action:?}");
        }
        StepState::Running { .. } | StepState::Ended { resumed_at: Some(_), .. } => {
            assert_eq!(waiting.len(), 1, "events_tell_all: {action:?}");
        }
        StepState::Ended { .. } => assert!(waiting.len() <= 1, "events_tell_all: {action:?}"),
    }
}
