//! The control API under `/_emulator`: what Cloud Manager itself does not offer.

mod clock;
mod commits;
mod deliveries;
mod explain;
mod extract;
mod faults;
mod health;
mod history;
mod metrics;
mod program;
mod requests;
mod scenario;
mod seed;
mod state;
mod wait;
mod webhooks;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::gateway::Auth;
use crate::engine::Engine;
use crate::events::Deliverer;
use crate::traffic::Traffic;

/// What the handlers need.
#[derive(Clone)]
pub struct Control {
    engine: Arc<Engine>,
    traffic: Traffic,
    deliverer: Arc<Deliverer>,
    auth: Auth,
}

impl Control {
    /// The control API of an engine, of the calls to it, of what it delivers, and of who is let in.
    #[must_use]
    pub fn new(
        engine: Arc<Engine>,
        traffic: Traffic,
        deliverer: Arc<Deliverer>,
        auth: Auth,
    ) -> Self {
        Self { engine, traffic, deliverer, auth }
    }
}

/// The operations under `/_emulator`.
pub fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::default()
        .routes(routes!(health::get_health))
        .routes(routes!(health::get_info))
        .routes(routes!(clock::get_clock, clock::put_clock))
        .routes(routes!(clock::advance_clock))
        .routes(routes!(clock::get_timers))
        .routes(routes!(program::patch_program))
        .routes(routes!(scenario::get_scenario, scenario::put_scenario, scenario::delete_scenario))
        .routes(routes!(commits::post_commit))
        .routes(routes!(history::post_history))
        .routes(routes!(explain::explain_execution))
        .routes(routes!(wait::wait_for_execution))
        .routes(routes!(faults::get_faults, faults::post_fault, faults::delete_faults))
        .routes(routes!(faults::delete_fault))
        .routes(routes!(requests::get_requests, requests::delete_requests))
        .routes(routes!(requests::get_request_count))
        .routes(routes!(webhooks::get_webhooks, webhooks::post_webhook, webhooks::delete_webhooks))
        .routes(routes!(webhooks::delete_webhook))
        .routes(routes!(deliveries::get_deliveries))
        .routes(routes!(deliveries::wait_for_deliveries))
        .routes(routes!(deliveries::redeliver))
        .routes(routes!(metrics::get_metrics))
        .routes(routes!(state::get_state, state::put_state))
        .routes(routes!(state::reset))
        .routes(routes!(seed::post_seed))
        .routes(routes!(seed::post_pipeline))
        .routes(routes!(seed::post_environment))
}
