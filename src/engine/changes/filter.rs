//! Filters: which changes a follower wants.

use super::Change;
use crate::domain::id::ProgramId;
use crate::domain::word::words;

words! {
    /// What a change is about.
    #[schema(as = EventType)]
    pub enum ChangeType {
        /// An execution: programId, pipelineId, executionId.
        Execution = "execution",
        /// A pipeline, its scenario, or many of its executions: programId, pipelineId.
        Pipeline = "pipeline",
        /// A program, its repositories, or its deletion: programId.
        Program = "program",
        /// An environment: programId, environmentId.
        Environment = "environment",
        /// A webhook: webhookId.
        Webhook = "webhook",
        /// Deliveries to a webhook: webhookId.
        Delivery = "delivery",
        /// The clock was set or moved.
        Clock = "clock",
        /// The journal has changed, up to the call with this number: number.
        Request = "request",
        /// Everything may have changed: after a reset, an import, or more than 1000 changes at once
        /// (in the program, if one was asked for).
        Reset = "reset",
    }
}

impl Change {
    /// Returns the type of the change.
    #[must_use]
    pub fn change_type(&self) -> ChangeType {
        match self {
            Self::Execution(..) => ChangeType::Execution,
            Self::Pipeline(_) => ChangeType::Pipeline,
            Self::Program(_) => ChangeType::Program,
            Self::Environment(..) => ChangeType::Environment,
            Self::Webhook(_) => ChangeType::Webhook,
            Self::Deliveries(_) => ChangeType::Delivery,
            Self::Clock => ChangeType::Clock,
            Self::Request(..) => ChangeType::Request,
            Self::ManyInProgram(_) | Self::Everything => ChangeType::Reset,
        }
    }

    /// Returns the program that the change is about, if it is about one.
    #[must_use]
    pub fn program(&self) -> Option<ProgramId> {
        match self {
            Self::Execution(pipeline, _) | Self::Pipeline(pipeline) => Some(pipeline.program_id),
            Self::Program(program)
            | Self::Environment(program, _)
            | Self::ManyInProgram(program) => Some(*program),
            Self::Request(_, program) => *program,
            Self::Webhook(_) | Self::Deliveries(_) | Self::Clock | Self::Everything => None,
        }
    }
}

/// Which changes a follower wants. [`ChangeType::Reset`] matches every filter: after it, anything
/// may have changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeFilter {
    /// The program, or `None` for all. Changes that are about no program match in both cases.
    pub program: Option<ProgramId>,
    /// The types, or `None` for all.
    pub types: Option<Vec<ChangeType>>,
}

impl ChangeFilter {
    /// Returns whether a change matches.
    #[must_use]
    pub fn matches(&self, change: &Change) -> bool {
        let (kind, program) = (change.change_type(), change.program());
        let is_about = program.is_none() || self.program.is_none() || program == self.program;
        let is_of_type = self.types.as_ref().is_none_or(|types| types.contains(&kind));
        is_about && (is_of_type || kind == ChangeType::Reset)
    }
}
