//! The control API under `/_emulator`: what Cloud Manager itself does not offer.

mod clients;
mod clock;
mod commits;
mod deliveries;
mod description;
mod environment;
mod events;
mod executions;
mod explain;
mod faults;
mod health;
mod history;
mod info;
mod instances;
mod metrics;
mod program;
mod push_update;
mod requests;
mod scenario;
mod seed;
mod state;
pub mod status;
mod uploads;
mod wait;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::request::Parts;
use utoipa::openapi::OpenApi;

use crate::access::Access;
use crate::domain::id::TenantId;
use crate::engine::Engine;
use crate::events::Deliverer;
use crate::extract::Surface;
use crate::http::operations::{self, MakeEndpoint, Operations, routes};
use crate::traffic::Traffic;

/// The version of the program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the handlers need.
#[derive(Clone)]
pub struct Control {
    engine: Arc<Engine>,
    traffic: Traffic,
    deliverer: Arc<Deliverer>,
    access: Access,
    /// Returns the description of all operations.
    describe: fn() -> String,
}

impl Control {
    /// Returns the state of the control API. `describe` returns openapi.yaml.
    #[must_use]
    pub fn new(
        engine: Arc<Engine>,
        traffic: Traffic,
        deliverer: Arc<Deliverer>,
        access: Access,
        describe: fn() -> String,
    ) -> Self {
        Self { engine, traffic, deliverer, access, describe }
    }
}

impl Surface for Control {
    fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Returns true: the control API has no credentials and shows all tenants.
    fn shows(&self, _: &Parts, _: TenantId) -> bool {
        true
    }
}

/// The operations under `/_emulator`.
const OPERATIONS: &[MakeEndpoint<Control>] = &[
    || routes!(description::get_description),
    || routes!(health::get_health),
    || routes!(info::get_info),
    || routes!(status::get_status),
    || routes!(clock::get_clock, clock::put_clock),
    || routes!(clock::advance_clock),
    || routes!(clock::get_timers),
    || routes!(clients::get_clients),
    || routes!(clients::post_client_token),
    || routes!(program::get_program_settings, program::patch_program),
    || routes!(executions::get_program_executions),
    || routes!(environment::patch_environment),
    || routes!(instances::get_instances),
    || routes!(scenario::get_scenario, scenario::put_scenario, scenario::delete_scenario),
    || routes!(commits::get_heads),
    || routes!(commits::post_commit),
    || routes!(uploads::get_artifacts),
    || routes!(uploads::put_artifact, uploads::delete_artifact),
    || routes!(history::post_history),
    || routes!(push_update::post_push_update),
    || routes!(explain::explain_execution),
    || routes!(wait::wait_for_execution),
    || routes!(faults::get_faults, faults::post_fault, faults::delete_faults),
    || routes!(faults::delete_fault),
    || routes!(requests::get_requests, requests::delete_requests),
    || routes!(requests::get_request_count),
    || routes!(webhooks::get_webhooks, webhooks::post_webhook, webhooks::delete_webhooks),
    || routes!(webhooks::delete_webhook),
    || routes!(deliveries::get_deliveries),
    || routes!(deliveries::wait_for_deliveries),
    || routes!(deliveries::redeliver),
    || routes!(events::get_events),
    || routes!(metrics::get_metrics),
    || routes!(state::get_state, state::put_state),
    || routes!(state::reset),
    || routes!(seed::post_seed),
    || routes!(seed::post_pipeline),
    || routes!(seed::post_environment),
];

/// Answers the operations, and notes which they are.
pub fn router(operations: &mut Operations) -> Router<Control> {
    // Control needs no credentials, so no roles.
    operations::serve(OPERATIONS.iter().map(|make| (*make, None)), operations)
}

/// Returns whether JSON responses to this request end with a newline, as is usual on terminals.
/// Cloud Manager's own responses don't.
#[must_use]
pub fn wants_trailing_newline(request: &Request) -> bool {
    request.uri().path().starts_with("/_emulator/")
}

/// Describes the operations.
#[must_use]
pub fn describe() -> OpenApi {
    operations::describe(OPERATIONS.iter().copied())
}
