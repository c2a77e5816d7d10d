//! The HTTP server: it limits connections, closes those of idle callers, and shuts down gracefully.

mod activity;
mod descriptors;
mod timeouts;

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::response::Response;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::engine::Engine;
use crate::service::HttpService;
use crate::traffic::wire::{Socket, WireConnection};
use activity::{ConnectionActivity, WatchedAnswer, WatchedBody, WatchedStream};
pub use timeouts::Timeouts;

/// Answers the requests that come over connections.
pub struct Server {
    engine: Arc<Engine>,
    service: HttpService,
    timeouts: Timeouts,
}

/// The connection of a request.
struct Peer {
    server: Arc<Server>,
    connection: WireConnection,
    activity: Arc<ConnectionActivity>,
}

impl Server {
    /// Returns a server for an engine.
    #[must_use]
    pub fn new(engine: Arc<Engine>, service: HttpService, timeouts: Timeouts) -> Self {
        Self { engine, service, timeouts }
    }

    /// Answers requests until the engine stops. Requests in flight then get `grace` to finish.
    pub async fn run(self, mut listener: TcpListener, grace: Duration) {
        let server = Arc::new(self);
        let most = descriptors::most_connections();
        let mut connections = JoinSet::new();
        let mut stop = pin!(server.engine.wait_for_stop());
        let mut logged = false;
        loop {
            // Others wait in the backlog of the operating system until one of these is closed.
            let is_full = connections.len() >= most;
            if is_full && !logged {
                tracing::warn!("{most} connections are open, which is the limit; others wait");
                logged = true;
            }
            tokio::select! {
                () = &mut stop => break,
                Some(_) = connections.join_next() => {}
                // If there is no descriptor left, axum's listener logs it and retries after a
                // second.
                (stream, _) = Listener::accept(&mut listener), if !is_full => {
                    connections.spawn(server.clone().handle_connection(stream));
                }
            }
        }
        // Closed first, so that new callers are refused at once and don't wait for the end.
        drop(listener);
        let answered = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, answered).await.is_err() {
            tracing::warn!("requests in flight were cut off");
        }
    }

    /// Answers the requests of a connection, until it is closed or its caller is idle for too long.
    async fn handle_connection(self: Arc<Self>, stream: TcpStream) {
        let (socket, connection) = Socket::new(stream);
        let activity = Arc::new(ConnectionActivity::default());
        let stream = TokioIo::new(WatchedStream::new(socket, activity.clone()));
        let (engine, timeouts) = (self.engine.clone(), self.timeouts.clone());
        let caller = Arc::new(Peer { server: self, connection, activity: activity.clone() });
        let answering = service_fn(move |request| caller.clone().answer(request));
        let mut serving = pin!(http1::Builder::new().serve_connection(stream, answering));
        tokio::select! {
            biased;
            ended = &mut serving => return trace_end(ended),
            () = timeouts.wait_for_timeout(&activity) => return trace_cut(),
            () = engine.wait_for_stop() => serving.as_mut().graceful_shutdown(),
        }
        let timeouts = timeouts.for_shutdown();
        tokio::select! {
            biased;
            ended = &mut serving => trace_end(ended),
            () = timeouts.wait_for_timeout(&activity) => trace_cut(),
        }
    }
}

fn trace_cut() {
    tracing::debug!("a connection was closed because its client timed out");
}

fn trace_end(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::trace!("a connection failed: {error:#}");
    }
}

impl Peer {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response, Infallible> {
        let _answering = self.activity.handle();
        let (parts, body) = request.into_parts();
        let body = if body.is_end_stream() {
            Body::empty()
        } else {
            Body::new(WatchedBody::new(body, self.activity.clone()))
        };
        let mut request = Request::from_parts(parts, body);
        request.extensions_mut().insert(ConnectInfo(self.connection.clone()));
        let answer = self.server.service.clone().oneshot(request).await?;
        if answer.body().size_hint().exact().is_some() {
            // hyper takes it at once.
            return Ok(answer);
        }
        Ok(answer.map(|body| Body::new(WatchedAnswer::new(body, self.activity.clone()))))
    }
}
