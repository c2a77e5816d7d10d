//! What runs: the newest execution of every pipeline, at a glance.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Control;
use crate::domain::environment::EnvironmentType;
use crate::domain::execution::machine;
use crate::domain::execution::status::StepStatus;
use crate::domain::execution::{Execution, ExecutionMode, ExecutionStatus, Trigger};
use crate::domain::pipeline::Action;
use crate::domain::program::Program;
use crate::http::problem::Problem;

/// The newest execution of every pipeline, and the clock.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = EmulatorStatus)]
pub struct StatusView {
    /// Emulated time.
    pub now: String,
    /// Emulated milliseconds per real millisecond.
    pub rate: f64,
    /// The programs.
    pub programs: Vec<ProgramOverview>,
}

/// The pipelines of a program.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct ProgramOverview {
    /// Identifier.
    pub id: String,
    /// Name.
    pub name: String,
    /// The pipelines.
    pub pipelines: Vec<PipelineOverview>,
}

/// The newest execution of a pipeline.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct PipelineOverview {
    /// Identifier.
    pub id: String,
    /// Name.
    pub name: String,
    /// The newest execution; absent if the pipeline was never executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution: Option<LastExecution>,
}

/// The newest execution of a pipeline, with its progress.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastExecution {
    /// Identifier.
    pub id: String,
    /// Its status.
    pub status: ExecutionStatus,
    /// What started the execution.
    pub trigger: Trigger,
    /// In which mode.
    pub mode: ExecutionMode,
    /// When it was created.
    pub created_at: String,
    /// When the next timer of the execution is due; absent if it has ended or waits without a
    /// time limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
    /// Its steps, in order.
    pub steps: Vec<LastStep>,
}

/// How far a step has come.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastStep {
    /// What it does.
    pub action: Action,
    /// The type of its environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment_type: Option<EnvironmentType>,
    /// Its status.
    pub status: StepStatus,
    /// When it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
}

impl ProgramOverview {
    fn new(program: &Program, executions: &[Execution]) -> Self {
        let newest: BTreeMap<_, _> =
            executions.iter().map(|it| (it.pipeline.pipeline_id, it)).collect();
        let pipelines = program.pipelines.values().map(|pipeline| PipelineOverview {
            id: pipeline.id.to_string(),
            name: pipeline.name.clone(),
            execution: newest.get(&pipeline.id).map(|it| LastExecution::from(*it)),
        });
        let pipelines = pipelines.collect();
        Self { id: program.id.to_string(), name: program.name.clone(), pipelines }
    }
}

impl From<&Execution> for LastExecution {
    fn from(execution: &Execution) -> Self {
        let steps = (0..execution.steps.len()).filter_map(|position| {
            let (step, state) = execution.step(position)?;
            Some(LastStep {
                action: step.action,
                environment_type: step.environment_type(),
                status: state.status(),
                started_at: state.started_at().map(|at| at.to_string()),
                finished_at: state.finished_at().map(|at| at.to_string()),
            })
        });
        Self {
            id: execution.id.to_string(),
            status: execution.status(),
            trigger: execution.trigger,
            mode: execution.mode,
            created_at: execution.created_at.to_string(),
            due_at: machine::due_at(execution).map(|due| due.to_string()),
            steps: steps.collect(),
        }
    }
}

/// Returns the clock and the newest execution of every pipeline with its steps.
#[utoipa::path(get, path = "/_emulator/status", operation_id = "getStatus", tag = "Emulator",
    responses((status = 200, description = "The clock and the newest executions", body = StatusView)))]
pub async fn get_status(State(control): State<Control>) -> Result<Json<StatusView>, Problem> {
    let engine = &control.engine;
    let catalog = engine.catalog();
    let mut programs = Vec::new();
    for tenant in catalog.list_tenants() {
        for program in catalog.list_programs(tenant.id) {
            let executions = engine.list_newest_executions(program.id).await?;
            programs.push(ProgramOverview::new(program, &executions));
        }
    }
    let (now, rate) = (engine.now().to_string(), engine.clock_rate());
    Ok(Json(StatusView { now, rate, programs }))
}
