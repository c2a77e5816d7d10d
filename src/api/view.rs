//! Executions, step states and metrics as clients see them.

use serde::Serialize;
use utoipa::ToSchema;

use super::details::StepDetails;
use super::hal::Link;
use crate::domain::environment::EnvironmentType;
use crate::domain::execution::plan::{PlannedStep, Target};
use crate::domain::execution::status::StepStatus;
use crate::domain::execution::{Execution, ExecutionMode, ExecutionStatus, Trigger, links};
use crate::domain::gate::{Comparator, Metric, Severity};
use crate::domain::id::StepKey;
use crate::domain::pipeline::Action;
use crate::engine::read::Snapshot;
use crate::http::api_path::ApiPath;

/// The user of an execution that nobody started.
const NOBODY: &str = "AnonymousNoPermission";

/// An execution of a pipeline.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PipelineExecution)]
pub struct ExecutionView {
    id: String,
    program_id: String,
    pipeline_id: String,
    artifacts_version: String,
    /// Who started it; `AnonymousNoPermission` if a commit did.
    user: String,
    status: ExecutionStatus,
    trigger: Trigger,
    pipeline_execution_mode: ExecutionMode,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    pipeline_type: &'static str,
    #[serde(rename = "_embedded")]
    embedded: EmbeddedStepStates,
    #[serde(rename = "_links")]
    links: ExecutionLinks,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EmbeddedStepStates {
    step_states: Vec<StepStateView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ExecutionLinks {
    #[serde(rename = "self")]
    this: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/program")]
    program: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/pipeline")]
    pipeline: Link,
}

/// The state of a step of an execution.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PipelineExecutionStepState)]
pub struct StepStateView {
    /// Different in each execution.
    id: String,
    /// The same in all executions of the pipeline.
    step_id: String,
    /// The same in all executions of the pipeline.
    phase_id: String,
    execution_id: String,
    pipeline_id: String,
    program_id: String,
    action: Action,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment_type: Option<EnvironmentType>,
    status: StepStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<String>,
    details: StepDetails,
    #[serde(rename = "_links")]
    links: StepStateLinks,
}

#[derive(Debug, Serialize, ToSchema)]
struct StepStateLinks {
    #[serde(rename = "self")]
    this: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/execution")]
    execution: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/pipeline")]
    pipeline: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/program")]
    program: Link,
    #[serde(
        rename = "http://ns.adobe.com/adobecloud/rel/pipeline/logs",
        skip_serializing_if = "Option::is_none"
    )]
    logs: Option<Link>,
    #[serde(
        rename = "http://ns.adobe.com/adobecloud/rel/pipeline/metrics",
        skip_serializing_if = "Option::is_none"
    )]
    metrics: Option<Link>,
    #[serde(
        rename = "http://ns.adobe.com/adobecloud/rel/pipeline/advance",
        skip_serializing_if = "Option::is_none"
    )]
    advance: Option<Link>,
    #[serde(
        rename = "http://ns.adobe.com/adobecloud/rel/pipeline/cancel",
        skip_serializing_if = "Option::is_none"
    )]
    cancel: Option<Link>,
    #[serde(
        rename = "http://ns.adobe.com/adobecloud/rel/pipeline/reExecute",
        skip_serializing_if = "Option::is_none"
    )]
    re_execute: Option<Link>,
}

/// The metrics of a step's quality gate; empty until they are known, and for steps without a gate.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PipelineStepMetrics)]
pub struct MetricsView {
    metrics: Vec<MetricView>,
}

/// A metric of a quality gate.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Metric)]
struct MetricView {
    id: String,
    severity: Severity,
    passed: bool,
    #[serde(rename = "override")]
    overridden: bool,
    actual_value: String,
    expected_value: String,
    comparator: Comparator,
    kpi: &'static str,
}

impl ExecutionView {
    /// The execution as it is at the instant of the snapshot.
    #[must_use]
    pub fn new(snapshot: &Snapshot) -> Self {
        let execution = &snapshot.execution;
        let Execution {
            id,
            pipeline,
            plan: _,
            trigger,
            mode,
            user,
            source: _,
            created_at,
            progress: _,
            steps,
        } = execution;
        let step_states = (0..steps.len())
            .filter_map(|position| StepStateView::new(snapshot, position))
            .collect();
        Self {
            id: id.to_string(),
            program_id: pipeline.program_id.to_string(),
            pipeline_id: pipeline.pipeline_id.to_string(),
            artifacts_version: execution.artifacts_version(),
            user: user.clone().unwrap_or_else(|| NOBODY.into()),
            status: execution.status(),
            trigger: *trigger,
            pipeline_execution_mode: *mode,
            created_at: created_at.to_string(),
            updated_at: execution.updated_at().to_string(),
            finished_at: execution.finished_at().map(|at| at.to_string()),
            pipeline_type: "CI_CD",
            embedded: EmbeddedStepStates { step_states },
            links: ExecutionLinks {
                this: Link::to(ApiPath::Execution(*pipeline, *id)),
                program: Link::to(ApiPath::Program(pipeline.program_id)),
                pipeline: Link::to(ApiPath::Pipeline(*pipeline)),
            },
        }
    }
}

impl StepStateView {
    /// The view of the step at a position; none if the execution has no such step.
    pub(super) fn new(snapshot: &Snapshot, position: usize) -> Option<Self> {
        let execution = &snapshot.execution;
        let (step, state) = execution.step(position)?;
        let code = matches!(step.action, Action::Build | Action::CodeQuality)
            .then_some(&execution.plan.code);
        let target = step.target.as_ref();
        Some(Self {
            id: execution.step_state_id(position).to_string(),
            step_id: step.id.to_string(),
            phase_id: step.phase_id.to_string(),
            execution_id: execution.id.to_string(),
            pipeline_id: execution.pipeline.pipeline_id.to_string(),
            program_id: execution.pipeline.program_id.to_string(),
            action: step.action,
            repository: code.map(|code| code.repository.clone()),
            branch: code.map(|code| code.branch.clone()),
            commit_id: code.and_then(|code| code.commit.clone()),
            environment: target.and_then(|Target { name, .. }| name.clone()),
            environment_id: target.map(|target| target.id.to_string()),
            environment_type: target.map(|target| target.environment_type),
            status: state.status(),
            started_at: state.started_at().map(|at| at.to_string()),
            finished_at: state.finished_at().map(|at| at.to_string()),
            updated_at: state.updated_at().map(|at| at.to_string()),
            details: StepDetails::new(snapshot, position, state),
            links: StepStateLinks::new(snapshot, step, position),
        })
    }
}

impl StepStateLinks {
    fn new(snapshot: &Snapshot, step: &PlannedStep, position: usize) -> Self {
        let execution = &snapshot.execution;
        let (pipeline, execution_id) = (execution.pipeline, execution.id);
        let key = StepKey { pipeline, execution_id, phase_id: step.phase_id, step_id: step.id };
        let link = |path, possible: Result<(), links::Unavailable>| {
            possible.is_ok().then(|| Link::to(path))
        };
        let again = links::re_execute(execution, position, snapshot.is_last);
        Self {
            execution: Link::to(ApiPath::Execution(pipeline, execution_id)),
            program: Link::to(ApiPath::Program(pipeline.program_id)),
            logs: link(ApiPath::Logs(key), links::logs(execution, position)),
            metrics: link(ApiPath::Metrics(key), links::metrics(execution, position)),
            advance: link(ApiPath::Advance(key), links::advance(execution, position)),
            cancel: link(ApiPath::Cancel(key), links::cancel(execution, position)),
            re_execute: again.is_ok().then(|| {
                let path = ApiPath::CurrentExecution(pipeline);
                Link::to(format!("{path}?stepId={}", step.id))
            }),
            pipeline: Link::to(ApiPath::Pipeline(pipeline)),
            this: Link::to(ApiPath::Step(key)),
        }
    }
}

impl MetricsView {
    /// The metrics of the step at a position.
    pub(super) fn new(snapshot: &Snapshot, position: usize) -> Self {
        let execution = &snapshot.execution;
        let metrics = execution.gate_metrics(position);
        let overridden = execution.is_overridden(position);
        let state_id = execution.step_state_id(position);
        let views = metrics.into_iter().enumerate().map(|(index, metric)| {
            let overridden = overridden && metric.is_important_failure();
            let Metric { kpi, severity, comparator, expected, actual, passed } = metric;
            MetricView {
                id: format!("{state_id}{index:02}"),
                severity,
                passed,
                overridden,
                actual_value: actual,
                expected_value: expected,
                comparator,
                kpi,
            }
        });
        Self { metrics: views.collect() }
    }
}
