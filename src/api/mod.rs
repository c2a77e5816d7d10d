//! Cloud Manager's HTTP surface: one file per resource.

mod artifacts;
mod bodies;
mod details;
mod environment_logs;
mod environments;
mod executions;
mod files;
mod hal;
mod logs;
mod page;
mod pipeline_changes;
mod pipelines;
mod programs;
mod refusal;
mod repositories;
mod steps;
mod tenants;
mod variables;
pub mod view;

use std::convert::Infallible;
use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use utoipa::openapi::OpenApi;

use crate::access::file_token::FileTokens;
use crate::access::gateway::Caller;
use crate::domain::id::TenantId;
use crate::domain::role::Callers::{self, Everybody, OneOf};
use crate::domain::role::Role::{BusinessOwner, DeploymentManager, Developer, ProgramManager};
use crate::engine::Engine;
use crate::extract::Surface;
use crate::http::host::Hosts;
use crate::http::operations::{self, MakeEndpoint, Operations, routes};
use bodies::ResponseCache;

/// What the handlers need, shared by all of them.
#[derive(Clone)]
pub struct Api(Arc<ApiParts>);

/// See [`Api`].
pub struct ApiParts {
    engine: Arc<Engine>,
    bodies: ResponseCache,
    hosts: Hosts,
    file_tokens: FileTokens,
}

/// The base of absolute addresses in the answer to a request.
struct BaseUrl(String);

impl FromRequestParts<Api> for BaseUrl {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Infallible> {
        Ok(Self(api.hosts.base_url(&parts.extensions, &parts.headers)))
    }
}

impl Api {
    /// The API of an engine.
    #[must_use]
    pub fn new(engine: Arc<Engine>, hosts: Hosts) -> Self {
        let file_tokens = FileTokens::new(engine.signing_key());
        let bodies = ResponseCache::default();
        Self(Arc::new(ApiParts { engine, bodies, hosts, file_tokens }))
    }
}

impl Surface for Api {
    fn engine(&self) -> &Engine {
        &self.engine
    }

    /// A caller sees what is its own tenant's.
    fn shows(&self, request: &Parts, tenant: TenantId) -> bool {
        let caller = request.extensions.get::<Caller>();
        caller.is_some_and(|caller| caller.tenant_id == tenant)
    }
}

impl Deref for Api {
    type Target = ApiParts;

    fn deref(&self) -> &ApiParts {
        &self.0
    }
}

/// The operations under `/api`, each with those who may call it. What an advance or a cancellation
/// needs also depends on the step.
///
/// Source of the roles: Cloud Manager's permissions of its API, by operation.
const OPERATIONS: &[(MakeEndpoint<Api>, Callers)] = &[
    (|| routes!(tenants::get_tenants), Everybody),
    (|| routes!(tenants::get_tenant), Everybody),
    (|| routes!(programs::get_programs_for_tenant), Everybody),
    (|| routes!(programs::get_programs), Everybody),
    (|| routes!(programs::get_program), Everybody),
    (|| routes!(programs::delete_program), OneOf(&[BusinessOwner])),
    (|| routes!(programs::get_program_regions), Everybody),
    (|| routes!(environments::get_environments), Everybody),
    (|| routes!(environments::get_environment), Everybody),
    (|| routes!(environments::delete_environment), OneOf(&[BusinessOwner, DeploymentManager])),
    (|| routes!(variables::get_environment_variables), Everybody),
    (|| routes!(variables::patch_environment_variables), OneOf(&[DeploymentManager])),
    (|| routes!(repositories::get_repositories), Everybody),
    (|| routes!(repositories::get_repository), Everybody),
    (|| routes!(repositories::get_branches), Everybody),
    (|| routes!(pipelines::get_pipelines), Everybody),
    (|| routes!(pipelines::get_pipeline), Everybody),
    (|| routes!(pipeline_changes::patch_pipeline), OneOf(&[DeploymentManager])),
    (|| routes!(pipeline_changes::delete_pipeline), OneOf(&[DeploymentManager])),
    (|| routes!(pipeline_changes::invalidate_cache), OneOf(&[DeploymentManager])),
    (
        || routes!(variables::get_pipeline_variables),
        OneOf(&[BusinessOwner, DeploymentManager, ProgramManager, Developer]),
    ),
    (|| routes!(variables::patch_pipeline_variables), OneOf(&[DeploymentManager])),
    (|| routes!(executions::get_current_execution), Everybody),
    (
        || routes!(executions::start_pipeline),
        OneOf(&[BusinessOwner, DeploymentManager, ProgramManager]),
    ),
    (|| routes!(executions::get_execution), Everybody),
    (|| routes!(executions::get_executions), Everybody),
    (|| routes!(steps::step_state), Everybody),
    (|| routes!(steps::advance_pipeline_execution), Callers::ANSWERERS),
    (|| routes!(steps::cancel_pipeline_execution_step), Callers::ANSWERERS),
    (|| routes!(steps::step_metric), Everybody),
    (|| routes!(logs::get_step_logs), Everybody),
    (|| routes!(artifacts::list_step_artifacts), Everybody),
    (|| routes!(artifacts::get_step_artifact), Everybody),
    (|| routes!(environment_logs::get_environment_logs), OneOf(&[DeploymentManager, Developer])),
    (|| routes!(environment_logs::download_logs), OneOf(&[DeploymentManager])),
];

/// What needs no credentials: the files that operations redirect to, whose addresses carry their own
/// tokens.
const OPEN: &[MakeEndpoint<Api>] = &[|| routes!(files::download_file)];

/// Everything that is answered, with its callers where the gateway asks for roles.
fn endpoints() -> impl Iterator<Item = (MakeEndpoint<Api>, Option<Callers>)> {
    let operations = OPERATIONS.iter().map(|(make, callers)| (*make, Some(*callers)));
    operations.chain(OPEN.iter().map(|make| (*make, None)))
}

/// Answers the operations, and notes which they are.
pub fn router(operations: &mut Operations) -> Router<Api> {
    operations::serve(endpoints(), operations)
}

/// Describes the operations.
#[must_use]
pub fn describe() -> OpenApi {
    operations::describe(endpoints().map(|(make, _)| make))
}
