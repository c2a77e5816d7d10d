//! Rolling back: to which execution, and why not. The same rule decides whether the link is shown
//! and whether the command is refused.

use std::fmt;

use super::step::StepState;
use super::{Execution, Progress};
use crate::domain::id::ExecutionId;
use crate::domain::pipeline::PipelineKind;

/// The newest executions of a pipeline that have finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Successes {
    /// The newest one.
    pub last: ExecutionId,
    /// The execution that built its artifacts.
    pub built_by: ExecutionId,
    /// The newest one with other artifacts.
    pub other: Option<ExecutionId>,
}

/// Why a pipeline can't be rolled back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRollback {
    /// It does not deploy to production.
    NotAProductionPipeline,
    /// It was never executed.
    NeverExecuted,
    /// Its last execution is not over.
    Busy,
    /// Its last execution ended before its production deployment began.
    NothingDeployed,
    /// No earlier execution finished with other artifacts.
    NothingEarlier,
}

impl fmt::Display for NoRollback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAProductionPipeline => "it is not a production pipeline",
            Self::NeverExecuted => "it has no execution",
            Self::Busy => "its last execution has not ended",
            Self::NothingDeployed => {
                "its last execution ended before its production deployment began"
            }
            Self::NothingEarlier => {
                "no earlier execution finished with another commit or other artifacts"
            }
        })
    }
}

/// Returns the execution whose artifacts a rollback of a pipeline deploys: the newest one that
/// finished with other artifacts than those that the `last` execution deployed.
pub fn target(
    kind: PipelineKind,
    last: Option<&Execution>,
    successes: Option<&Successes>,
) -> Result<ExecutionId, NoRollback> {
    if kind != PipelineKind::Production {
        return Err(NoRollback::NotAProductionPipeline);
    }
    let last = last.ok_or(NoRollback::NeverExecuted)?;
    if !matches!(last.progress, Progress::Ended { .. }) {
        return Err(NoRollback::Busy);
    }
    if !matches!(last.production_deployment(), Some((_, StepState::Ended { .. }))) {
        return Err(NoRollback::NothingDeployed);
    }
    let successes = successes.ok_or(NoRollback::NothingEarlier)?;
    if successes.built_by == last.built_by() {
        successes.other.ok_or(NoRollback::NothingEarlier)
    } else {
        Ok(successes.last)
    }
}
