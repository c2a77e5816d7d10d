//! What a step says of itself beside its status.

use super::deployment;
use crate::domain::execution::plan::PlannedStep;
use crate::domain::execution::step::StepState;
use crate::domain::execution::{End, Execution, machine};
use crate::domain::gate::{Comparator, Gate, Metric, Severity};
use crate::domain::pipeline::Action;

/// A metric in words.
pub(super) fn describe(metric: &Metric) -> String {
    let Metric { kpi, severity, comparator, expected, actual, passed } = metric;
    let level = match (passed, severity) {
        (true, _) => "[INFO] passed",
        (false, Severity::Informational) => "[WARN] failed",
        (false, Severity::Critical | Severity::Important) => "[ERROR] failed",
    };
    let comparator = match comparator {
        Comparator::Gt => "more than",
        Comparator::Gte => "at least",
        Comparator::Lt => "less than",
        Comparator::Lte => "at most",
        Comparator::Eq => "",
        Comparator::Neq => "other than",
    };
    format!("{level}: {kpi} is {actual}, expected {comparator} {expected}").replace("  ", " ")
}

/// What a step says of itself beside its status: why it failed or timed out, what it copied.
#[must_use]
pub fn message(execution: &Execution, position: usize) -> Option<String> {
    let (step, state) = execution.step(position)?;
    match state {
        StepState::Ended { timed_out: true, .. } => {
            let days = machine::patience(step)?.as_millis() / (24 * 60 * 60 * 1000);
            Some(format!("Nobody answered within {days} days."))
        }
        StepState::Ended { end: End::Failed | End::Error, .. } if step.message.is_some() => {
            step.message.clone()
        }
        StepState::Ended { end: End::Failed | End::Error, at, .. }
            if step.action == Action::Deploy =>
        {
            deployment::deployment(execution, position, *at)?.error
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
