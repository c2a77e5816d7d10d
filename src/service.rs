//! Everything that answers HTTP as one service: the routers of the surfaces, and the layers that
//! every request passes, in their order.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower::util::MapRequest;
use tower::{ServiceBuilder, ServiceExt};
use tower_http::catch_panic::CatchPanicLayer;

use crate::api::gateway::{self, Auth, Gateway};
use crate::api::{self, Api};
use crate::control::{self, Control};
use crate::engine::Engine;
use crate::events::Deliverer;
use crate::http::host::{Hosts, refuse_foreign_hosts};
use crate::http::operations::Operations;
use crate::http::origin::refuse_foreign_pages;
use crate::http::path::without_leading_slashes;
use crate::http::problem::Problem;
use crate::http::{body, request_id};
use crate::traffic::{self, Traffic};

/// The HTTP surface as one service.
pub type Service = MapRequest<Router, fn(Request) -> Request>;

/// Everything that answers HTTP.
#[must_use]
pub fn service(
    engine: &Arc<Engine>,
    deliverer: &Arc<Deliverer>,
    hosts: Hosts,
    auth: Auth,
) -> Service {
    service_with(Router::new(), engine, deliverer, hosts, auth)
}

/// The same with further routes, behind the same layers.
fn service_with(
    further: Router,
    engine: &Arc<Engine>,
    deliverer: &Arc<Deliverer>,
    hosts: Hosts,
    auth: Auth,
) -> Service {
    let api = Api::new(engine.clone(), hosts.clone(), auth);
    let mut operations = Operations::default();
    let api_router = api::router(&mut operations);
    let control_router = control::router(&mut operations);
    let operations = Arc::new(operations);
    let traffic = Traffic::new(engine.clone(), operations.clone());
    let control = Control::new(engine.clone(), traffic.clone(), deliverer.clone(), auth);
    let gateway = Gateway::new(api.clone(), operations);
    let router = api_router
        .with_state(api)
        .merge(control_router.with_state(control))
        .merge(further)
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(
            ServiceBuilder::new()
                .layer(from_fn(request_id::answer_with_request_id))
                .layer(CatchPanicLayer::custom(|_| panicked()))
                .layer(from_fn_with_state(hosts.clone(), refuse_foreign_hosts))
                .layer(from_fn_with_state(hosts, refuse_foreign_pages))
                .layer(from_fn_with_state(traffic, traffic::observe))
                .layer(from_fn(body::within_limits))
                .layer(from_fn_with_state(gateway, gateway::check)),
        );
    router.map_request(without_leading_slashes as fn(Request) -> Request)
}

async fn not_found(uri: Uri) -> Response {
    Problem::new(
        StatusCode::NOT_FOUND,
        "Not found",
        format!("There is nothing at {}.", uri.path().escape_debug()),
    )
    .into_response()
}

async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "Method not allowed",
        format!("{method} is not possible at {}.", uri.path().escape_debug()),
    )
    .into_response()
}

/// The answer where whoever should answer panicked. The panic itself has been printed to stderr.
fn panicked() -> Response {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Internal error",
        "This request ran into a bug in the emulator; its stderr says where.",
    )
    .into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use http_body_util::BodyExt;
    use serde_json::{Value, json};
    use tempfile::TempDir;

    use super::*;
    use crate::engine::EngineOptions;
    use crate::seed::Origin;

    #[tokio::test]
    async fn a_handler_that_panics_is_told_to_be_a_bug() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("cloudmanager.db");
        let engine = Engine::open(&path, EngineOptions::default(), Origin::Demo).await.unwrap();
        let ip = [127, 0, 0, 1].into();
        let hosts = Hosts::new(ip, "http://127.0.0.1:4600".into(), None, &[]);
        let deliverer = Arc::new(Deliverer::new(engine.clone(), hosts.clone()));
        let panics = get(|| async { panic!("on purpose") as () });
        let further = Router::new().route("/panics", panics);
        let service = service_with(further, &engine, &deliverer, hosts, Auth::Open);
        let request = |path: &str| Request::get(path).body(Body::empty()).unwrap();

        let answer = service.clone().oneshot(request("/panics")).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert!(answer.headers().contains_key("x-request-id"));
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let told = json!(["This request ran into a bug in the emulator; its stderr says where."]);
        assert_eq!((&body["status"], &body["errors"]), (&json!(500), &told));

        let health = service.oneshot(request("/_emulator/health")).await.unwrap();
        assert_eq!(health.status(), StatusCode::OK);
        engine.close().await.unwrap();
    }
}
