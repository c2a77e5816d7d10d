//! Starting an execution: requests, refusals, and the new execution.

use std::fmt;
use std::sync::Arc;

use crate::domain::id::{ExecutionId, StepId};
use crate::domain::pace::Pace;
use crate::domain::pipeline::{Pipeline, PipelineKind};
use crate::domain::program::Program;
use crate::domain::scenario::Scenario;
use crate::domain::time::Timestamp;

use super::links::{self, Unavailable};
use super::plan::{Code, Extent, Plan};
use super::rollback::NoRollback;
use super::step::StepState;
use super::{Execution, ExecutionMode, Progress, Trigger};

/// The user of updates by Adobe.
pub const ADOBE: &str = "AdobeUpdate@techacct.adobe.com";

/// What to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartRequest {
    /// A whole execution.
    Whole(Trigger, ExecutionMode),
    /// The production deployment of the last execution again.
    ReExecute {
        /// The production deploy step. An identifier that can't be read is `None`: no step has it.
        step: Option<StepId>,
        /// The last execution, if the caller names it. A name that can't be read is `Some(None)`.
        source: Option<Option<ExecutionId>>,
    },
    /// The production deployment of the newest execution with other artifacts than the last one.
    RollBack,
    /// A whole execution on the commit of the last successful one, by Adobe.
    PushUpdate,
}

/// Why an execution is not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartRefusal {
    /// The program's emergency mode is not activated.
    EmergencyModeNotActivated,
    /// Only production pipelines run in emergency mode.
    NotAProductionPipeline,
    /// The pipeline was never executed, so nothing can be re-executed.
    NeverExecuted,
    /// The last execution does not have that step.
    NoSuchStep,
    /// The named source is not the pipeline's last execution.
    NotTheLastExecution,
    /// The step of the last execution can't be re-executed.
    NotReExecutable(Unavailable),
    /// The pipeline can't be rolled back.
    NoRollback(NoRollback),
    /// No execution of the pipeline has finished, so there is nothing to update.
    NeverSucceeded,
}

impl fmt::Display for StartRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmergencyModeNotActivated => {
                "The emergency pipeline execution mode is not activated for this program; \
                 a Customer Success Engineer activates it."
            }
            Self::NotAProductionPipeline => {
                "Only production pipelines can be executed in emergency mode."
            }
            Self::NeverExecuted => "The pipeline has no execution whose step could be re-executed.",
            Self::NoSuchStep => "The pipeline's last execution has no step with this stepId.",
            Self::NotTheLastExecution => "sourceExecutionId is not the pipeline's last execution.",
            Self::NotReExecutable(reason) => {
                return write!(f, "The step can't be re-executed: {reason}.");
            }
            Self::NoRollback(reason) => {
                return write!(f, "The pipeline can't be rolled back: {reason}.");
            }
            Self::NeverSucceeded => "No execution of the pipeline has finished successfully yet.",
        })
    }
}

/// Everything that the plan of a new execution depends on.
#[derive(Clone, Copy, Debug)]
pub struct StartContext<'a> {
    /// The program.
    pub program: &'a Program,
    /// The pipeline.
    pub pipeline: &'a Pipeline,
    /// The pipeline's last execution, which is over.
    pub last: Option<&'a Execution>,
    /// The execution whose artifacts or commit are taken: the target of a rollback, or what is
    /// updated.
    pub source: Option<&'a Execution>,
    /// The scenario of the pipeline.
    pub scenario: &'a Scenario,
    /// How long steps take.
    pub pace: Pace,
}

/// Plans a requested execution, or returns why it can't be started.
pub fn plan(request: StartRequest, on: StartContext<'_>) -> Result<NewExecution, StartRefusal> {
    let (trigger, mode, source, extent) = match request {
        StartRequest::Whole(trigger, mode) => {
            if mode == ExecutionMode::Emergency {
                check_emergency(on)?;
            }
            (trigger, mode, None, Extent::Whole(mode))
        }
        StartRequest::ReExecute { step, source } => {
            let last = on.last.ok_or(StartRefusal::NeverExecuted)?;
            if source.is_some_and(|source| source != Some(last.id)) {
                return Err(StartRefusal::NotTheLastExecution);
            }
            let position = last
                .plan
                .steps
                .iter()
                .position(|planned| Some(planned.id) == step)
                .ok_or(StartRefusal::NoSuchStep)?;
            links::re_execute(last, position, true).map_err(StartRefusal::NotReExecutable)?;
            let extent = Extent::ProductionDeployment(last.code_to_copy());
            (Trigger::ReExecute, ExecutionMode::Normal, Some(last.id), extent)
        }
        StartRequest::RollBack => {
            let nothing = StartRefusal::NoRollback(NoRollback::NothingEarlier);
            let target = on.source.ok_or(nothing)?;
            let extent = Extent::ProductionDeployment(target.code_to_copy());
            (Trigger::Rollback, ExecutionMode::Normal, Some(target.id), extent)
        }
        StartRequest::PushUpdate => {
            let mode = ExecutionMode::Normal;
            (Trigger::PushUpgrades, mode, None, Extent::Whole(mode))
        }
    };
    let mut plan = Plan::new(on.program, on.pipeline, &extent, on.scenario, on.pace);
    if request == StartRequest::PushUpdate {
        let updated = on.source.ok_or(StartRefusal::NeverSucceeded)?;
        let Code { outputs, by_scenario, .. } = plan.code;
        plan.code = Code { built_by: None, outputs, by_scenario, ..updated.plan.code.clone() };
    }
    // The last execution filled the cache, unless it was emptied after that execution began.
    let emptied_at = on.pipeline.cache_invalidated_at;
    plan.cold_cache = on.last.is_none_or(|last| emptied_at >= Some(last.created_at));
    Ok(NewExecution { trigger, mode, source, plan })
}

fn check_emergency(on: StartContext<'_>) -> Result<(), StartRefusal> {
    if !on.program.emergency_mode {
        Err(StartRefusal::EmergencyModeNotActivated)
    } else if on.pipeline.kind() != PipelineKind::Production {
        Err(StartRefusal::NotAProductionPipeline)
    } else {
        Ok(())
    }
}

/// An execution that may start; it still needs its identifier.
#[derive(Clone, Debug, PartialEq)]
pub struct NewExecution {
    /// What began it.
    pub trigger: Trigger,
    /// In which mode.
    pub mode: ExecutionMode,
    /// The execution whose artifacts it copies.
    pub source: Option<ExecutionId>,
    /// What it is going to do.
    pub plan: Plan,
}

impl NewExecution {
    /// Returns the execution in its first state.
    #[must_use]
    pub fn create(
        self,
        id: ExecutionId,
        pipeline: &Pipeline,
        user: Option<String>,
        now: Timestamp,
    ) -> Execution {
        let Self { trigger, mode, source, plan } = self;
        Execution {
            id,
            pipeline: pipeline.key(),
            trigger,
            mode,
            user,
            source,
            created_at: now,
            progress: Progress::NotStarted,
            steps: vec![StepState::NotStarted; plan.steps.len()],
            plan: Arc::new(plan),
        }
    }
}
