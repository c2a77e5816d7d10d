//! The log of a step. It is computed from plan and state, and over time it only grows: clients read
//! it in parts.

mod actions;
mod build;
mod log;
mod script;

use super::deployment::{StepDeployment, deployment};
use super::message::failure;
use crate::domain::environment::EnvironmentType;
use crate::domain::execution::plan::PlannedStep;
use crate::domain::execution::step::StepState;
use crate::domain::execution::{End, Execution, links};
use crate::domain::pipeline::Action;
use crate::domain::time::Timestamp;
pub use log::Log;
pub use script::Names;
use script::ScriptLine;

/// The second log file of a code scan, by the name that clients ask for.
pub const SONAR_LOG_FILE: &str = "sonarLogFile";

/// Returns whether a step has a log; `file` names one of several. It has none if it has not
/// started, keeps no log, or has no such file.
#[must_use]
pub fn exists(execution: &Execution, position: usize, file: Option<&str>) -> bool {
    let action = execution.step(position).map(|(step, _)| step.action);
    let has_file = match file {
        None => true,
        Some(name) => name == SONAR_LOG_FILE && action == Some(Action::CodeQuality),
    };
    has_file && links::logs(execution, position).is_ok()
}

/// Returns the name under which a log file of a step is saved: `953671-deploy-stage.log`.
#[must_use]
pub fn file_name(execution: &Execution, position: usize, file: Option<&str>) -> Option<String> {
    let (step, _) = execution.step(position)?;
    let environment = step.environment_type().map(EnvironmentType::as_str);
    let id = execution.id.to_string();
    let parts = [Some(id.as_str()), Some(step.action.as_str()), environment, file];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    Some(parts.join("-") + ".log")
}

/// Returns the log of a step as it stands at `now`, if it [`exists`].
#[must_use]
pub fn log(
    execution: &Execution,
    position: usize,
    file: Option<&str>,
    names: Names<'_>,
    now: Timestamp,
) -> Option<Log> {
    if !exists(execution, position, file) {
        return None;
    }
    let (step, state) = execution.step(position)?;
    let deployment = deployment(execution, position, now);
    let script = match file {
        None => actions::script(execution, step, names, deployment.as_ref()),
        Some(_) => actions::sonar_script(execution),
    };
    let mut log = Log::default();
    add_work(&mut log, script, step, state, now);
    if let Some(deployment) = &deployment {
        add_deployment(&mut log, deployment, state);
    }
    if let StepState::Ended { end, at, .. } = state {
        let reason = failure(execution, position, deployment.as_ref()).unwrap_or_default();
        for line in reason.lines() {
            log.push(*at, &format!("[ERROR] {line}"), 1);
        }
        let builds = step.action == Action::Build && execution.plan.code.built_by.is_none();
        log.push(*at, closing_line(*end, builds), 1);
    }
    Some(log)
}

/// Adds what has been written of the script, and right behind its first line those of the scenario.
fn add_work(
    log: &mut Log,
    script: Vec<ScriptLine>,
    step: &PlannedStep,
    state: &StepState,
    now: Timestamp,
) {
    let last = state.finished_at().unwrap_or(now);
    let mut extra_lines = step.log.iter();
    for (thousandth, text) in script {
        let Some(at) = step.done_at(state, thousandth).filter(|at| *at <= last) else { break };
        log.push(at, &text, 1);
        for extra in extra_lines.by_ref() {
            log.push(at, &extra.line, extra.times);
        }
    }
}

fn add_deployment(log: &mut Log, deployment: &StepDeployment, state: &StepState) {
    for (at, line) in deployment.log() {
        log.push(at, &line, 1);
    }
    if let Some(at) = state.finished_at() {
        for line in &deployment.summary {
            log.push(at, line, 1);
        }
    }
}

fn closing_line(end: End, builds: bool) -> &'static str {
    match end {
        End::Failed | End::Error if builds => "[ERROR] BUILD FAILURE",
        End::Finished => "[INFO] Finished",
        End::Failed => "[ERROR] Failed",
        End::Error => "[ERROR] Stopped by an internal error",
        End::Cancelled => "[WARN] Cancelled",
    }
}
