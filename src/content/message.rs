//! The message of a step, beside its status.

use super::deployment::StepDeployment;
use super::metric::expectation;
use crate::domain::execution::plan::PlannedStep;
use crate::domain::execution::step::StepState;
use crate::domain::execution::{End, Execution, machine};
use crate::domain::gate::{Gate, Severity};
use crate::domain::pipeline::Action;
use crate::domain::scenario::Outcome;

/// The module with the Java code. It is built first, and is the one that fails.
pub(super) const FAILING_MODULE: &str = "core";

/// Returns the message of a step: why it failed or timed out, or what it copied. `deployment` is
/// its deployment, if it has one.
#[must_use]
pub fn message(
    execution: &Execution,
    position: usize,
    deployment: Option<&StepDeployment>,
) -> Option<String> {
    if let Some(reason) = failure(execution, position, deployment) {
        return Some(reason);
    }
    let (step, state) = execution.step(position)?;
    match state {
        StepState::Running { .. } | StepState::Ended { .. } if step.action == Action::Build => {
            let source = execution.plan.code.built_by.as_ref()?.execution_id;
            let how = if execution.source.is_some() { "copied" } else { "reused" };
            Some(format!("The artifacts are {how} from execution {source}; nothing is built."))
        }
        _ => None,
    }
}

/// Returns why a step failed or timed out, or `None` if it did neither.
#[must_use]
pub fn failure(
    execution: &Execution,
    position: usize,
    deployment: Option<&StepDeployment>,
) -> Option<String> {
    let (step, state) = execution.step(position)?;
    let StepState::Ended { end, timed_out, .. } = state else { return None };
    if *timed_out {
        let days = machine::answer_timeout(step)?.as_millis() / (24 * 60 * 60 * 1000);
        return Some(format!("Nobody answered within {days} days."));
    }
    if !matches!(end, End::Failed | End::Error) {
        return None;
    }
    let found = step
        .message
        .clone()
        .or_else(|| deployment.and_then(|deployment| deployment.error.clone()))
        .or_else(|| problems(execution, step))
        .or_else(|| failed_metrics(execution, step));
    Some(found.unwrap_or_else(|| usual_reason(execution, step, *end)))
}

/// Returns what a validation that was to succeed has found wrong.
fn problems(execution: &Execution, step: &PlannedStep) -> Option<String> {
    let problems = &execution.plan.problems;
    let found = step.action == Action::Validate
        && step.outcome == Outcome::Finished
        && !problems.is_empty();
    found.then(|| problems.join(" "))
}

fn failed_metrics(execution: &Execution, step: &PlannedStep) -> Option<String> {
    Gate::of(step.action)?;
    let failed: Vec<_> = execution
        .plan
        .metrics(step)
        .iter()
        .filter(|metric| !metric.passed && metric.severity != Severity::Informational)
        .map(|metric| format!("failed: {}", expectation(metric)))
        .collect();
    (!failed.is_empty()).then(|| failed.join("; "))
}

/// Returns why a step failed that a scenario lets fail without a message.
fn usual_reason(execution: &Execution, step: &PlannedStep, end: End) -> String {
    if end == End::Error {
        return format!("An internal error stopped the step {}.", step.action.as_str());
    }
    let name = step.target.as_ref().and_then(|target| target.name.as_deref());
    let environment = name.unwrap_or("the environment");
    match step.action {
        Action::Validate => "The configuration of the pipeline is not valid.".into(),
        Action::Build => build_failure(execution),
        Action::CodeQuality => "The scanner could not analyze the code.".into(),
        Action::SecurityTest => format!("The health checks of {environment} did not answer."),
        Action::LoadTest => format!("The pages of {environment} did not answer the requests."),
        Action::AssetsTest => format!("The assets could not be uploaded to {environment}."),
        Action::ReportPerformanceTest => "The performance tests left no results.".into(),
        Action::ContentAudit => format!("The pages of {environment} could not be audited."),
        Action::Deploy => format!("The deployment to {environment} failed."),
        Action::Approval | Action::Schedule | Action::Managed => "The step was rejected.".into(),
    }
}

fn build_failure(execution: &Execution) -> String {
    let code = &execution.plan.code;
    if let Some(build) = &code.built_by {
        return format!("The artifacts of execution {} could not be copied.", build.execution_id);
    }
    format!(
        "Failed to execute goal org.apache.maven.plugins:maven-compiler-plugin:3.10.1:compile \
         (default-compile) on project {}.{FAILING_MODULE}: Compilation failure",
        code.repository
    )
}
