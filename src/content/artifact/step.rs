//! Which artifacts the steps of an execution leave behind.

use std::io;

use crate::domain::execution::status::StepStatus;
use crate::domain::execution::step::StepState;
use crate::domain::execution::{End, Execution};
use crate::domain::gate::Metric;
use crate::domain::pipeline::Action;

use super::{Artifact, ArtifactFile, Build, BuildContent, BuildFile, Graph, issues};

/// The metrics whose course a load test draws; the other tests draw what the instances did.
const LOAD_METRICS: [&str; 3] = ["error_rate", "response_time", "peak_resp_time"];

/// An artifact that a step has left, before its content is made.
enum Source<'a> {
    Output(Box<(Build<'a>, BuildFile<'a>)>),
    /// So many open issues, with the seed of what they say.
    Issues(u64, String),
    Csv(Graph),
    Json(Graph),
}

impl Source<'_> {
    fn artifact(&self) -> io::Result<Artifact> {
        match self {
            Self::Output(output) => output.0.artifact(&output.1),
            Self::Issues(..) | Self::Csv(_) | Self::Json(_) => Ok(self.generate()?.artifact),
        }
    }

    fn content(&self) -> io::Result<BuildContent> {
        match self {
            Self::Output(output) => output.0.content(&output.1),
            Self::Issues(..) | Self::Csv(_) | Self::Json(_) => {
                Ok(BuildContent::Generated(self.generate()?.content))
            }
        }
    }

    fn generate(&self) -> io::Result<ArtifactFile> {
        match self {
            Self::Output(output) => output.0.generate(&output.1),
            Self::Issues(count, seed) => Ok(issues(*count, seed)),
            Self::Csv(graph) => Ok(graph.csv()),
            Self::Json(graph) => graph.json(),
        }
    }
}

/// Returns the descriptions of a step's artifacts, in the order of their numbers.
pub fn list(execution: &Execution, position: usize) -> io::Result<Vec<Artifact>> {
    sources(execution, position).iter().map(Source::artifact).collect()
}

/// Returns whether a step has an artifact of that number, from 1; it has none before it has made
/// them.
#[must_use]
pub fn exists(execution: &Execution, position: usize, number: usize) -> bool {
    (1..=sources(execution, position).len()).contains(&number)
}

/// Returns an artifact of a step by its number, with its content, if it [`exists`].
pub fn find(
    execution: &Execution,
    position: usize,
    number: usize,
) -> io::Result<Option<(Artifact, BuildContent)>> {
    let Some(index) = number.checked_sub(1) else { return Ok(None) };
    let sources = sources(execution, position);
    let found = sources.get(index).map(|source| Ok((source.artifact()?, source.content()?)));
    found.transpose()
}

/// Returns what a step's artifacts are made from, in the order of their numbers.
fn sources(execution: &Execution, position: usize) -> Vec<Source<'_>> {
    let Some((step, state)) = execution.step(position) else { return Vec::new() };
    match step.action {
        Action::Build if state.status() == StepStatus::Finished => {
            let build = Build::of(execution);
            let files = build.files().into_iter();
            files.map(|file| Source::Output(Box::new((build.clone(), file)))).collect()
        }
        Action::CodeQuality => {
            let metrics = execution.gate_metrics(position);
            let open = metrics.iter().find(|metric| metric.kpi == "open_issues");
            let count = open.map(|metric| metric.actual.parse().unwrap_or(0));
            count
                .map(|count| Source::Issues(count, seed(execution, position)))
                .into_iter()
                .collect()
        }
        Action::LoadTest | Action::AssetsTest | Action::ReportPerformanceTest
            if is_judged(state) =>
        {
            graphs(execution, position)
        }
        _ => Vec::new(),
    }
}

/// Returns the seed of the pseudo-random numbers in a step's artifacts.
fn seed(execution: &Execution, position: usize) -> String {
    execution.step_state_id(position).to_string()
}

/// Returns the graphs of a performance test, each as CSV and as JSON.
fn graphs(execution: &Execution, position: usize) -> Vec<Source<'_>> {
    let Some((step, state)) = execution.step(position) else { return Vec::new() };
    let Some(began) = state.started_at() else { return Vec::new() };
    let drawn = |metric: &Metric| match step.action {
        Action::LoadTest => LOAD_METRICS.contains(&metric.kpi),
        Action::AssetsTest => !LOAD_METRICS.contains(&metric.kpi),
        _ => true,
    };
    let seed = seed(execution, position);
    performance(execution)
        .iter()
        .filter(|metric| drawn(metric))
        .filter_map(|metric| Graph::of(metric, began, step.duration, &seed))
        .flat_map(|graph| [Source::Csv(graph.clone()), Source::Json(graph)])
        .collect()
}

/// Returns whether the work of a step has been done to its end.
fn is_judged(state: &StepState) -> bool {
    matches!(
        state,
        StepState::Waiting { .. } | StepState::Ended { end: End::Finished | End::Failed, .. }
    )
}

/// Returns the metrics of the performance gate, which the last of the performance steps is about.
fn performance(execution: &Execution) -> Vec<Metric> {
    let mut steps = execution.plan.steps.iter();
    let report = steps.find(|step| step.action == Action::ReportPerformanceTest);
    report.map(|step| execution.plan.metrics(step)).unwrap_or_default()
}
