//! The application: the engine and the HTTP surface around it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::Route;
use futures_util::FutureExt;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tower::layer::layer_fn;
use tower::util::MapRequest;
use tower::{ServiceExt, service_fn};

use crate::api::gateway::{self, Auth};
use crate::api::ims::AccessTokens;
use crate::api::{self, Api};
use crate::control::{self, Control};
use crate::engine::{Engine, EngineOptions};
use crate::events::Deliverer;
use crate::http::body;
use crate::http::host::{Hosts, refuse_foreign_hosts};
use crate::http::operations::Operations;
use crate::http::path::without_leading_slashes;
use crate::http::problem::Problem;
use crate::http::request_id::{self, answer_with_request_id};
use crate::seed::{self, Mistakes, Origin, Seed};
use crate::store::StoreError;
use crate::traffic::wire::{Connection, Listener};
use crate::traffic::{Traffic, observe};

/// How an application is set up.
#[derive(Clone, Debug)]
pub struct AppOptions {
    /// Where to listen; port 0 is any free port.
    pub listen: SocketAddr,
    /// The database file; none for a temporary one.
    pub database: Option<PathBuf>,
    /// The seed file for a new database; the demo if absent.
    pub seed: Option<PathBuf>,
    /// The base of absolute addresses; the request's `Host` if absent.
    pub public_url: Option<String>,
    /// Further `Host` names to answer to while listening on loopback.
    pub allow_hosts: Vec<String>,
    /// Who is let in.
    pub auth: Auth,
    /// How the engine is set up.
    pub engine: EngineOptions,
}

/// Why an application does not start.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A file can't be read.
    #[error("{path}: {error}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The seed file has mistakes.
    #[error("{}", .mistakes.0.iter().map(|m| format!("{path}: {m}")).collect::<Vec<_>>().join("\n"))]
    Seed {
        /// The file.
        path: String,
        /// What is wrong.
        mistakes: Mistakes,
    },
    /// The address can't be listened on.
    #[error("can't listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: std::io::Error,
    },
    /// The temporary directory can't be made.
    #[error("can't make a temporary directory: {0}")]
    Temporary(std::io::Error),
    /// Nobody could be let in.
    #[error("--auth strict: there is no client to run the command as; the seed needs `clients`")]
    NoClient,
    /// The database can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server failed.
    #[error("the server failed: {0}")]
    Serve(std::io::Error),
}

/// An emulator that is ready to answer.
pub struct App {
    engine: Arc<Engine>,
    listener: TcpListener,
    deliverer: Arc<Deliverer>,
    router: Service,
    url: String,
    auth: Auth,
    /// Deleted when the application is dropped.
    _temporary: Option<TempDir>,
}

/// What a caller signs requests with.
pub struct Credentials {
    /// The organisation, if there is one: that of the seed's first tenant, or of the client's; of
    /// any tenant if the database was there before and does not have that one.
    pub organisation: Option<String>,
    /// The api key.
    pub api_key: String,
    /// The access token.
    pub token: String,
}

/// What an emulator that lets everybody in takes as api key and token.
const CREDENTIAL: &str = "emulator";

/// The HTTP surface as one service.
pub type Service = MapRequest<Router, fn(Request) -> Request>;

/// Reads and checks a seed file.
pub fn read_seed(path: &std::path::Path) -> Result<Seed, AppError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| AppError::Read { path: name.clone(), error })?;
    seed::read(&text).map_err(|mistakes| AppError::Seed { path: name, mistakes })
}

impl App {
    /// Reads the seed, takes the address, opens the database, and catches up with what is overdue.
    /// If anything is wrong, nothing has changed.
    pub async fn build(options: AppOptions) -> Result<Self, AppError> {
        let AppOptions { listen, database, seed, public_url, allow_hosts, auth, engine } = options;
        let seed = match seed {
            Some(path) => Origin::from(read_seed(&path)?),
            None => Origin::Demo,
        };
        let failed = |error| AppError::Listen { address: listen, error };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (path, temporary) = if let Some(path) = database {
            (path, None)
        } else {
            let directory =
                TempDir::with_prefix("cloudmanager-emulator-").map_err(AppError::Temporary)?;
            (directory.path().join("cloudmanager.db"), Some(directory))
        };
        let engine = Engine::open(&path, engine, seed).await?;
        let url = format!("http://{address}");
        let hosts = Hosts::new(address.ip(), url.clone(), public_url, &allow_hosts);
        let deliverer = Arc::new(Deliverer::new(engine.clone(), hosts.clone()));
        let router = service(&engine, &deliverer, hosts, auth);
        Ok(Self { engine, listener, deliverer, router, url, auth, _temporary: temporary })
    }

    /// Where it answers, for example `http://127.0.0.1:4600`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What a caller can sign requests with: as the seed's first client, if only clients are let in.
    pub fn credentials(&self) -> Result<Credentials, AppError> {
        if self.auth == Auth::Open {
            return Ok(Credentials {
                organisation: self.engine.organisation(),
                api_key: CREDENTIAL.into(),
                token: CREDENTIAL.into(),
            });
        }
        let client = self.engine.first_client().ok_or(AppError::NoClient)?;
        let tokens = AccessTokens::new(self.engine.signing_key());
        let catalog = self.engine.catalog();
        let tenant = catalog.find_tenant(client.tenant_id);
        Ok(Credentials {
            organisation: tenant.map(|tenant| tenant.ims_org_id.clone()),
            api_key: client.client_id.clone(),
            token: tokens.issue_to(&client, self.engine.now()),
        })
    }

    /// Answers requests until `stop` is ready, gives those in flight some real time to finish, and
    /// closes the database.
    pub async fn run_until_stopped(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
        grace: Duration,
    ) -> Result<(), AppError> {
        let Self { engine, listener, deliverer, router, url: _, auth, _temporary } = self;
        if auth == Auth::Strict && engine.first_client().is_none() {
            tracing::warn!("--auth strict lets nobody in: there are no clients in the database");
        }
        let scheduler = tokio::spawn({
            let engine = engine.clone();
            async move { engine.run_scheduler().await }
        });
        let deliverer = tokio::spawn(deliverer.run());
        let (stopped, graceful) = (engine.clone(), engine.clone());
        tokio::spawn(async move {
            stop.await;
            stopped.stop();
        });
        let answering =
            axum::ServiceExt::<Request>::into_make_service_with_connect_info::<Connection>(router);
        let server = axum::serve(Listener(listener), answering)
            .with_graceful_shutdown(async move { graceful.wait_for_stop().await });
        let out_of_grace = async {
            engine.wait_for_stop().await;
            tokio::time::sleep(grace).await;
        };
        tokio::select! {
            end = server.into_future() => end.map_err(AppError::Serve)?,
            () = out_of_grace => tracing::warn!("requests in flight were cut off"),
        }
        // Both have been told to stop; a batch that the scheduler is in comes to its end.
        let _ = scheduler.await;
        let _ = deliverer.await;
        engine.close().await?;
        Ok(())
    }
}

/// Everything that answers HTTP.
#[must_use]
pub fn service(
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
    let layers = Arc::new(Layers { hosts, operations, traffic, api: api.clone() });
    let router = api_router
        .with_state(api)
        .merge(control_router.with_state(control))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(layer_fn(move |handler: Route| {
            let layers = layers.clone();
            service_fn(move |request| pass_layers(layers.clone(), request, handler.clone()))
        }));
    router.map_request(without_leading_slashes as fn(Request) -> Request)
}

/// What the layers around every handler need.
struct Layers {
    hosts: Hosts,
    operations: Arc<Operations>,
    traffic: Traffic,
    api: Api,
}

/// Takes a request through all layers to its handler. To axum they are one layer, because it
/// copies and boxes each of its layers for every request.
async fn pass_layers(
    layers: Arc<Layers>,
    request: Request,
    handler: Route,
) -> Result<Response, Infallible> {
    let Layers { hosts, operations, traffic, api } = &*layers;
    let id = request_id::of(&request);
    let operation = operations.find(&request);
    // From the inside to the outside.
    let handle = async |request| {
        let Ok(answer) = handler.oneshot(request).await;
        answer
    };
    let check_caller = async |request| gateway::check(api, operation, request, handle).await;
    let limit = async |request| body::within_limits(request, check_caller).await;
    let observe = async |request| observe(traffic, &id, operation, request, limit).await;
    let check_host = async |request| refuse_foreign_hosts(hosts, request, observe).await;
    let catch_panic = async |request| {
        let answer = AssertUnwindSafe(check_host(request)).catch_unwind().await;
        answer.unwrap_or_else(|_| panicked())
    };
    Ok(answer_with_request_id(&id, request, catch_panic).await)
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

/// The panic itself has been printed to stderr.
fn panicked() -> Response {
    Problem::from(StoreError::Unreadable("a handler panicked".into())).into_response()
}
