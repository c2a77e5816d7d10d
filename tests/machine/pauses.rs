//! The pauses between steps: nothing can be done while one lasts.

use cloudmanager_emulator::domain::execution::links::Unavailable;
use cloudmanager_emulator::domain::execution::machine::{self, Effects, Refusal};
use cloudmanager_emulator::domain::execution::plan::Plan;
use cloudmanager_emulator::domain::execution::status::StepStatus;
use cloudmanager_emulator::domain::execution::{ExecutionStatus, Progress};
use cloudmanager_emulator::domain::pace::Pace;
use serde_json::{Value, json};

use crate::body::{Body, Verb};
use crate::course::Course;
use crate::seed::Kind;
use crate::setup::Setup;

/// The courses of an execution in each of its pauses, the last one after the last step.
fn courses_in_pauses() -> Vec<Course> {
    let setup = Setup { pace: Pace::Realistic, ..Setup::of(Kind::Production) };
    let mut course = Course::start(&setup, 0);
    course.run_until(course.now);
    let mut found = Vec::new();
    while course.execution.status() == ExecutionStatus::Running {
        if course.execution.pause_until().is_some() {
            found.push(course.clone());
        }
        let current = course.execution.current_step();
        match current.filter(|at| course.execution.steps[*at].status() == StepStatus::Waiting) {
            Some(position) => {
                course.position = position;
                let yes = course.yes();
                course.send_to(position, Verb::Advance, &yes);
            }
            None => course.pass_until_due(),
        }
    }
    found
}

#[test]
fn there_is_a_pause_before_each_step_and_after_the_last() {
    let courses = courses_in_pauses();
    assert_eq!(courses.len(), courses[0].execution.steps.len() + 1);
    for (position, Course { execution, .. }) in courses.iter().enumerate() {
        let finished =
            execution.steps.iter().filter(|step| step.status() == StepStatus::Finished).count();
        assert_eq!(finished, position);
        assert_eq!(execution.find_fault(), None);
    }
}

#[test]
fn every_command_is_refused_while_a_pause_lasts() {
    for course in courses_in_pauses() {
        let begun = course.execution.current_step().unwrap_or(course.execution.steps.len());
        for position in 0..course.execution.steps.len() {
            let reason = if position < begun { Unavailable::Over } else { Unavailable::NotStarted };
            for (verb, body) in [Verb::Advance, Verb::Cancel]
                .into_iter()
                .flat_map(|verb| Body::FIXED.map(|body| (verb, body)))
            {
                let mut course = Course { position, ..course.clone() };
                let (outcome, effects) = course.send(verb, &body.to_json());
                assert_eq!(outcome, Err(Refusal::Unavailable(reason)), "{verb:?} {position}");
                assert_eq!(effects, Effects::default());
            }
        }
    }
}

#[test]
fn an_execution_that_is_stopped_in_a_pause_is_sound() {
    for Course { mut execution, now, .. } in courses_in_pauses() {
        machine::stop(&mut execution, now, &mut Effects::default());
        assert!(matches!(execution.progress, Progress::Ended { at, .. } if at == now));
        assert_eq!(
            (execution.status(), execution.find_fault()),
            (ExecutionStatus::Cancelled, None)
        );
    }
}

#[test]
fn an_execution_does_not_stop_between_steps_without_a_pause() {
    for Course { mut execution, .. } in courses_in_pauses() {
        let plan = std::sync::Arc::make_mut(&mut execution.plan);
        plan.closing_pause = cloudmanager_emulator::domain::time::Duration::ZERO;
        plan.steps.iter_mut().for_each(|step| step.pause = plan.closing_pause);
        assert_eq!(execution.find_fault(), Some("its status does not fit its timeline"));
    }
}

#[test]
fn a_plan_without_pauses_is_stored_as_before_and_read() {
    let setup = Setup { pace: Pace::Quick, ..Setup::of(Kind::Production) };
    let plan = Course::start(&setup, 0).execution.plan;
    let stored = serde_json::to_value(&*plan).unwrap();
    assert_eq!(stored.get("closing_pause"), None);
    assert_eq!(stored["steps"][0].get("pause"), None);
    assert_eq!(serde_json::from_value::<Plan>(stored).unwrap(), *plan);

    let setup = Setup { pace: Pace::Realistic, ..setup };
    let plan = Course::start(&setup, 0).execution.plan;
    let stored: Value = serde_json::to_value(&*plan).unwrap();
    assert_ne!(stored["closing_pause"], json!(null));
    assert_eq!(serde_json::from_value::<Plan>(stored).unwrap(), *plan);
}
