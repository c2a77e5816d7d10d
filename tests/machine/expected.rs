//! What is expected of an input.

use cloudmanager_emulator::domain::execution::ExecutionStatus;
use cloudmanager_emulator::domain::execution::links::Unavailable;
use cloudmanager_emulator::domain::execution::status::StepStatus;

use crate::course::Course;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The step and its execution have these statuses.
    Becomes(StepStatus, ExecutionStatus),
    /// The step stays as it is, whatever happens to others.
    Stays,
    /// Nothing is ever due.
    Never,
    /// Refused: not offered in this state.
    Refused(Unavailable),
    /// Refused: this field of the body does not fit.
    Invalid(&'static str),
}

use Expected::{Becomes, Stays};

pub const GOES_ON: Expected = Becomes(StepStatus::Finished, ExecutionStatus::Running);
pub const IS_DONE: Expected = Becomes(StepStatus::Finished, ExecutionStatus::Finished);
pub const FAILS: Expected = Becomes(StepStatus::Failed, ExecutionStatus::Failed);
pub const BREAKS: Expected = Becomes(StepStatus::Error, ExecutionStatus::Error);
pub const IS_CANCELLED: Expected = Becomes(StepStatus::Cancelled, ExecutionStatus::Cancelled);
pub const IS_BEING_CANCELLED: Expected =
    Becomes(StepStatus::Cancelled, ExecutionStatus::Cancelling);
pub const RUNS: Expected = Becomes(StepStatus::Running, ExecutionStatus::Running);
pub const WAITS: Expected = Becomes(StepStatus::Waiting, ExecutionStatus::Running);

/// Checks what has become of the step and its execution.
pub fn check_outcome(before: &Course, after: &Course, expected: Expected, case: &str) {
    if expected == Stays {
        let step = |course: &Course| course.execution.steps[course.position].clone();
        assert_eq!(step(after), step(before), "{case}");
        return;
    }
    let (step, execution) = after.statuses();
    assert_eq!(Becomes(step, execution), expected, "{case}");
}
