//! Artifacts: what the steps of an execution leave behind.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::files::{Redirect, redirect};
use super::hal::{Link, List};
use super::{Api, BaseUrl};
use crate::access::file_token::{FileName, StepName};
use crate::content::artifact::{self, Artifact, ArtifactType};
use crate::domain::pipeline::Action;
use crate::extract::{InArtifact, InStep};
use crate::http::api_path::ApiPath;
use crate::http::problem::Problem;

/// An artifact of a step.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Artifact)]
struct ArtifactView {
    /// Its number within the step, from 1.
    id: String,
    step_name: Action,
    #[serde(rename = "type")]
    artifact_type: ArtifactType,
    file: String,
    format: &'static str,
    md5: String,
    #[serde(rename = "_links")]
    links: ArtifactLinks,
}

#[derive(Debug, Serialize, ToSchema)]
struct ArtifactLinks {
    #[serde(rename = "self")]
    this: Link,
}

/// The items.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmbeddedArtifacts {
    artifacts: Vec<ArtifactView>,
}

/// Lists the artifacts of a step; empty until the step has produced them.
#[utoipa::path(get, path = "/api/program/{programId}/pipeline/{pipelineId}/execution/{executionId}/phase/{phaseId}/step/{stepId}/artifacts",
    operation_id = "listStepArtifacts", tag = "Pipeline Execution", params(InStep),
    responses((status = 200, description = "The artifacts", body = List<EmbeddedArtifacts>)))]
pub async fn list_step_artifacts(
    InStep { snapshot, position, key }: InStep,
) -> Result<Json<List<EmbeddedArtifacts>>, Problem> {
    let execution = &snapshot.execution;
    let (step, _) = execution.step(position).ok_or_else(|| Problem::not_found("The step"))?;
    let found = artifact::list(execution, position).map_err(|error| Problem::internal(&error))?;
    let artifacts: Vec<_> = (1..)
        .zip(found)
        .map(|(number, Artifact { artifact_type, file, format, md5, size: _ })| ArtifactView {
            id: format!("{number}"),
            step_name: step.action,
            artifact_type,
            file,
            format,
            md5,
            links: ArtifactLinks { this: Link::to(ApiPath::Artifact(key, number)) },
        })
        .collect();
    Ok(Json(List::whole(ApiPath::Artifacts(key), artifacts.len(), EmbeddedArtifacts { artifacts })))
}

/// Returns the URL of an artifact: as JSON if `Accept` names `application/json`, otherwise as a redirect.
#[utoipa::path(get, path = "/api/program/{programId}/pipeline/{pipelineId}/execution/{executionId}/phase/{phaseId}/step/{stepId}/artifact/{artifactId}",
    operation_id = "getStepArtifact", tag = "Pipeline Execution", params(InArtifact),
    responses((status = 200, description = "The URL, if Accept names application/json", body = Redirect),
        (status = 307, description = "The URL, if Accept does not name application/json",
            headers(("location" = String, description = "The URL")))))]
pub async fn get_step_artifact(
    State(api): State<Api>,
    InArtifact { step: InStep { snapshot, position, .. }, number }: InArtifact,
    base: BaseUrl,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !artifact::exists(&snapshot.execution, position, number) {
        return Err(Problem::not_found("The artifact"));
    }
    let step = StepName::new(&snapshot, position);
    Ok(redirect(&api, &base, &headers, &FileName::Artifact { step, number }))
}
