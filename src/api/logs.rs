//! Step logs: where they are.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::extract::InStep;
use super::files::FileName;
use super::page::QueryParameters;
use crate::domain::execution::log;
use crate::http::problem::Problem;

/// Where a file is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Redirect {
    /// Its absolute address, which needs no further credentials.
    redirect: String,
}

/// Answers with the address of a step's log: in JSON to who accepts that, otherwise as a redirect.
#[utoipa::path(get, path = "/api/program/{programId}/pipeline/{pipelineId}/execution/{executionId}/phase/{phaseId}/step/{stepId}/logs",
    operation_id = "getStepLogs", tag = "Pipeline Execution",
    params(InStep,
        ("file" = Option<String>, Query, description = "Which of the step's log files")),
    responses((status = 200, description = "The address", body = Redirect),
        (status = 307, description = "The address",
            headers(("location" = String, description = "The address")))))]
pub async fn get_step_logs(
    State(api): State<Api>,
    InStep { snapshot, position, key }: InStep,
    query: QueryParameters,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let file = query.get("file");
    log::log(&snapshot.execution, position, file, snapshot.now)
        .ok_or_else(|| Problem::not_found("The log"))?;
    let name = FileName {
        pipeline: key.pipeline,
        execution_id: key.execution_id,
        position,
        file: file.map(str::to_owned),
    };
    let token = api.file_tokens.sign(&name);
    let redirect = format!("{}/files/{token}", api.hosts.base_url(&headers));
    Ok(if accepts_json(&headers) {
        Json(Redirect { redirect }).into_response()
    } else {
        (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, redirect)]).into_response()
    })
}

/// Whether `Accept` names `application/json` or `*/*`.
fn accepts_json(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim())
        .any(|range| range == "*/*" || range.eq_ignore_ascii_case("application/json"))
}
