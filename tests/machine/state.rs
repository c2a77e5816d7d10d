//! The states in which a step can be, and the way to each.

use cloudmanager_emulator::domain::execution::status::StepStatus;
use cloudmanager_emulator::domain::scenario::Outcome;

use crate::body::{Body, Offset, Verb};
use crate::course::Course;
use crate::duel::START;
use crate::given::Given;
use crate::step::{ALL, Step, WORKING_STEPS};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The step before is running or waiting.
    NotStarted,
    Running,
    /// Waiting for an answer.
    Waiting,
    /// Waiting for the time that somebody gave.
    Scheduled,
    /// Running again after a pause.
    Resumed,
    Finished,
    /// Over in any other way.
    Stopped,
    /// The execution is cancelling: the step, or one before or after it, was cancelled.
    Cancelling,
}

use State::{Cancelling, Finished, NotStarted, Resumed, Running, Scheduled, Stopped, Waiting};
use Step::{
    ApprovalProd, ApprovalStage, CodeQuality, DeployProd, DeployStage, Managed,
    ReportPerformanceTest, Schedule, SecurityTest, Validate,
};

/// The steps that can be in each state.
pub const REACHABLE: [(State, &[Step]); 8] = [
    (NotStarted, &ALL),
    (Running, &WORKING_STEPS),
    (
        Waiting,
        &[
            CodeQuality,
            DeployStage,
            ApprovalStage,
            SecurityTest,
            ReportPerformanceTest,
            ApprovalProd,
            Schedule,
            Managed,
            DeployProd,
        ],
    ),
    (Scheduled, &[Schedule]),
    (Resumed, &[DeployStage, DeployProd]),
    (Finished, &ALL),
    (Stopped, &ALL),
    (Cancelling, &ALL),
];

/// An execution whose step is in that state.
pub fn reach(step: Step, state: State) -> Course {
    let position = step.position();
    let given = match state {
        Waiting | Scheduled | Resumed => Given::Question,
        Stopped if WORKING_STEPS.contains(&step) => Given::Outcome(Outcome::Failed),
        _ => Given::Nothing,
    };
    let mut course = Course::start(&given.setup(step), position);
    match state {
        NotStarted if step == Validate => {}
        NotStarted => course.go_to(position - 1),
        Running => course.go_to(position),
        Cancelling => {
            let stopped = step.stopped_nearby().position();
            course.go_to(stopped);
            course.send_to(stopped, Verb::Cancel, &Body::Cancel(true));
        }
        Waiting | Scheduled | Resumed | Finished | Stopped => {
            course.go_to(position);
            go_on(&mut course, state);
        }
    }
    course
}

/// From the begin of the step's turn to a state after it.
fn go_on(course: &mut Course, state: State) {
    let Course { position, .. } = *course;
    if course.statuses().0 == StepStatus::Running {
        course.pass_until_due();
    }
    let only_waits = course.statuses().0 == StepStatus::Waiting;
    match state {
        Scheduled => course.send_to(position, Verb::Advance, &later()),
        Resumed => course.send_to(position, Verb::Advance, &Body::Resume(true)),
        Finished if only_waits => {
            let yes = course.yes();
            course.send_to(position, Verb::Advance, &yes);
        }
        Stopped if only_waits => {
            let no = course.no();
            course.send_to(position, Verb::Cancel, &no);
        }
        _ => {}
    }
}

fn later() -> Body {
    Body::Scheduled(START + 3_600_000, Offset::Zulu)
}
