//! Step logs: where they are.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::files::{Redirect, redirect};
use super::page::QueryParameters;
use super::{Api, BaseUrl};
use crate::access::file_token::{FileName, StepName};
use crate::content::step_log;
use crate::extract::InStep;
use crate::http::problem::Problem;

/// Returns the URL of a step's log: as JSON if `Accept` names `application/json`, otherwise as a redirect.
#[utoipa::path(get, path = "/api/program/{programId}/pipeline/{pipelineId}/execution/{executionId}/phase/{phaseId}/step/{stepId}/logs",
    operation_id = "getStepLogs", tag = "Pipeline Execution",
    params(InStep,
        ("file" = Option<String>, Query, description = "The name of the log file; the step's log if absent")),
    responses((status = 200, description = "The URL, if Accept names application/json", body = Redirect),
        (status = 307, description = "The URL, if Accept does not name application/json",
            headers(("location" = String, description = "The URL")))))]
pub async fn get_step_logs(
    State(api): State<Api>,
    InStep { snapshot, position, .. }: InStep,
    query: QueryParameters,
    base: BaseUrl,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let file = query.get("file");
    if !step_log::exists(&snapshot.execution, position, file) {
        return Err(Problem::not_found("The log"));
    }
    let step = StepName::new(&snapshot, position);
    let name = FileName::StepLog { step, file: file.map(str::to_owned) };
    Ok(redirect(&api, &base, &headers, &name))
}
