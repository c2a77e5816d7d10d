//! Executions: start, read, list.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::bodies::{RenderedBody, Subject};
use super::hal::List;
use super::page::{MAX_PAGE_SIZE, Paging, QueryParameters};
use super::view::ExecutionView;
use super::{Api, BaseUrl};
use crate::access::gateway::Caller;
use crate::domain::execution::start::{StartRefusal, StartRequest};
use crate::domain::execution::{ExecutionMode, Trigger};
use crate::engine::commands::StartError;
use crate::engine::read::Snapshot;
use crate::extract::{InPipeline, NamedExecution};
use crate::http::api_path::ApiPath;
use crate::http::problem::Problem;
use crate::http::query::QueryReader;

/// How many executions a page has when none is asked for.
const DEFAULT_PAGE_SIZE: u32 = 20;

/// The items.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmbeddedExecutions {
    executions: Vec<ExecutionView>,
}

/// Returns the current execution of a pipeline: the unfinished one.
#[utoipa::path(get, path = "/api/program/{programId}/pipeline/{pipelineId}/execution",
    operation_id = "getCurrentExecution", tag = "Pipeline Execution",
    params(InPipeline),
    responses((status = 200, description = "The current execution", body = ExecutionView)))]
pub async fn get_current_execution(
    State(api): State<Api>,
    InPipeline { pipeline, .. }: InPipeline,
) -> Result<Response, Problem> {
    let pipeline = pipeline.key();
    let render = async || {
        let current = api.engine.find_current_execution(pipeline).await?;
        let snapshot = current.ok_or_else(|| Problem::not_found("A current execution"))?;
        Ok(RenderedBody::new(&ExecutionView::new(&snapshot), &[snapshot]))
    };
    api.bodies.answer(&api.engine, pipeline, Subject::Current, render).await
}

/// Starts a pipeline, re-executes its last production deployment, or rolls it back.
#[utoipa::path(put, path = "/api/program/{programId}/pipeline/{pipelineId}/execution",
    operation_id = "startPipeline", tag = "Pipeline Execution",
    params(InPipeline,
        ("pipelineExecutionMode" = Option<ExecutionMode>, Query,
            description = "`EMERGENCY` skips the security and performance tests; the program must allow it"),
        ("stepId" = Option<String>, Query,
            description = "The production deploy step to re-execute"),
        ("sourceExecutionId" = Option<String>, Query,
            description = "The execution to re-execute; must be the last one of the pipeline"),
        ("rollback" = Option<bool>, Query,
            description = "`true` rolls back to the newest successful execution with other artifacts")),
    responses((status = 201, description = "The new execution", body = ExecutionView,
            headers(("location" = String, description = "Its URL"))),
        (status = 412, description = "The pipeline is busy", body = Problem,
            content_type = "application/problem+json")))]
pub async fn start_pipeline(
    State(api): State<Api>,
    caller: Caller,
    InPipeline { pipeline, .. }: InPipeline,
    query: QueryParameters,
    BaseUrl(base): BaseUrl,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let request = read_request(&query)?;
    let execution = api.engine.start(pipeline.key(), request, Some(caller.user(&headers))).await?;
    let path = ApiPath::Execution(execution.pipeline, execution.id);
    let location = format!("{base}{path}");
    let now = execution.created_at;
    let view = ExecutionView::new(&Snapshot { execution, is_last: true, now });
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(view)).into_response())
}

/// The query parameters of a start.
const START_PARAMETERS: [&str; 3] = ["pipelineExecutionMode", "stepId", "sourceExecutionId"];

/// The query parameter of a rollback, which clients get from its link.
const ROLLBACK: &str = "rollback";

fn read_request(query: &QueryParameters) -> Result<StartRequest, Problem> {
    // Unknown parameters are rejected: if `pipelineExecutionMode` were misspelled and
    // ignored, an emergency would start a normal execution.
    let mut reader = QueryReader::with_unlisted(query, &START_PARAMETERS, &[ROLLBACK]);
    let rolls_back = reader.read(ROLLBACK, |text| match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("must be true or false".into()),
    });
    reader.finish()?;
    if rolls_back == Some(true) {
        return read_rollback(query);
    }
    let mode = match query.get("pipelineExecutionMode") {
        None | Some("NORMAL") => ExecutionMode::Normal,
        Some("EMERGENCY") => ExecutionMode::Emergency,
        Some(other) => {
            let name = "pipelineExecutionMode";
            return Err(Problem::invalid_parameter(name, "must be NORMAL or EMERGENCY", other));
        }
    };
    let Some(step) = query.get("stepId") else {
        if let Some(source) = query.get("sourceExecutionId") {
            let message = "is only for re-executions; stepId must name the step to re-execute";
            return Err(Problem::invalid_parameter("sourceExecutionId", message, source));
        }
        return Ok(StartRequest::Whole(Trigger::Manual, mode));
    };
    if mode == ExecutionMode::Emergency {
        let message = "can't be used in emergency mode: a re-execution is always NORMAL";
        return Err(Problem::invalid_parameter("stepId", message, step));
    }
    let source = query.get("sourceExecutionId").map(|source| source.parse().ok());
    Ok(StartRequest::ReExecute { step: step.parse().ok(), source })
}

/// Reads the request for a rollback, which has no other parameters but the mode NORMAL.
fn read_rollback(query: &QueryParameters) -> Result<StartRequest, Problem> {
    let other = START_PARAMETERS.iter().find_map(|name| {
        let value = query.get(name)?;
        (*name != "pipelineExecutionMode" || value != "NORMAL").then_some((*name, value))
    });
    match other {
        None => Ok(StartRequest::RollBack),
        Some((name, value)) => {
            let message = "can't be used with rollback=true";
            Err(Problem::invalid_parameter(name, message, value))
        }
    }
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        match error {
            StartError::NoSuchPipeline => Self::not_found("The pipeline"),
            StartError::Busy => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "Pipeline is busy",
                "The pipeline has an unfinished execution.",
            ),
            StartError::Refused(refusal @ StartRefusal::NeverSucceeded) => {
                Self::new(StatusCode::CONFLICT, "Nothing to update", refusal.to_string())
            }
            StartError::Refused(refusal) => Self::bad_request(refusal.to_string()),
            StartError::Scenario(_) => Self::new(
                StatusCode::BAD_REQUEST,
                "Scenario does not fit",
                format!(
                    "No execution was started: {error}. Replace or delete the scenario of the \
                     pipeline (…/scenario under /_emulator)."
                ),
            ),
            StartError::Store(error) => error.into(),
        }
    }
}

/// Returns an execution.
#[utoipa::path(get,
    path = "/api/program/{programId}/pipeline/{pipelineId}/execution/{executionId}",
    operation_id = "getExecution", tag = "Pipeline Execution",
    params(NamedExecution),
    responses((status = 200, description = "The execution", body = ExecutionView)))]
pub async fn get_execution(
    State(api): State<Api>,
    NamedExecution { pipeline, execution_id }: NamedExecution,
) -> Result<Response, Problem> {
    let render = async || {
        let found = api.engine.find_execution(pipeline, execution_id).await?;
        let snapshot = found.ok_or_else(|| Problem::not_found("The execution"))?;
        Ok(RenderedBody::new(&ExecutionView::new(&snapshot), &[snapshot]))
    };
    api.bodies.answer(&api.engine, pipeline, Subject::Execution(execution_id), render).await
}

/// Lists the executions of a pipeline, newest first.
#[utoipa::path(get, path = "/api/program/{programId}/pipeline/{pipelineId}/executions",
    operation_id = "getExecutions", tag = "Pipeline Execution",
    params(InPipeline, Paging),
    responses((status = 200, description = "The executions", body = List<EmbeddedExecutions>)))]
pub async fn get_executions(
    State(api): State<Api>,
    InPipeline { pipeline, .. }: InPipeline,
    paging: Paging,
) -> Result<Response, Problem> {
    let (pipeline, paging) = (pipeline.key(), paging.at_most(MAX_PAGE_SIZE));
    let render = async || {
        let limit = paging.limit.unwrap_or(DEFAULT_PAGE_SIZE);
        let found = api.engine.list_executions(pipeline, paging.start, limit).await?;
        let path = ApiPath::Executions(pipeline);
        let (page, links) = paging.describe(path, found.total, Some(DEFAULT_PAGE_SIZE));
        let executions = found.executions.iter().map(ExecutionView::new).collect();
        let embedded = EmbeddedExecutions { executions };
        let list = List { total: found.total, page: Some(page), embedded, links };
        Ok(RenderedBody::new(&list, &found.executions))
    };
    api.bodies.answer(&api.engine, pipeline, Subject::Page(paging), render).await
}
