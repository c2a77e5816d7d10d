//! Connections to other servers, for clients of the proxy: through the proxy that the emulator's own
//! environment names, if any.

use std::sync::Arc;
use std::time::Duration;

use axum::http::uri::Scheme;
use axum::http::{StatusCode, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tower::{ServiceExt, service_fn};

use crate::http::problem::Problem;
use crate::store::with_causes;
use crate::tls::{self, ClientTls};

/// How long it may take to reach a server.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How clients of the proxy reach other servers.
#[derive(Default)]
pub(super) struct Outward(Option<Arc<Way>>);

struct Way {
    is_offline: bool,
    /// The ports of the emulator.
    own_ports: Vec<u16>,
    /// Other machines can use the proxy.
    is_for_others: bool,
    /// The proxies of the environment.
    previous: Matcher,
    tls: OnceCell<ClientTls>,
}

/// Why a server can't be reached.
type ConnectError = Box<dyn std::error::Error + Send + Sync>;

/// The emulator would call itself.
#[derive(Debug, thiserror::Error)]
#[error("it is the emulator's own address; set no_proxy so that it is called directly")]
struct OwnAddress;

impl Outward {
    /// Returns the way to other servers, for an emulator that listens on these ports.
    pub fn new(own_ports: Vec<u16>, is_offline: bool, is_for_others: bool) -> Self {
        let previous = Matcher::from_env();
        Self(Some(Arc::new(Way {
            is_offline,
            own_ports,
            is_for_others,
            previous,
            tls: OnceCell::new(),
        })))
    }

    /// Returns whether no other server may be reached.
    pub fn is_offline(&self) -> bool {
        self.0.as_ref().is_none_or(|way| way.is_offline)
    }

    fn way(&self) -> Result<&Arc<Way>, ConnectError> {
        self.0.as_ref().ok_or_else(|| "there is no proxy".into())
    }

    /// Opens a connection to the server of a URI, through a tunnel if the environment names a proxy.
    pub async fn tunnel(&self, uri: &Uri) -> Result<TcpStream, Problem> {
        let connect = async {
            let way = self.way()?;
            match way.previous.intercept(uri) {
                None => connect(way.clone(), uri.clone()).await,
                Some(proxy) => tunnel_through(way, &proxy, uri).await,
            }
        };
        Self::in_time(connect).await.map(TokioIo::into_inner).map_err(|error| refusal(uri, &*error))
    }

    /// Opens a connection for plain HTTP. Returns it and the proxy that it leads to, if that is one.
    pub(super) async fn plain(&self, uri: &Uri) -> Result<(TcpStream, Option<Intercept>), Problem> {
        let connect = async {
            let way = self.way()?;
            let proxy = way.previous.intercept(uri);
            if let Some(proxy) = &proxy {
                check_proxy(proxy)?;
            }
            let to = proxy.as_ref().map_or(uri, Intercept::uri).clone();
            Ok((connect(way.clone(), to).await?.into_inner(), proxy))
        };
        Self::in_time(connect).await.map_err(|error| refusal(uri, &*error))
    }

    /// Returns how to do TLS with other servers.
    pub(super) async fn tls(&self) -> Result<ClientTls, ConnectError> {
        let read = async || {
            // Reading the system's authorities takes some time.
            Ok::<_, ConnectError>(tokio::task::spawn_blocking(tls::ClientTls::new).await??)
        };
        self.way()?.tls.get_or_try_init(read).await.cloned()
    }

    async fn in_time<T>(
        connect: impl Future<Output = Result<T, ConnectError>>,
    ) -> Result<T, ConnectError> {
        let connected = tokio::time::timeout(TIMEOUT, connect).await;
        connected.unwrap_or_else(|_| Err("it does not answer".into()))
    }
}

/// Returns the answer when a server can't be reached.
pub(super) fn refusal(uri: &Uri, error: &(dyn std::error::Error + 'static)) -> Problem {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    let is_own = causes.any(<dyn std::error::Error>::is::<OwnAddress>);
    let status = if is_own { StatusCode::LOOP_DETECTED } else { StatusCode::BAD_GATEWAY };
    let host = uri.host().unwrap_or_default();
    let why = with_causes(error);
    tracing::debug!("the proxy can't reach {host}: {why}");
    Problem::new(status, "Proxy", format!("{host} can't be reached: {why}."))
}

/// Connects to the host of a URI. A connection to the emulator itself is refused: it would lead back
/// here without end.
async fn connect(way: Arc<Way>, uri: Uri) -> Result<TokioIo<TcpStream>, ConnectError> {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    let stream = connector.oneshot(uri).await?;
    let (own, peer) = (stream.inner().local_addr()?, stream.inner().peer_addr()?);
    let (own_ip, peer_ip) = (own.ip().to_canonical(), peer.ip().to_canonical());
    let is_loopback = peer_ip.is_loopback();
    let is_here = own_ip == peer_ip || own_ip.is_loopback() && is_loopback;
    if is_here && way.own_ports.contains(&peer.port()) {
        return Err(OwnAddress.into());
    }
    // What listens on loopback is not meant for other machines.
    if is_loopback && way.is_for_others {
        return Err("it is on this machine's loopback, and --proxy listens beyond it".into());
    }
    Ok(stream)
}

async fn tunnel_through(
    way: &Arc<Way>,
    proxy: &Intercept,
    uri: &Uri,
) -> Result<TokioIo<TcpStream>, ConnectError> {
    check_proxy(proxy)?;
    let way = way.clone();
    let connector = service_fn(move |uri| connect(way.clone(), uri));
    let mut tunnel = Tunnel::new(proxy.uri().clone(), connector);
    if let Some(credentials) = proxy.basic_auth() {
        tunnel = tunnel.with_auth(credentials.clone());
    }
    Ok(tunnel.oneshot(uri.clone()).await?)
}

fn check_proxy(proxy: &Intercept) -> Result<(), ConnectError> {
    if proxy.uri().scheme() == Some(&Scheme::HTTP) {
        return Ok(());
    }
    Err("the proxy in the emulator's environment is not an http:// proxy, the only kind that is \
         supported"
        .into())
}
