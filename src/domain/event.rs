//! What happened to an execution, in the past tense.

use super::time::Timestamp;

/// The five things that Cloud Manager tells subscribers of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// An execution started.
    ExecutionStarted,
    /// A step started; never sent for steps that are scans or wait for a person.
    StepStarted,
    /// A step began to wait.
    StepWaiting,
    /// A step ended.
    StepEnded,
    /// An execution ended.
    ExecutionEnded,
}

/// Something that happened to an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// The position of the step in the execution, for the events of steps.
    pub step: Option<usize>,
}
