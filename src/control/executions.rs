//! The executions of a whole program.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::Control;
use crate::domain::execution::{Execution, ExecutionMode, ExecutionStatus, Trigger};
use crate::domain::id::{ExecutionId, InvalidId};
use crate::extract::InProgram;
use crate::http::problem::Problem;
use crate::http::query::{QueryParameters, QueryReader};
use crate::input;

/// How many executions are listed if no number is asked for.
const LIMIT: u32 = 20;

/// The most executions that are listed.
const LARGEST_LIMIT: u32 = 100;

/// Executions, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgramExecutionList {
    executions: Vec<ExecutionSummary>,
}

/// An execution without its step states.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ExecutionSummary {
    id: String,
    program_id: String,
    pipeline_id: String,
    status: ExecutionStatus,
    trigger: Trigger,
    pipeline_execution_mode: ExecutionMode,
    artifacts_version: String,
    /// The user who started it; absent if a commit did.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
}

impl ExecutionSummary {
    fn new(execution: &Execution) -> Self {
        Self {
            id: execution.id.to_string(),
            program_id: execution.pipeline.program_id.to_string(),
            pipeline_id: execution.pipeline.pipeline_id.to_string(),
            status: execution.status(),
            trigger: execution.trigger,
            pipeline_execution_mode: execution.mode,
            artifacts_version: execution.artifacts_version(),
            user: execution.user.clone(),
            created_at: execution.created_at.to_string(),
            updated_at: execution.updated_at().to_string(),
            finished_at: execution.finished_at().map(|at| at.to_string()),
        }
    }
}

/// The query parameters that choose executions.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what the handler reads")]
pub struct ExecutionParameters {
    /// Only executions with this status.
    status: Option<ExecutionStatus>,
    /// Only executions older than this one, for paging.
    #[param(pattern = "^[1-9][0-9]{0,18}$")]
    before: Option<String>,
    /// The maximum number of executions; 20 if absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// Lists the executions of all pipelines of a program, newest first, without their step states.
#[utoipa::path(get, path = "/_emulator/program/{programId}/executions",
    operation_id = "getProgramExecutions", tag = "Emulator",
    params(InProgram, ExecutionParameters),
    responses((status = 200, description = "The executions", body = ProgramExecutionList)))]
pub async fn get_program_executions(
    State(control): State<Control>,
    InProgram { program }: InProgram,
    query: QueryParameters,
) -> Result<Json<ProgramExecutionList>, Problem> {
    let mut reader = QueryReader::new(&query, &["status", "before", "limit"]);
    let status = reader.read("status", |text| input::read_word(&text.to_uppercase()));
    let before: Option<ExecutionId> =
        reader.read("before", |text| text.parse().map_err(|error: InvalidId| error.to_string()));
    let limit = reader.read("limit", |text| {
        let limit = text.parse().ok().filter(|limit| (1..=LARGEST_LIMIT).contains(limit));
        limit.ok_or_else(|| format!("must be a whole number from 1 to {LARGEST_LIMIT}"))
    });
    reader.finish()?;
    let limit = limit.unwrap_or(LIMIT);
    let found = control.engine.list_program_executions(&program, status, before, limit).await?;
    let found = found.ok_or_else(|| {
        let before = query.get("before").unwrap_or_default();
        Problem::invalid_parameter("before", "is not an execution of the program", before)
    })?;
    Ok(Json(ProgramExecutionList { executions: found.iter().map(ExecutionSummary::new).collect() }))
}
