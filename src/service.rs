//! The HTTP service: the routers, and the layers that every request passes, in order.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::Route;
use futures_util::FutureExt;
use tower::layer::layer_fn;
use tower::util::MapRequest;
use tower::{ServiceExt, service_fn};

use crate::access::{Access, Auth, gateway, ims};
use crate::api::{self, Api};
use crate::console;
use crate::control::{self, Control};
use crate::engine::Engine;
use crate::events::Deliverer;
use crate::git_server::{self, GitServer};
use crate::http::body;
use crate::http::host::{Hosts, check_host};
use crate::http::operations::Operations;
use crate::http::origin::check_origin;
use crate::http::path::normalise_path;
use crate::http::problem::Problem;
use crate::http::request_id::{self, answer_with_request_id};
use crate::openapi;
use crate::traffic::{LoggedCall, Traffic, observe};

/// The HTTP surface as one service.
pub type HttpService = MapRequest<Router, fn(Request) -> Request>;

/// Everything that answers HTTP.
#[must_use]
pub fn service(
    engine: &Arc<Engine>,
    deliverer: &Arc<Deliverer>,
    hosts: Hosts,
    auth: Auth,
) -> HttpService {
    service_with(Router::new(), engine, deliverer, hosts, auth)
}

/// Like [`service`], with further routes behind the same layers, for tests.
fn service_with(
    further: Router,
    engine: &Arc<Engine>,
    deliverer: &Arc<Deliverer>,
    hosts: Hosts,
    auth: Auth,
) -> HttpService {
    let access = Access::new(engine.clone(), auth);
    let api = Api::new(engine.clone(), hosts.clone());
    let mut operations = Operations::default();
    let api_router = api::router(&mut operations);
    let ims_router = ims::router(&mut operations);
    let control_router = control::router(&mut operations);
    let git_router = git_server::router(&mut operations);
    let operations = Arc::new(operations);
    let traffic = Traffic::new(engine.clone(), operations.clone());
    let control = Control::new(
        engine.clone(),
        traffic.clone(),
        deliverer.clone(),
        access.clone(),
        openapi::yaml,
    );
    let known = operations.clone();
    let wrong_method =
        async move |method, path, uri| method_not_allowed(&known, &method, path, &uri);
    let layers = Arc::new(Layers { hosts, operations, traffic, access: access.clone() });
    let router = api_router
        .with_state(api)
        .merge(git_router.with_state(GitServer::new(engine.clone(), access.clone())))
        .merge(ims_router.with_state(access))
        .merge(control_router.with_state(control))
        .merge(console::router())
        .merge(further)
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(layer_fn(move |handler: Route| {
            // axum clones this service for each request, and the call needs a handler of its own.
            // With the `Arc`, the handler is cloned once and not twice.
            let (layers, handler) = (layers.clone(), Arc::new(handler));
            service_fn(move |request| pass_layers(layers.clone(), request, Route::clone(&handler)))
        }));
    router.map_request(normalise_path as fn(Request) -> Request)
}

/// What the layers around every handler need.
struct Layers {
    hosts: Hosts,
    operations: Arc<Operations>,
    traffic: Traffic,
    access: Access,
}

/// Takes a request through all layers to its handler. For axum they are one layer, because it
/// clones and boxes each layer for every request.
async fn pass_layers(
    layers: Arc<Layers>,
    request: Request,
    handler: Route,
) -> Result<Response, Infallible> {
    let id = request_id::of(&request);
    let logged = LoggedCall::begin(&request);
    let answer = async |request| {
        // A panic is caught here, inside of the request id, so that its 500 has one, too.
        let answer = AssertUnwindSafe(layers.answer(&id, request, handler)).catch_unwind().await;
        answer.unwrap_or_else(|_| panicked())
    };
    let answer = answer_with_request_id(&id, request, answer).await;
    if let Some(logged) = logged {
        logged.end(&layers.traffic, answer.status(), &id);
    }
    Ok(answer)
}

impl Layers {
    async fn answer(&self, id: &HeaderValue, request: Request, handler: Route) -> Response {
        let Self { hosts, operations, traffic, access } = self;
        let (method, headers) = (request.method(), request.headers());
        let checked = check_host(hosts, request.version(), headers).and_then(|()| {
            check_origin(hosts, (method, request.uri().path()), request.extensions(), headers)
        });
        if let Err(refusal) = checked {
            return refusal.into_response();
        }
        let operation = operations.find(&request);
        // Host and origin are checked first: a foreign web page must not even fill the journal. The
        // gateway comes last, so that a request that is too large or too slow gets the same answer
        // with and without a token.
        let handle = async |mut request| {
            if let Err(refusal) = gateway::check(access, operation, &mut request).await {
                return refusal.into_response();
            }
            let wants_trailing_newline = control::wants_trailing_newline(&request);
            let Ok(answer) = handler.oneshot(request).await;
            if wants_trailing_newline { body::with_trailing_newline(answer).await } else { answer }
        };
        let limit = async |request| body::within_limits(operation, request, handle).await;
        observe(traffic, id, operation, request, limit).await
    }
}

async fn not_found(uri: Uri) -> Response {
    Problem::new(
        StatusCode::NOT_FOUND,
        "Not found",
        format!("The path {} does not exist.", uri.path().escape_debug()),
    )
    .into_response()
}

fn method_not_allowed(
    operations: &Operations,
    method: &Method,
    path: Option<MatchedPath>,
    uri: &Uri,
) -> Response {
    let mut possible = path.map(|path| operations.names_at(&path)).unwrap_or_default();
    if possible.is_empty() {
        // The pages and files of the console can only be read.
        possible.push("GET".into());
    }
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "Method not allowed",
        format!(
            "{method} is not allowed at {}; use {}.",
            uri.path().escape_debug(),
            possible.join(" or ")
        ),
    )
    .into_response()
}

/// Returns the answer to a request whose handler panicked. The panic has been printed to stderr.
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
        let deliverer = Arc::new(Deliverer::new(engine.clone(), hosts.own_url()));
        let panics = get(|| async { panic!("on purpose") as () });
        let further = Router::new().route("/panics", panics);
        let service = service_with(further, &engine, &deliverer, hosts, Auth::Open);
        let request = |path: &str| {
            Request::get(path).header("host", "localhost").body(Body::empty()).unwrap()
        };

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
