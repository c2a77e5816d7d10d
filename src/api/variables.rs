//! Variables of pipelines and environments.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::hal::Link;
use super::refusal::refusal;
use crate::domain::variable::{Owner, Variable, VariableType, VariableUpdate};
use crate::extract::{InEnvironment, InPipeline};
use crate::http::api_path::ApiPath;
use crate::http::body::read_variables;
use crate::http::problem::Problem;

/// A variable. A secret is shown without its value.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Variable)]
struct VariableView {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(rename = "type")]
    variable_type: VariableType,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    status: &'static str,
}

/// Variables.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VariableList)]
pub struct VariableListView {
    #[serde(rename = "_totalNumberOfItems")]
    total: u64,
    #[serde(rename = "_embedded")]
    embedded: EmbeddedVariables,
    #[serde(rename = "_links")]
    links: VariableListLinks,
}

#[derive(Debug, Serialize, ToSchema)]
struct EmbeddedVariables {
    variables: Vec<VariableView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct VariableListLinks {
    #[serde(rename = "self")]
    this: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/program")]
    program: Link,
    #[serde(
        rename = "http://ns.adobe.com/adobecloud/rel/pipeline",
        skip_serializing_if = "Option::is_none"
    )]
    pipeline: Option<Link>,
    #[serde(
        rename = "http://ns.adobe.com/adobecloud/rel/environment",
        skip_serializing_if = "Option::is_none"
    )]
    environment: Option<Link>,
}

impl VariableListView {
    fn new(owner: Owner, variables: &[Variable]) -> Self {
        let views = variables.iter().map(|variable| VariableView {
            name: variable.name.clone(),
            value: variable.value.clone(),
            variable_type: variable.variable_type(),
            service: variable.service.clone(),
            status: "ready",
        });
        let link = Link::to(ApiPath::of_owner(owner));
        let (pipeline, environment) = match owner {
            Owner::Pipeline(_) => (Some(link), None),
            Owner::Environment(..) => (None, Some(link)),
        };
        Self {
            total: variables.len() as u64,
            embedded: EmbeddedVariables { variables: views.collect() },
            links: VariableListLinks {
                program: Link::to(ApiPath::Program(owner.program_id())),
                pipeline,
                environment,
                this: Link::to(ApiPath::Variables(owner)),
            },
        }
    }
}

async fn change(api: &Api, owner: Owner, body: &[u8]) -> Result<StatusCode, Problem> {
    let updates: Vec<VariableUpdate> = read_variables(body)?;
    let changed = api.engine.change_variables(owner, updates).await;
    changed.map_err(|error| refusal(error, "The pipeline or environment"))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the variables of a pipeline.
#[utoipa::path(get, path = "/api/program/{programId}/pipeline/{pipelineId}/variables",
    operation_id = "getPipelineVariables", tag = "Variables", params(InPipeline),
    responses((status = 200, description = "The variables", body = VariableListView)))]
pub async fn get_pipeline_variables(
    InPipeline { pipeline, .. }: InPipeline,
) -> Json<VariableListView> {
    let owner = Owner::Pipeline(pipeline.key());
    Json(VariableListView::new(owner, &pipeline.variables))
}

/// Sets and deletes variables of a pipeline, all or none of them. An empty or missing value
/// deletes a variable.
#[utoipa::path(patch, path = "/api/program/{programId}/pipeline/{pipelineId}/variables",
    operation_id = "patchPipelineVariables", tag = "Variables", params(InPipeline),
    request_body = Vec<VariableUpdate>,
    responses((status = 204, description = "The variables are set")))]
pub async fn patch_pipeline_variables(
    State(api): State<Api>,
    InPipeline { pipeline, .. }: InPipeline,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    change(&api, Owner::Pipeline(pipeline.key()), &body).await
}

/// Lists the variables of an environment.
#[utoipa::path(get, path = "/api/program/{programId}/environment/{environmentId}/variables",
    operation_id = "getEnvironmentVariables", tag = "Variables", params(InEnvironment),
    responses((status = 200, description = "The variables", body = VariableListView)))]
pub async fn get_environment_variables(
    InEnvironment { program, environment }: InEnvironment,
) -> Json<VariableListView> {
    let owner = Owner::Environment(program.id, environment.id);
    Json(VariableListView::new(owner, &environment.variables))
}

/// Sets and deletes variables of an environment, all or none of them. An empty or missing value
/// deletes a variable.
#[utoipa::path(patch, path = "/api/program/{programId}/environment/{environmentId}/variables",
    operation_id = "patchEnvironmentVariables", tag = "Variables", params(InEnvironment),
    request_body = Vec<VariableUpdate>,
    responses((status = 204, description = "The variables are set")))]
pub async fn patch_environment_variables(
    State(api): State<Api>,
    InEnvironment { program, environment }: InEnvironment,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    change(&api, Owner::Environment(program.id, environment.id), &body).await
}
