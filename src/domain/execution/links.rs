//! What is possible with a step now, and why the rest is not. The same rules decide which links are
//! shown and which commands are refused, so the two can't contradict each other.

use std::fmt;

use crate::domain::pipeline::Action;

use super::status::StepStatus;
use super::step::StepState;
use super::{Execution, Progress, Trigger};

/// Why a link is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// The step has not started.
    NotStarted,
    /// The step is running and waits for no answer.
    Working,
    /// The step is over.
    Over,
    /// The execution is being cancelled.
    Cancelling,
    /// A running step with this action can't be cancelled.
    Uncancellable,
    /// Only production deployments are re-executed.
    NotAProductionDeployment,
    /// The production deployment is not over.
    DeploymentNotOver,
    /// The execution ended before its production deployment began.
    DeploymentNotReached,
    /// There is a later execution of the pipeline.
    NotTheLastExecution,
    /// Executions with this trigger are not re-executed.
    WrongTrigger,
    /// The execution has no commit.
    NoCommit,
    /// The execution is not over.
    PipelineBusy,
    /// The step keeps no log.
    NoLog,
    /// The step has no metrics.
    NoMetrics,
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotStarted => "the step has not started",
            Self::Working => "the step is running and does not wait for an answer",
            Self::Over => "the step has ended",
            Self::Cancelling => "the execution is being cancelled",
            Self::Uncancellable => "a running step with this action can't be cancelled",
            Self::NotAProductionDeployment => "the step is not a production deployment",
            Self::DeploymentNotOver => "the production deployment has not ended",
            Self::DeploymentNotReached => {
                "the execution ended before its production deployment began; start a whole execution \
                 instead"
            }
            Self::NotTheLastExecution => "the execution is not the pipeline's last",
            Self::WrongTrigger => "executions with this trigger can't be re-executed",
            Self::NoCommit => "the execution's build has no commit",
            Self::PipelineBusy => "the pipeline is busy",
            Self::NoLog => "a step with this action has no log",
            Self::NoMetrics => "a step with this action has no metrics",
        })
    }
}

fn state(execution: &Execution, position: usize) -> Result<(Action, &StepState), Unavailable> {
    let (step, state) = execution.step(position).ok_or(Unavailable::NotStarted)?;
    Ok((step.action, state))
}

/// Checks that the step can be advanced: it waits.
pub fn advance(execution: &Execution, position: usize) -> Result<(), Unavailable> {
    match state(execution, position)?.1.status() {
        StepStatus::Waiting => Ok(()),
        StepStatus::NotStarted => Err(Unavailable::NotStarted),
        StepStatus::Running => Err(Unavailable::Working),
        _ => Err(Unavailable::Over),
    }
}

/// Checks that the step can be cancelled: it waits, or it is a running build or test.
pub fn cancel(execution: &Execution, position: usize) -> Result<(), Unavailable> {
    let (action, state) = state(execution, position)?;
    if matches!(execution.progress, Progress::Cancelling { .. }) {
        return Err(Unavailable::Cancelling);
    }
    match state.status() {
        StepStatus::Waiting => Ok(()),
        StepStatus::Running => match action {
            Action::Build
            | Action::SecurityTest
            | Action::LoadTest
            | Action::AssetsTest
            | Action::ReportPerformanceTest => Ok(()),
            _ => Err(Unavailable::Uncancellable),
        },
        StepStatus::NotStarted => Err(Unavailable::NotStarted),
        _ => Err(Unavailable::Over),
    }
}

/// Returns whether the step has a log: it has started, and builds, scans, deploys or tests.
pub fn logs(execution: &Execution, position: usize) -> Result<(), Unavailable> {
    let (action, state) = state(execution, position)?;
    if action.waits_for_a_person() || action == Action::Validate {
        return Err(Unavailable::NoLog);
    }
    has_started(state)
}

/// Checks that the step has metrics: it has started, and is a build, a scan, a deployment or a
/// test.
pub fn metrics(execution: &Execution, position: usize) -> Result<(), Unavailable> {
    let (action, state) = state(execution, position)?;
    if action.waits_for_a_person() || action == Action::Validate {
        return Err(Unavailable::NoMetrics);
    }
    has_started(state)
}

fn has_started(state: &StepState) -> Result<(), Unavailable> {
    match state {
        StepState::NotStarted => Err(Unavailable::NotStarted),
        _ => Ok(()),
    }
}

/// Returns whether the step can be re-executed. `is_last` says that the pipeline has no later
/// execution.
///
/// Source: the limitations in Cloud Manager's documentation of re-execution.
pub fn re_execute(
    execution: &Execution,
    position: usize,
    is_last: bool,
) -> Result<(), Unavailable> {
    let (step, state) = execution.step(position).ok_or(Unavailable::NotStarted)?;
    if !step.is_production_deployment() {
        return Err(Unavailable::NotAProductionDeployment);
    }
    if !is_last {
        return Err(Unavailable::NotTheLastExecution);
    }
    if matches!(execution.trigger, Trigger::Rollback | Trigger::PushUpgrades) {
        return Err(Unavailable::WrongTrigger);
    }
    match (state, execution.progress) {
        (StepState::Ended { .. }, _) => {}
        (StepState::NotStarted, Progress::Ended { .. }) => {
            return Err(Unavailable::DeploymentNotReached);
        }
        _ => return Err(Unavailable::DeploymentNotOver),
    }
    if execution.plan.code.commit.is_none() {
        return Err(Unavailable::NoCommit);
    }
    if !matches!(execution.progress, Progress::Ended { .. }) {
        return Err(Unavailable::PipelineBusy);
    }
    Ok(())
}
