//! What each action writes into the log of its step while it works.

use crate::content::artifact::{Build, FileRole};
use crate::content::deployment::StepDeployment;
use crate::content::metric::describe;
use crate::domain::execution::Execution;
use crate::domain::execution::plan::PlannedStep;
use crate::domain::gate::Gate;
use crate::domain::noise::Noise;
use crate::domain::pipeline::Action;
use crate::domain::scenario::Outcome;

use super::build;
use super::script::{Names, ScriptLine};

/// After this many thousandths of its work, a step that fails writes only the reason.
const FAILURE: i64 = 900;

/// Returns the lines of a step in order. Those of deployment commands are not among them.
pub(super) fn script(
    execution: &Execution,
    step: &PlannedStep,
    names: Names<'_>,
    deployment: Option<&StepDeployment>,
) -> Vec<ScriptLine> {
    let mut lines = match step.action {
        Action::Build => build::script(execution, step, names),
        Action::CodeQuality => scan(execution),
        Action::Deploy => deployment_order(execution, step, deployment),
        Action::SecurityTest => security_test(execution, step),
        Action::LoadTest => load_test(execution, step),
        Action::AssetsTest => assets_test(step),
        Action::ReportPerformanceTest => {
            vec![(0, "[INFO] Evaluating the results of the performance tests".to_owned())]
        }
        Action::ContentAudit => {
            vec![(0, format!("[INFO] Auditing the pages of {}", environment(step)))]
        }
        Action::Validate | Action::Approval | Action::Schedule | Action::Managed => Vec::new(),
    };
    if matches!(step.outcome, Outcome::Failed | Outcome::Error) {
        lines.retain(|(thousandth, _)| *thousandth < FAILURE);
    }
    let metrics = execution.plan.metrics(step);
    lines.extend(metrics.iter().map(|metric| (1000, describe(metric))));
    lines
}

fn environment(step: &PlannedStep) -> &str {
    let name = step.target.as_ref().and_then(|target| target.name.as_deref());
    name.unwrap_or("the environment")
}

fn scan(execution: &Execution) -> Vec<ScriptLine> {
    let code = &execution.plan.code;
    let commit = code.commit.as_deref().unwrap_or("unknown");
    let mut lines = vec![(0, format!("[INFO] Scanning commit {commit} of {}", code.repository))];
    if let Some(build) = &code.built_by {
        let (id, version) = (build.execution_id, &build.version);
        lines.push((0, format!("[INFO] Artifacts reused from execution {id}, version {version}")));
    }
    lines.extend([
        (300, "[INFO] Java: 214 source files, JavaScript: 37, HTL: 61".to_owned()),
        (600, "[INFO] Running the rules of the profile Cloud Manager".to_owned()),
        (900, "[INFO] Evaluating the quality gate".to_owned()),
    ]);
    lines
}

/// Returns the lines of a scan's second log file.
pub(super) fn sonar_script(execution: &Execution) -> Vec<ScriptLine> {
    let code = &execution.plan.code;
    let commit = code.commit.as_deref().unwrap_or("unknown");
    vec![
        (0, "[INFO] Scanner configuration: default".to_owned()),
        (50, format!("[INFO] Project key: {}", code.repository)),
        (50, format!("[INFO] Branch {}, revision {commit}", code.branch)),
        (200, "[INFO] Sensor JavaSensor [java]".to_owned()),
        (500, "[INFO] Sensor JavaSensor [java] (done)".to_owned()),
        (500, "[INFO] Sensor JaCoCo XML Report Importer [jacoco]".to_owned()),
        (700, "[INFO] Sensor JaCoCo XML Report Importer [jacoco] (done)".to_owned()),
        (900, "[INFO] CPD Executor CPD calculation finished (done)".to_owned()),
        (1000, "[INFO] ANALYSIS SUCCESSFUL".to_owned()),
    ]
}

fn deployment_order(
    execution: &Execution,
    step: &PlannedStep,
    deployment: Option<&StepDeployment>,
) -> Vec<ScriptLine> {
    let environment = environment(step);
    let mut lines = vec![(0, format!("[INFO] Deploying to {environment}"))];
    for file in Build::of(execution).files() {
        let level = if file.role == FileRole::Other { "WARN" } else { "INFO" };
        lines.push((0, format!("[{level}] {}", file.description())));
    }
    if let Some(deployment) = deployment {
        lines.extend(deployment.notes.iter().map(|note| (0, note.clone())));
        let count = deployment.commands.len();
        lines.push((0, format!("[INFO] {count} deployment commands are to be performed")));
    }
    lines
}

fn security_test(execution: &Execution, step: &PlannedStep) -> Vec<ScriptLine> {
    let mut lines =
        vec![(0, format!("[INFO] Checking the health of the instances of {}", environment(step)))];
    let checks = execution.plan.metrics(step);
    let count = i64::try_from(checks.len().max(1)).unwrap_or(1);
    lines.extend((1..).zip(&checks).map(|(number, check)| {
        (950 * number / count, format!("[INFO] Health check {}: {}", check.kpi, check.actual))
    }));
    lines
}

/// How many reports a test of the load gives.
const REPORTS: i64 = 10;

fn load_test(execution: &Execution, step: &PlannedStep) -> Vec<ScriptLine> {
    let noise = Noise::of(&["load test", &execution.id.to_string()]);
    let views = execution.plan.kpis.page_views_per_minute;
    let gate = Gate::Performance.evaluate(execution.plan.kpis, &step.metrics);
    let shown = |kpi: &str| {
        let metric = gate.iter().find(|metric| metric.kpi == kpi);
        metric.map(|metric| metric.actual.clone()).unwrap_or_default()
    };
    let mut lines = vec![
        (0, format!("[INFO] Requesting pages of {}", environment(step))),
        (0, format!("[INFO] Target: {views} page views per minute")),
    ];
    lines.extend((1..=REPORTS).map(|number| {
        let requests =
            number * 600 + i64::try_from(noise.below(number.unsigned_abs(), 60)).unwrap_or(0);
        let text = format!(
            "[INFO] {}% done: {requests} requests, error rate {}%, response time {} s",
            number * 100 / REPORTS,
            shown("error_rate"),
            shown("response_time"),
        );
        (number * 990 / REPORTS, text)
    }));
    lines
}

fn assets_test(step: &PlannedStep) -> Vec<ScriptLine> {
    let mut lines = vec![(0, format!("[INFO] Uploading assets to {}", environment(step)))];
    lines.extend((1..=REPORTS).map(|number| {
        let text = format!("[INFO] {} assets uploaded, {} processed", number * 20, number * 19);
        (number * 990 / REPORTS, text)
    }));
    lines
}
