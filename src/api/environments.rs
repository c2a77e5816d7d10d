//! Environments.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::hal::{Link, List};
use super::page::QueryParameters;
use super::refusal::refusal;
use crate::content::environment_log::LogOption;
use crate::domain::deployment::{InstanceKind, environment_urls};
use crate::domain::environment::{Environment, EnvironmentStatus, EnvironmentType, REGION};
use crate::domain::id::EnvironmentId;
use crate::domain::pipeline::Pipeline;
use crate::domain::program::Program;
use crate::domain::variable::Owner;
use crate::extract::{InEnvironment, InProgram};
use crate::http::api_path::ApiPath;
use crate::http::problem::Problem;

/// The types of environments by which a list can be asked for.
const TYPES: [&str; 5] = ["dev", "stage", "prod", "rde", "preprod"];

/// An environment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Environment)]
pub struct EnvironmentView {
    id: String,
    program_id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(rename = "type")]
    environment_type: EnvironmentType,
    status: EnvironmentStatus,
    region: &'static str,
    available_log_options: Vec<LogOptionView>,
    #[serde(rename = "_links")]
    links: EnvironmentLinks,
}

/// A log of an environment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LogOptionRepresentation)]
struct LogOptionView {
    service: &'static str,
    name: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
struct EnvironmentLinks {
    #[serde(rename = "self")]
    this: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/program")]
    program: Link,
    /// The first pipeline that deploys to it, if there is one.
    #[serde(
        rename = "http://ns.adobe.com/adobecloud/rel/pipeline",
        skip_serializing_if = "Option::is_none"
    )]
    pipeline: Option<Link>,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/variables")]
    variables: Link,
    /// The URL of the author instance.
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/author")]
    author: Link,
    /// The URL of the publish instances.
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/publish")]
    publish: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/logs")]
    logs: Link,
}

/// The items.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmbeddedEnvironments {
    environments: Vec<EnvironmentView>,
}

impl EnvironmentView {
    /// Returns an environment, and a pipeline that deploys to it.
    fn new(program: &Program, environment: &Environment, pipeline: Option<&Pipeline>) -> Self {
        let Environment {
            id,
            name,
            description,
            environment_type,
            status,
            topology: _,
            variables: _,
        } = environment;
        Self {
            id: id.to_string(),
            program_id: program.id.to_string(),
            name: name.clone(),
            description: description.clone(),
            environment_type: *environment_type,
            status: *status,
            region: REGION,
            available_log_options: LogOption::ALL
                .iter()
                .map(|LogOption { service, name }| LogOptionView {
                    service: service.as_str(),
                    name: name.as_str(),
                })
                .collect(),
            links: EnvironmentLinks::new(program, *id, name, pipeline),
        }
    }
}

impl EnvironmentLinks {
    fn new(program: &Program, id: EnvironmentId, name: &str, pipeline: Option<&Pipeline>) -> Self {
        let address = |wanted| {
            let urls = environment_urls(name);
            let found = urls.into_iter().find(|(kind, _)| *kind == wanted);
            Link::to(found.map(|(_, url)| url).unwrap_or_default())
        };
        let program = program.id;
        let logs = ApiPath::EnvironmentLogs(program, id);
        Self {
            this: Link::to(ApiPath::Environment(program, id)),
            program: Link::to(ApiPath::Program(program)),
            pipeline: pipeline.map(|pipeline| Link::to(ApiPath::Pipeline(pipeline.key()))),
            variables: Link::to(ApiPath::Variables(Owner::Environment(program, id))),
            author: address(InstanceKind::Author),
            publish: address(InstanceKind::Publish),
            logs: Link::template(format!("{logs}?service={{service}}&name={{name}}&days={{days}}")),
        }
    }
}

/// Lists the environments of a program.
#[utoipa::path(get, path = "/api/program/{programId}/environments",
    operation_id = "getEnvironments", tag = "Environments", params(InProgram,
        ("type" = Option<String>, Query, pattern = "^(dev|stage|prod|rde|preprod)$", description = "Only environments of this type")),
    responses((status = 200, description = "The environments", body = List<EmbeddedEnvironments>)))]
pub async fn get_environments(
    InProgram { program }: InProgram,
    query: QueryParameters,
) -> Result<Json<List<EmbeddedEnvironments>>, Problem> {
    let wanted = query.get("type");
    if let Some(unknown) = wanted.filter(|wanted| !TYPES.contains(wanted)) {
        let message = format!("must be one of {}", TYPES.join(", "));
        return Err(Problem::invalid_parameter("type", message, unknown));
    }
    // Searching all pipelines for each environment would take too long where there are many.
    let mut pipelines: HashMap<EnvironmentId, &Pipeline> = HashMap::new();
    for pipeline in program.pipelines.values() {
        for environment in pipeline.environments() {
            pipelines.entry(environment).or_insert(pipeline);
        }
    }
    let environments: Vec<_> = program
        .environments
        .values()
        .filter(|found| wanted.is_none_or(|wanted| found.environment_type.as_str() == wanted))
        .map(|found| EnvironmentView::new(&program, found, pipelines.get(&found.id).copied()))
        .collect();
    let path = ApiPath::Environments(program.id);
    let path = wanted.map_or(path.into(), |wanted| format!("{path}?type={wanted}"));
    Ok(Json(List::whole(path, environments.len(), EmbeddedEnvironments { environments })))
}

/// Returns the first pipeline that deploys to an environment.
fn find_pipeline(program: &Program, environment: EnvironmentId) -> Option<&Pipeline> {
    program.pipelines.values().map(|it| &**it).find(|pipeline| pipeline.deploys_to(environment))
}

/// Returns an environment.
#[utoipa::path(get, path = "/api/program/{programId}/environment/{environmentId}",
    operation_id = "getEnvironment", tag = "Environments", params(InEnvironment),
    responses((status = 200, description = "The environment", body = EnvironmentView)))]
pub async fn get_environment(
    InEnvironment { program, environment }: InEnvironment,
) -> Json<EnvironmentView> {
    Json(EnvironmentView::new(&program, &environment, find_pipeline(&program, environment.id)))
}

/// Deletes an environment; no unfinished execution may use it.
#[utoipa::path(delete, path = "/api/program/{programId}/environment/{environmentId}",
    operation_id = "deleteEnvironment", tag = "Environments", params(InEnvironment,
        ("ignoreResourcesDeletionResult" = Option<bool>, Query,
            description = "Has no effect: in the emulator, deleting an environment never fails")),
    responses((status = 201, description = "The environment is deleted", body = EnvironmentView),
        (status = 412, description = "An unfinished execution uses the environment", body = Problem,
            content_type = "application/problem+json")))]
pub async fn delete_environment(
    State(api): State<Api>,
    InEnvironment { program, environment }: InEnvironment,
) -> Result<(StatusCode, Json<EnvironmentView>), Problem> {
    let deleted = api.engine.delete_environment(program.id, environment.id).await;
    deleted.map_err(|error| refusal(error, "The environment"))?;
    let environment = Environment { status: EnvironmentStatus::Deleting, ..environment };
    // 201 is the status that Adobe's API description has for this operation.
    let pipeline = find_pipeline(&program, environment.id);
    Ok((StatusCode::CREATED, Json(EnvironmentView::new(&program, &environment, pipeline))))
}
