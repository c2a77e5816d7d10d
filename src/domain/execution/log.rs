//! What a step says about itself: its message and its log. Both follow from plan and state;
//! nothing of them is stored, and a log only ever grows.

use crate::domain::gate::{Comparator, Gate, Metric, Severity};
use crate::domain::pipeline::Action;
use crate::domain::scenario::Outcome;
use crate::domain::time::{Duration, Timestamp};

use super::plan::PlannedStep;
use super::step::StepState;
use super::{End, Execution};

/// The second log file of a code scan, by the name that clients ask for.
pub const SONAR_LOG_FILE: &str = "sonarLogFile";

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

/// A line of a step's work, and when it is written: at that thousandth of the work.
type ScriptLine = (i64, String);

/// The log of a step as it stands at `now`; `file` names one of several. None if the step has
/// not started, keeps no log, or has no such file.
#[must_use]
pub fn log(
    execution: &Execution,
    position: usize,
    file: Option<&str>,
    now: Timestamp,
) -> Option<Log> {
    super::links::logs(execution, position).ok()?;
    let (step, state) = execution.step(position)?;
    let script = match (file, step.action) {
        (None, _) => script(execution, step),
        (Some(SONAR_LOG_FILE), Action::CodeQuality) => sonar_script(execution),
        (Some(_), _) => return None,
    };
    let ended = state.finished_at();
    let mut log = Log::default();
    let last = ended.unwrap_or(now);
    for (thousandth, text) in script {
        let Some(at) = written_at(step, state, thousandth).filter(|at| *at <= last) else { break };
        log.push(at, &text, 1);
        if thousandth == 0 {
            for extra in &step.log {
                log.push(at, &extra.line, extra.times);
            }
        }
    }
    if let StepState::Ended { end, at, .. } = state {
        log.push(*at, closing_line(*end), 1);
    }
    Some(log)
}

/// When the line at that thousandth of the work is written; never while the step is paused.
fn written_at(step: &PlannedStep, state: &StepState, thousandth: i64) -> Option<Timestamp> {
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

fn script(execution: &Execution, step: &PlannedStep) -> Vec<ScriptLine> {
    let code = &execution.plan.code;
    let commit = code.commit.as_deref().unwrap_or("unknown");
    let environment =
        step.target.as_ref().and_then(|target| target.name.as_deref()).unwrap_or("the environment");
    let mut lines: Vec<ScriptLine> = match step.action {
        Action::Validate => vec![
            (0, format!("[INFO] Validating the pipeline {}", execution.pipeline.pipeline_id)),
            (500, format!("[INFO] Repository {}, branch {}", code.repository, code.branch)),
        ],
        Action::Build => match execution.source {
            Some(source) => vec![
                (
                    0,
                    format!(
                        "[INFO] Artifacts are copied from execution {source}; nothing is built"
                    ),
                ),
                (500, format!("[INFO] Commit {commit} of {}", code.repository)),
            ],
            None => vec![
                (0, format!("[INFO] Cloning {}, branch {}", code.repository, code.branch)),
                (100, format!("[INFO] Commit {commit}")),
                (200, "[INFO] mvn --batch-mode clean package".to_owned()),
                (900, format!("[INFO] Artifacts version {}", execution.artifacts_version())),
            ],
        },
        Action::CodeQuality => vec![(0, format!("[INFO] Scanning commit {commit}"))],
        Action::Deploy => vec![
            (0, format!("[INFO] Deploying {} to {environment}", execution.artifacts_version())),
            (1000, format!("[INFO] Deployment to {environment} is over")),
        ],
        Action::SecurityTest => {
            vec![(0, format!("[INFO] Checking the instances of {environment}"))]
        }
        Action::LoadTest => vec![
            (0, format!("[INFO] Requesting pages of {environment}")),
            (500, "[INFO] Half of the test time is over".to_owned()),
        ],
        Action::AssetsTest => vec![
            (0, format!("[INFO] Uploading assets to {environment}")),
            (500, "[INFO] Half of the test time is over".to_owned()),
        ],
        Action::ReportPerformanceTest => {
            vec![(0, "[INFO] Evaluating the performance tests".to_owned())]
        }
        Action::ContentAudit => vec![(0, format!("[INFO] Auditing the pages of {environment}"))],
        Action::Approval | Action::Schedule | Action::Managed => Vec::new(),
    };
    if step.action == Action::Validate {
        lines.extend(execution.plan.problems.iter().map(|text| (1000, format!("[ERROR] {text}"))));
    }
    if let (Outcome::Failed | Outcome::Error, Some(message)) = (step.outcome, &step.message) {
        lines.extend(message.lines().map(|line| (1000, format!("[ERROR] {line}"))));
    }
    lines.extend(execution.plan.metrics(step).iter().map(|metric| (1000, describe(metric))));
    lines
}

fn sonar_script(execution: &Execution) -> Vec<ScriptLine> {
    let code = &execution.plan.code;
    vec![
        (0, format!("[INFO] Project {}, branch {}", code.repository, code.branch)),
        (500, "[INFO] Sensors are done".to_owned()),
        (1000, "[INFO] Analysis is complete".to_owned()),
    ]
}

fn describe(metric: &Metric) -> String {
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
            let days = super::machine::patience(step)?.as_millis() / (24 * 60 * 60 * 1000);
            Some(format!("Nobody answered within {days} days."))
        }
        StepState::Ended { end: End::Failed | End::Error, .. } if step.message.is_some() => {
            step.message.clone()
        }
        StepState::Ended { end: End::Failed, .. } => failure(execution, step),
        StepState::Running { .. } | StepState::Ended { .. } if step.action == Action::Build => {
            let source = execution.source?;
            Some(format!("The artifacts are copied from execution {source}; nothing is built."))
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
