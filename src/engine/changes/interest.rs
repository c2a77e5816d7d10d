//! Which changes somebody wants to be told of.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Change;
use crate::domain::id::ProgramId;

/// What a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EventType)]
pub enum ChangeType {
    /// An execution: programId, pipelineId, executionId.
    Execution,
    /// A pipeline, its scenario, or many of its executions: programId, pipelineId.
    Pipeline,
    /// A program, its repositories, or its deletion: programId.
    Program,
    /// An environment: programId, environmentId.
    Environment,
    /// A webhook: webhookId.
    Webhook,
    /// Deliveries to a webhook: webhookId.
    Delivery,
    /// The clock was set or moved.
    Clock,
    /// The journal has changed, up to the call with this number: number.
    Request,
    /// Everything may have changed: after a reset, an import, or more than 1000 changes at once (in
    /// the program, if one was asked for).
    Reset,
}

impl ChangeType {
    /// All types with their names.
    pub const ALL: [(Self, &str); 9] = [
        (Self::Execution, "execution"),
        (Self::Pipeline, "pipeline"),
        (Self::Program, "program"),
        (Self::Environment, "environment"),
        (Self::Webhook, "webhook"),
        (Self::Delivery, "delivery"),
        (Self::Clock, "clock"),
        (Self::Request, "request"),
        (Self::Reset, "reset"),
    ];

    /// The name of the type.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// The type with this name.
    #[must_use]
    pub fn find(wanted: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == wanted).map(|(kind, _)| *kind)
    }
}

impl Change {
    /// What it is about.
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
            Self::Many(_) | Self::Everything => ChangeType::Reset,
        }
    }

    /// The program that it is about, if it is about one.
    #[must_use]
    pub fn program(&self) -> Option<ProgramId> {
        match self {
            Self::Execution(pipeline, _) | Self::Pipeline(pipeline) => Some(pipeline.program_id),
            Self::Program(program) | Self::Environment(program, _) | Self::Many(program) => {
                Some(*program)
            }
            Self::Request(_, program) => *program,
            Self::Webhook(_) | Self::Deliveries(_) | Self::Clock | Self::Everything => None,
        }
    }
}

/// Which changes somebody wants to be told of. Whatever the types, everybody is told when
/// everything has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// The program that they are about; what is about no program is wanted, too. None for all.
    pub program: Option<ProgramId>,
    /// What they are about; none for everything.
    pub types: Option<Vec<ChangeType>>,
}

impl Interest {
    /// Whether a change is wanted.
    #[must_use]
    pub fn has(&self, change: &Change) -> bool {
        let (kind, program) = (change.change_type(), change.program());
        let is_about = program.is_none() || self.program.is_none() || program == self.program;
        let is_of_type = self.types.as_ref().is_none_or(|types| types.contains(&kind));
        is_about && (is_of_type || kind == ChangeType::Reset)
    }
}
