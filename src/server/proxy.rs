//! The forward proxy: it answers requests to the real names itself, and passes all others on.

use std::io;
use std::pin::pin;

use axum::body::Body;
use axum::http::uri::{Authority, Scheme};
use axum::http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::Server;
use super::ports::ProxyAccess;
use crate::http::problem::Problem;
use crate::http::real_names;

/// Where a request to a proxy is to go.
pub(super) struct ProxyTarget {
    /// With scheme, host and port.
    uri: Uri,
}

/// What a connection becomes after a CONNECT.
pub(super) enum Passage {
    /// A connection to one of the real names: the emulator answers in it.
    Inside(OnUpgrade),
    /// A tunnel to another server, which takes a slot for that connection.
    Tunnel(OnUpgrade, TcpStream, OwnedSemaphorePermit),
}

impl ProxyTarget {
    /// Returns the target of a request to a proxy, or what is wrong with it. `None` for a request
    /// to the emulator itself, which names no host in its first line.
    pub fn of(request: &Request<Body>) -> Option<Result<Self, Problem>> {
        let uri = request.uri();
        let is_connect = request.method() == Method::CONNECT;
        let Some(authority) = uri.authority() else {
            return is_connect.then(|| Err(bad_target(uri)));
        };
        let scheme = if is_connect { Some(&Scheme::HTTPS) } else { uri.scheme() };
        let uri = scheme.and_then(|scheme| full(scheme, authority, uri, is_connect));
        Some(uri.map(|uri| Self { uri }).ok_or_else(|| bad_target(request.uri())))
    }

    /// Returns the whole URI.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    fn host(&self) -> &str {
        self.uri.host().unwrap_or_default()
    }

    /// Returns whether the emulator answers for this host.
    pub fn is_real(&self) -> bool {
        real_names::is_real(self.host())
    }

    /// Returns whether the client means a connection over TLS.
    pub fn is_https(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }

    /// Returns a request as it would come without a proxy.
    pub fn own_request(&self, mut request: Request<Body>) -> Request<Body> {
        let host = self.uri.authority().map_or("", Authority::as_str);
        if let Ok(host) = HeaderValue::from_str(host) {
            request.headers_mut().insert(header::HOST, host);
        }
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        // A path of a URI is a URI.
        *request.uri_mut() = path.parse().unwrap_or_default();
        request
    }
}

/// Returns the URI of a target. Only hosts without user names and with possible ports are targets,
/// and CONNECT needs a port.
fn full(scheme: &Scheme, authority: &Authority, uri: &Uri, is_connect: bool) -> Option<Uri> {
    let is_known = *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS;
    let rest = authority.as_str().strip_prefix(authority.host())?;
    let port = authority.port_u16();
    let is_possible = rest.is_empty() && !is_connect || port.is_some_and(|port| port > 0);
    if !is_known || !is_possible || authority.host().is_empty() {
        return None;
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let builder = Uri::builder().scheme(scheme.clone()).authority(authority.clone());
    builder.path_and_query(path).build().ok()
}

fn bad_target(uri: &Uri) -> Problem {
    let uri = uri.to_string();
    Problem::bad_request(format!(
        "{} is no target for a proxy: it must be HOST:PORT, or an http or https URL.",
        uri.chars().take(200).collect::<String>().escape_debug()
    ))
}

impl Server {
    /// Does what a CONNECT asks for, up to its answer.
    pub(super) async fn open(
        &self,
        access: &ProxyAccess,
        target: &ProxyTarget,
        upgrade: OnUpgrade,
    ) -> Result<Passage, Problem> {
        if target.is_real() {
            return Ok(Passage::Inside(upgrade));
        }
        self.check_passing_on(access, target)?;
        let slot = self.take_slot()?;
        let stream = self.outward.tunnel(target.uri()).await?;
        Ok(Passage::Tunnel(upgrade, stream, slot))
    }

    /// Passes a request on to another server, and returns its answer.
    pub(super) async fn forward(
        &self,
        access: &ProxyAccess,
        target: &ProxyTarget,
        request: Request<Body>,
    ) -> Response {
        let answer = async {
            self.check_passing_on(access, target)?;
            self.outward.forward(target.uri(), request, self.take_slot()?).await
        };
        answer.await.unwrap_or_else(Problem::into_response)
    }

    /// Takes the slot of a connection to another server.
    fn take_slot(&self) -> Result<OwnedSemaphorePermit, Problem> {
        self.slots.clone().try_acquire_owned().map_err(|_| {
            let why = "As many connections are open as the limit of descriptors allows.";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Too many connections", why)
        })
    }

    fn check_passing_on(&self, access: &ProxyAccess, target: &ProxyTarget) -> Result<(), Problem> {
        if self.outward.is_offline() {
            let host = target.host();
            tracing::warn!("--offline: a client wanted to reach {host}, and was refused");
            let why = format!("{host} can't be reached: the emulator runs with --offline.");
            return Err(Problem::new(StatusCode::FORBIDDEN, "Offline", why));
        }
        if access.passes_on {
            return Ok(());
        }
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "Not an open proxy",
            "Clients on other machines reach other hosts only through the port of --proxy.",
        ))
    }

    /// Carries bytes both ways, until both sides have closed or the engine stops. Each side may
    /// close while the other still sends, but for no longer than a connection may be idle: the
    /// client may have left.
    pub(super) async fn tunnel(&self, client: OnUpgrade, mut server: TcpStream) {
        let carrying = async {
            let client: Upgraded = client.await.map_err(io::Error::other)?;
            let (mut from_client, mut to_client) = tokio::io::split(TokioIo::new(client));
            let (mut from_server, mut to_server) = server.split();
            let mut up = pin!(carry(&mut from_client, &mut to_server));
            let mut down = pin!(carry(&mut from_server, &mut to_client));
            let idle = self.timeouts.idle;
            tokio::select! {
                sent = &mut up => sent.and(timeout(idle, down).await.unwrap_or(Ok(()))),
                sent = &mut down => sent.and(timeout(idle, up).await.unwrap_or(Ok(()))),
            }
        };
        tokio::select! {
            carried = carrying => if let Err(error) = carried {
                tracing::trace!("a tunnel failed: {error}");
            },
            () = self.engine.wait_for_stop() => {}
        }
    }
}

/// Carries bytes one way, up to their end.
async fn carry(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
) -> io::Result<()> {
    tokio::io::copy(from, to).await?;
    to.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The target of a request, or what it is instead.
    fn target(method: Method, uri: &str) -> String {
        let request = Request::builder().method(method).uri(uri).body(Body::empty()).unwrap();
        match ProxyTarget::of(&request) {
            None => "not to a proxy".into(),
            Some(Err(_)) => "refused".into(),
            Some(Ok(target)) => target.uri.to_string(),
        }
    }

    #[test]
    fn a_request_to_a_proxy_names_a_host() {
        assert_eq!(target(Method::CONNECT, "a.example:443"), "https://a.example:443/");
        assert_eq!(target(Method::CONNECT, "[::1]:22"), "https://[::1]:22/");
        assert_eq!(target(Method::GET, "http://a.example/b?c"), "http://a.example/b?c");
        assert_eq!(target(Method::GET, "https://a.example"), "https://a.example/");
        assert_eq!(target(Method::GET, "/a"), "not to a proxy");
        assert_eq!(target(Method::OPTIONS, "*"), "not to a proxy");
        for wrong in ["a.example", "a.example:0", "a.example:65536", "u@a.example:443"] {
            assert_eq!(target(Method::CONNECT, wrong), "refused", "{wrong}");
        }
        for wrong in ["ftp://a.example/", "http://u:p@a.example/", "http://a.example:0/"] {
            assert_eq!(target(Method::GET, wrong), "refused", "{wrong}");
        }
    }
}
