//! What a step says about itself: its message and its log. Both follow from plan and state;
//! nothing of them is stored, and a log only ever grows.

mod build;
mod script;

use crate::domain::execution::plan::PlannedStep;
use crate::domain::execution::step::StepState;
use crate::domain::execution::{End, Execution, links};
use crate::domain::pipeline::Action;
use crate::domain::scenario::Outcome;
use crate::domain::time::{Duration, Timestamp};

use super::deployment;
use script::{script, sonar_script};

/// The second log file of a code scan, by the name that clients ask for.
pub const SONAR_LOG_FILE: &str = "sonarLogFile";

/// The names of what is executed, which no execution keeps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names<'a> {
    /// The program's.
    pub program: &'a str,
    /// The pipeline's.
    pub pipeline: &'a str,
}

/// A log as it stands at some instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    runs: Vec<Run>,
}

/// A line, with its line end, that stands in a log one or more times in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    line: String,
    times: u64,
}

impl Run {
    fn len(&self) -> u64 {
        (self.line.len() as u64).saturating_mul(self.times)
    }
}

impl Log {
    fn push(&mut self, at: Timestamp, text: &str, times: u64) {
        self.runs.push(Run { line: format!("{at} {text}\n"), times });
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.runs.iter().fold(0, |sum, run| sum.saturating_add(run.len()))
    }

    /// Whether nothing has been logged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The bytes from `start` up to `end`, at most `max` of them; empty past the end of the log.
    #[must_use]
    pub fn read(&self, start: u64, end: u64, max: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut run_start = 0_u64;
        for run in &self.runs {
            let run_end = run_start.saturating_add(run.len());
            let mut at = start.saturating_add(bytes.len() as u64).max(run_start);
            while at < run_end.min(end) && bytes.len() < max {
                let line = run.line.as_bytes();
                let offset = usize::try_from((at - run_start) % line.len() as u64).unwrap_or(0);
                let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(max - bytes.len());
                let piece = &line[offset..line.len().min(offset.saturating_add(wanted))];
                bytes.extend_from_slice(piece);
                at += piece.len() as u64;
            }
            run_start = run_end;
        }
        bytes
    }
}

/// The log of a step as it stands at `now`; `file` names one of several. None if the step has
/// not started, keeps no log, or has no such file.
#[must_use]
pub fn log(
    execution: &Execution,
    position: usize,
    file: Option<&str>,
    names: Names<'_>,
    now: Timestamp,
) -> Option<Log> {
    links::logs(execution, position).ok()?;
    let (step, state) = execution.step(position)?;
    let script = match (file, step.action) {
        (None, _) => script(execution, position, names, now),
        (Some(SONAR_LOG_FILE), Action::CodeQuality) => sonar_script(execution),
        (Some(_), _) => return None,
    };
    let mut log = Log::default();
    let last = state.finished_at().unwrap_or(now);
    let mut extra_lines = step.log.iter();
    for (thousandth, text) in script {
        let Some(at) = written_at(step, state, thousandth).filter(|at| *at <= last) else { break };
        log.push(at, &text, 1);
        // Right behind the first line.
        for extra in extra_lines.by_ref() {
            log.push(at, &extra.line, extra.times);
        }
    }
    if let Some(deployment) = deployment::deployment(execution, position, now) {
        for (performed, at) in &deployment.performed {
            for line in performed.log_lines() {
                log.push(*at, &line, 1);
            }
        }
        if let Some(at) = state.finished_at() {
            for line in &deployment.summary {
                log.push(at, line, 1);
            }
        }
    }
    if let StepState::Ended { end, at, .. } = state {
        log.push(*at, closing_line(*end), 1);
    }
    Some(log)
}

/// When the line at that thousandth of the work is written; never while the step is paused.
pub(super) fn written_at(
    step: &PlannedStep,
    state: &StepState,
    thousandth: i64,
) -> Option<Timestamp> {
    let share = |thousandths: i64| {
        Duration::from_millis(step.duration.as_millis().saturating_mul(thousandths) / 1000)
    };
    let started_at = state.started_at()?;
    if step.outcome == Outcome::Paused && thousandth > 500 {
        return Some(state.resumed_at()? + share(thousandth - 500));
    }
    Some(started_at + share(thousandth))
}

fn closing_line(end: End) -> &'static str {
    match end {
        End::Finished => "[INFO] Finished",
        End::Failed => "[ERROR] Failed",
        End::Error => "[ERROR] Stopped by an internal error",
        End::Cancelled => "[WARN] Cancelled",
    }
}
