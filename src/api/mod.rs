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
mod signer;
mod steps;
mod tenants;
mod variables;
pub mod view;

use std::sync::Arc;

use axum::routing::post;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::engine::Engine;
use crate::http::host::Hosts;
use bodies::Bodies;
use files::FileTokens;
use gateway::Auth;
use ims::AccessTokens;

/// What the handlers need.
#[derive(Clone)]
pub struct Api {
    engine: Arc<Engine>,
    bodies: Arc<Bodies>,
    hosts: Hosts,
    file_tokens: FileTokens,
    access_tokens: AccessTokens,
    auth: Auth,
}

impl Api {
    /// The API of an engine, and who is let in.
    #[must_use]
    pub fn new(engine: Arc<Engine>, hosts: Hosts, auth: Auth) -> Self {
        let file_tokens = FileTokens::new(engine.file_token_key());
        let access_tokens = AccessTokens::new(engine.file_token_key());
        Self { engine, bodies: Arc::default(), hosts, file_tokens, access_tokens, auth }
    }
}

/// The operations under `/api`, for callers that the gateway has let through.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(tenants::get_tenants))
        .routes(routes!(tenants::get_tenant))
        .routes(routes!(programs::get_programs_for_tenant))
        .routes(routes!(programs::get_programs))
        .routes(routes!(programs::get_program, programs::delete_program))
        .routes(routes!(programs::get_program_regions))
        .routes(routes!(environments::get_environments))
        .routes(routes!(environments::get_environment, environments::delete_environment))
        .routes(routes!(
            variables::get_environment_variables,
            variables::patch_environment_variables
        ))
        .routes(routes!(repositories::get_repositories))
        .routes(routes!(repositories::get_repository))
        .routes(routes!(repositories::get_branches))
        .routes(routes!(pipelines::get_pipelines))
        .routes(routes!(
            pipelines::get_pipeline,
            pipeline_changes::patch_pipeline,
            pipeline_changes::delete_pipeline
        ))
        .routes(routes!(pipeline_changes::invalidate_cache))
        .routes(routes!(variables::get_pipeline_variables, variables::patch_pipeline_variables))
        .routes(routes!(executions::get_current_execution, executions::start_pipeline))
        .routes(routes!(executions::get_execution))
        .routes(routes!(executions::get_executions))
        .routes(routes!(steps::step_state))
        .routes(routes!(steps::advance_pipeline_execution))
        .routes(routes!(steps::cancel_pipeline_execution_step))
        .routes(routes!(steps::step_metric))
        .routes(routes!(logs::get_step_logs))
        .routes(routes!(artifacts::list_step_artifacts))
        .routes(routes!(artifacts::get_step_artifact))
        .routes(routes!(environment_logs::get_environment_logs))
        .routes(routes!(environment_logs::download_logs))
}

/// The files that `/api` redirects to; their addresses carry their own tokens.
pub fn files_router() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(files::download_file))
}

/// What IMS does for clients of the API, who have no token yet.
pub fn ims_router() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(ims::get_access_token))
        .routes(routes!(ims::get_access_token_v2))
        .routes(routes!(ims::exchange_jwt))
        // As Adobe's JavaScript client asks.
        .route("/ims/exchange/jwt/", post(ims::exchange_jwt))
}
