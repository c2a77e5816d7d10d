//! A connection, from its first byte to its end.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, HttpBody as _};
use axum::extract::ConnectInfo;
use axum::http::{Method, Request};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader};
use tower::ServiceExt;

use super::Server;
use super::activity::{ConnectionActivity, WatchedAnswer, WatchedBody, WatchedStream};
use super::ports::{Accepted, ProxyAccess};
use super::proxy::{Passage, ProxyTarget};
use crate::http::arrival::Arrival;
use crate::traffic::wire::{FailingStream, Socket, WireConnection};

/// The first byte of a TLS handshake. No HTTP request begins with it.
const HANDSHAKE: u8 = 0x16;

/// A stream, whatever is below it.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// The connection of a request.
struct Peer {
    server: Arc<Server>,
    wire: WireConnection,
    activity: Arc<ConnectionActivity>,
    arrival: Arrival,
    /// Whether the caller may use the proxy, and how.
    access: Option<ProxyAccess>,
    /// What the connection is to be after a CONNECT.
    passage: Mutex<Option<Passage>>,
}

impl Server {
    /// Answers the requests of a connection, until it is closed or its caller is idle for too long.
    pub(super) async fn handle(self: Arc<Self>, accepted: Accepted) {
        let Accepted { stream, peer, access } = accepted;
        let ip = peer.ip().to_canonical();
        let is_forwarder = ip.is_loopback() || self.trusted_proxies.contains(&ip);
        let arrival = Arrival { is_https: false, is_forwarder };
        let (socket, resetting) = Socket::new(stream);
        let wire = WireConnection::through(resetting.clone());
        let Some(access) = access else {
            self.serve(socket, wire, arrival, None).await;
            return;
        };
        // Otherwise handshakes would wait for acknowledgements that the client delays.
        socket.set_nodelay();
        let Some((stream, is_https)) = self.greet(socket, &access).await else { return };
        let arrival = Arrival { is_https, ..arrival };
        match self.serve(stream, wire, arrival, Some(access.clone())).await {
            None => {}
            Some(Passage::Tunnel(client, server, _slot)) => self.tunnel(client, server).await,
            Some(Passage::Inside(client)) => {
                let Ok(client) = client.await else { return };
                let greeted = self.greet(TokioIo::new(client), &access).await;
                let Some((stream, is_https)) = greeted else { return };
                let arrival = Arrival { is_https, ..arrival };
                self.serve(stream, WireConnection::through(resetting), arrival, None).await;
            }
        }
    }

    /// Waits for the first byte, which tells TLS from plain HTTP, and does the handshake. Returns
    /// the stream that HTTP goes over, and whether that is TLS.
    async fn greet<S>(&self, stream: S, access: &ProxyAccess) -> Option<(Box<dyn Stream>, bool)>
    where
        S: Stream + 'static,
    {
        let handshake = async {
            let mut stream = BufReader::with_capacity(1024, stream);
            let first = stream.fill_buf().await.ok()?.first().copied()?;
            if first != HANDSHAKE {
                return Some((Box::new(stream) as Box<dyn Stream>, false));
            }
            match access.acceptor.accept(stream).await {
                Ok(stream) => Some((Box::new(stream) as Box<dyn Stream>, true)),
                Err(error) => {
                    tracing::info!("a TLS handshake failed: {error}");
                    None
                }
            }
        };
        tokio::select! {
            greeted = tokio::time::timeout(self.timeouts.head, handshake) => greeted.ok().flatten(),
            () = self.engine.wait_for_stop() => None,
        }
    }

    /// Answers requests over a stream. Returns what the connection becomes after a CONNECT.
    async fn serve<S>(
        self: &Arc<Self>,
        stream: S,
        wire: WireConnection,
        arrival: Arrival,
        access: Option<ProxyAccess>,
    ) -> Option<Passage>
    where
        S: Stream + 'static,
    {
        let activity = Arc::new(ConnectionActivity::default());
        let stream = FailingStream::new(stream, wire.clone());
        let stream = TokioIo::new(WatchedStream::new(stream, activity.clone()));
        let (server, passage) = (self.clone(), Mutex::default());
        let peer = Peer { server, wire, activity: activity.clone(), arrival, access, passage };
        let peer = Arc::new(peer);
        let answering = service_fn(|request| peer.clone().answer(request));
        let serving = http1::Builder::new().serve_connection(stream, answering).with_upgrades();
        let mut serving = pin!(serving);
        let timeouts = self.timeouts.clone();
        tokio::select! {
            biased;
            ended = &mut serving => {
                trace_end(ended);
                return peer.passage.lock().unwrap_or_else(PoisonError::into_inner).take();
            }
            () = timeouts.wait_for_timeout(&activity) => {
                trace_cut();
                return None;
            }
            () = self.engine.wait_for_stop() => serving.as_mut().graceful_shutdown(),
        }
        let timeouts = timeouts.for_shutdown();
        tokio::select! {
            biased;
            ended = &mut serving => trace_end(ended),
            () = timeouts.wait_for_timeout(&activity) => trace_cut(),
        }
        None
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
    async fn answer(
        self: Arc<Self>,
        mut request: Request<Incoming>,
    ) -> Result<Response, Infallible> {
        let _answering = self.activity.handle();
        let is_connect = self.access.is_some() && request.method() == Method::CONNECT;
        let upgrade = is_connect.then(|| hyper::upgrade::on(&mut request));
        let (parts, body) = request.into_parts();
        let body = if body.is_end_stream() {
            Body::empty()
        } else {
            Body::new(WatchedBody::new(body, self.activity.clone()))
        };
        let answer = self.dispatch(Request::from_parts(parts, body), upgrade).await?;
        if answer.body().size_hint().exact().is_some() {
            // hyper takes it at once.
            return Ok(answer);
        }
        Ok(answer.map(|body| Body::new(WatchedAnswer::new(body, self.activity.clone()))))
    }

    /// Answers a request: as a proxy if it is one to a proxy, otherwise itself.
    async fn dispatch(
        &self,
        mut request: Request<Body>,
        upgrade: Option<OnUpgrade>,
    ) -> Result<Response, Infallible> {
        let mut arrival = self.arrival;
        let target =
            self.access.as_ref().and_then(|access| Some((access, ProxyTarget::of(&request)?)));
        if let Some((access, target)) = target {
            let target = match target {
                Ok(target) => target,
                Err(refusal) => return Ok(refusal.into_response()),
            };
            if let Some(upgrade) = upgrade {
                let opened = self.server.open(access, &target, upgrade).await;
                return Ok(match opened {
                    Ok(passage) => {
                        *self.passage.lock().unwrap_or_else(PoisonError::into_inner) =
                            Some(passage);
                        Response::default()
                    }
                    Err(refusal) => refusal.into_response(),
                });
            }
            if !target.is_real() {
                return Ok(self.server.forward(access, &target, request).await);
            }
            arrival.is_https = target.is_https();
            request = target.own_request(request);
        }
        request.extensions_mut().insert(ConnectInfo(self.wire.clone()));
        request.extensions_mut().insert(arrival);
        self.server.service.clone().oneshot(request).await
    }
}
