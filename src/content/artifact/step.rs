//! Which artifacts the steps of an execution leave behind.

use std::io;

use crate::domain::execution::status::StepStatus;
use crate::domain::execution::step::StepState;
use crate::domain::execution::{End, Execution};
use crate::domain::gate::Metric;
use crate::domain::pipeline::Action;

use super::{Artifact, ArtifactFile, Build, Graph, Output, issues};

/// The metrics whose course a load test draws; the other tests draw what the instances did.
const LOAD_METRICS: [&str; 3] = ["error_rate", "response_time", "peak_resp_time"];

/// The descriptions of a step's artifacts, in the order of their numbers.
pub fn list(execution: &Execution, position: usize) -> io::Result<Vec<Artifact>> {
    Ok(files(execution, position)?.into_iter().map(|file| file.artifact).collect())
}

/// An artifact of a step by its number, from 1; none if there is none, or not yet.
pub fn find(
    execution: &Execution,
    position: usize,
    number: usize,
) -> io::Result<Option<ArtifactFile>> {
    let Some(index) = number.checked_sub(1) else { return Ok(None) };
    Ok(files(execution, position)?.into_iter().nth(index))
}

fn files(execution: &Execution, position: usize) -> io::Result<Vec<ArtifactFile>> {
    let Some((step, state)) = execution.step(position) else { return Ok(Vec::new()) };
    let seed = execution.step_state_id(position).to_string();
    match step.action {
        Action::Build if state.status() == StepStatus::Finished => {
            let build = Build::of(execution);
            Output::ALL.into_iter().map(|output| build.file(output)).collect()
        }
        Action::CodeQuality => {
            let metrics = execution.gate_metrics(position);
            let open = metrics.iter().find(|metric| metric.kpi == "open_issues");
            let count = open.map(|metric| metric.actual.parse().unwrap_or(0));
            Ok(count.map(|count| issues(count, &seed)).into_iter().collect())
        }
        Action::LoadTest | Action::AssetsTest | Action::ReportPerformanceTest => {
            let (Some(began), true) = (state.started_at(), is_judged(state)) else {
                return Ok(Vec::new());
            };
            let drawn = |metric: &Metric| match step.action {
                Action::LoadTest => LOAD_METRICS.contains(&metric.kpi),
                Action::AssetsTest => !LOAD_METRICS.contains(&metric.kpi),
                _ => true,
            };
            let mut files = Vec::new();
            for metric in performance(execution).iter().filter(|metric| drawn(metric)) {
                if let Some(graph) = Graph::of(metric, began, step.duration, &seed) {
                    files.push(graph.csv());
                    files.push(graph.json()?);
                }
            }
            Ok(files)
        }
        _ => Ok(Vec::new()),
    }
}

/// Whether the work of a step has been done to its end.
fn is_judged(state: &StepState) -> bool {
    matches!(
        state,
        StepState::Waiting { .. } | StepState::Ended { end: End::Finished | End::Failed, .. }
    )
}

/// The metrics of the performance gate, which the last of the performance steps is about.
fn performance(execution: &Execution) -> Vec<Metric> {
    let mut steps = execution.plan.steps.iter();
    let report = steps.find(|step| step.action == Action::ReportPerformanceTest);
    report.map(|step| execution.plan.metrics(step)).unwrap_or_default()
}
