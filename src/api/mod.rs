//! Cloud Manager's HTTP surface: one file per resource.

mod artifacts;
mod bodies;
mod details;
mod environment_logs;
mod environments;
mod executions;
mod extract;
mod files;
pub mod gateway;
mod hal;
pub mod ims;
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

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use utoipa::openapi::OpenApi;
use utoipa_axum::routes;

use crate::engine::Engine;
use crate::http::host::Hosts;
use crate::http::operations::{self, Described, Operations};
use bodies::Bodies;
use files::FileTokens;
use gateway::Auth;
use ims::AccessTokens;

/// What the handlers need, shared by all of them.
#[derive(Clone)]
pub struct Api(Arc<Shared>);

/// See [`Api`].
pub struct Shared {
    engine: Arc<Engine>,
    bodies: Bodies,
    hosts: Hosts,
    file_tokens: FileTokens,
    access_tokens: AccessTokens,
    auth: Auth,
}

impl Api {
    /// The API of an engine, and who is let in.
    #[must_use]
    pub fn new(engine: Arc<Engine>, hosts: Hosts, auth: Auth) -> Self {
        let file_tokens = FileTokens::new(engine.signing_key());
        let access_tokens = AccessTokens::new(engine.signing_key());
        let bodies = Bodies::default();
        Self(Arc::new(Shared { engine, bodies, hosts, file_tokens, access_tokens, auth }))
    }
}

impl Deref for Api {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// The operations under `/api`, for callers that the gateway has let through; the files that they
/// redirect to, whose addresses carry their own tokens; and what IMS does for clients that have no
/// token yet.
const OPERATIONS: &[Described<Api>] = &[
    || routes!(tenants::get_tenants),
    || routes!(tenants::get_tenant),
    || routes!(programs::get_programs_for_tenant),
    || routes!(programs::get_programs),
    || routes!(programs::get_program, programs::delete_program),
    || routes!(programs::get_program_regions),
    || routes!(environments::get_environments),
    || routes!(environments::get_environment, environments::delete_environment),
    || routes!(variables::get_environment_variables, variables::patch_environment_variables),
    || routes!(repositories::get_repositories),
    || routes!(repositories::get_repository),
    || routes!(repositories::get_branches),
    || routes!(pipelines::get_pipelines),
    || {
        routes!(
            pipelines::get_pipeline,
            pipeline_changes::patch_pipeline,
            pipeline_changes::delete_pipeline
        )
    },
    || routes!(pipeline_changes::invalidate_cache),
    || routes!(variables::get_pipeline_variables, variables::patch_pipeline_variables),
    || routes!(executions::get_current_execution, executions::start_pipeline),
    || routes!(executions::get_execution),
    || routes!(executions::get_executions),
    || routes!(steps::step_state),
    || routes!(steps::advance_pipeline_execution),
    || routes!(steps::cancel_pipeline_execution_step),
    || routes!(steps::step_metric),
    || routes!(logs::get_step_logs),
    || routes!(artifacts::list_step_artifacts),
    || routes!(artifacts::get_step_artifact),
    || routes!(environment_logs::get_environment_logs),
    || routes!(environment_logs::download_logs),
    || routes!(files::download_file),
    || routes!(ims::get_access_token),
    || routes!(ims::get_access_token_v2),
    || routes!(ims::exchange_jwt),
];

/// Answers the operations, and notes which they are.
pub fn router(operations: &mut Operations) -> Router<Api> {
    operations::serve(OPERATIONS, operations)
        // As Adobe's JavaScript client asks.
        .route("/ims/exchange/jwt/", post(ims::exchange_jwt))
}

/// Describes the operations.
#[must_use]
pub fn describe() -> OpenApi {
    operations::describe(OPERATIONS)
}
