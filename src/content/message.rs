//! The message of a step, beside its status.

use super::deployment::StepDeployment;
use super::metric::describe;
use crate::domain::execution::plan::PlannedStep;
use crate::domain::execution::step::StepState;
use crate::domain::execution::{End, Execution, machine};
use crate::domain::gate::{Gate, Severity};
use crate::domain::pipeline::Action;

/// Returns the message of a step: why it failed or timed out, or what it copied. `deployment` is
/// its deployment, if it has one.
#[must_use]
pub fn message(
    execution: &Execution,
    position: usize,
    deployment: Option<&StepDeployment>,
) -> Option<String> {
    let (step, state) = execution.step(position)?;
    match state {
        StepState::Ended { timed_out: true, .. } => {
            let days = machine::answer_timeout(step)?.as_millis() / (24 * 60 * 60 * 1000);
            Some(format!("Nobody answered within {days} days."))
        }
        StepState::Ended { end: End::Failed | End::Error, .. } if step.message.is_some() => {
            step.message.clone()
        }
        StepState::Ended { end: End::Failed | End::Error, .. } if step.action == Action::Deploy => {
            deployment?.error.clone()
        }
        StepState::Ended { end: End::Failed, .. } => failure(execution, step),
        StepState::Running { .. } | StepState::Ended { .. } if step.action == Action::Build => {
            let source = execution.plan.code.built_by.as_ref()?.execution_id;
            let how = if execution.source.is_some() { "copied" } else { "reused" };
            Some(format!("The artifacts are {how} from execution {source}; nothing is built."))
        }
        _ => None,
    }
}

fn failure(execution: &Execution, step: &PlannedStep) -> Option<String> {
    if step.action == Action::Validate && !execution.plan.problems.is_empty() {
        return Some(execution.plan.problems.join(" "));
    }
    Gate::of(step.action)?;
    let failed: Vec<_> = execution
        .plan
        .metrics(step)
        .iter()
        .filter(|metric| !metric.passed && metric.severity != Severity::Informational)
        .map(describe)
        .collect();
    (!failed.is_empty()).then(|| failed.join("; "))
}
