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

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::ExecutionStarted,
        Self::StepStarted,
        Self::StepWaiting,
        Self::StepEnded,
        Self::ExecutionEnded,
    ];

    /// The name by which it is subscribed to.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ExecutionStarted => "pipelineExecutionStart",
            Self::StepStarted => "pipelineExecutionStepStart",
            Self::StepWaiting => "pipelineExecutionStepWaiting",
            Self::StepEnded => "pipelineExecutionStepEnd",
            Self::ExecutionEnded => "pipelineExecutionEnd",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
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
