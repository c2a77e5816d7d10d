//! Events: what happened to an execution.

use super::time::Timestamp;
use super::word::words;

words! {
    /// The five types of events that Cloud Manager sends to subscribers.
    pub enum EventKind {
        /// An execution started.
        ExecutionStarted = "pipelineExecutionStart",
        /// A step started; never sent for steps that are scans or wait for a person.
        StepStarted = "pipelineExecutionStepStart",
        /// A step began to wait.
        StepWaiting = "pipelineExecutionStepWaiting",
        /// A step ended.
        StepEnded = "pipelineExecutionStepEnd",
        /// An execution ended.
        ExecutionEnded = "pipelineExecutionEnd",
    }
}

impl EventKind {
    /// Its code, by which receivers tell the events apart.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::ExecutionStarted => "pipeline_execution_start",
            Self::StepStarted => "pipeline_execution_step_start",
            Self::StepWaiting => "pipeline_execution_step_waiting",
            Self::StepEnded => "pipeline_execution_step_end",
            Self::ExecutionEnded => "pipeline_execution_end",
        }
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
