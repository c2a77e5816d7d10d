//! The ports of the server.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};

use super::outward::Outward;
use crate::tls::Acceptor;

/// The ports that a server listens on.
pub struct Ports {
    /// Plain HTTP.
    pub plain: TcpListener,
    /// What the real names need, if they are answered.
    pub interception: Option<Interception>,
}

/// The ports for clients that call the real names. Each of them speaks plain HTTP, TLS and the
/// requests to a proxy.
pub struct Interception {
    /// For clients that ignore proxies.
    pub tls: Option<TcpListener>,
    /// For clients of the proxy.
    pub proxy: Option<TcpListener>,
    /// Does TLS handshakes.
    pub acceptor: Arc<Acceptor>,
    /// Whether the proxy refuses all other hosts.
    pub offline: bool,
}

/// A connection that was accepted.
pub(super) struct Accepted {
    pub stream: TcpStream,
    pub peer: SocketAddr,
    /// None on the port for plain HTTP.
    pub access: Option<ProxyAccess>,
}

/// What a port for the real names allows.
#[derive(Clone)]
pub(super) struct ProxyAccess {
    pub acceptor: Arc<Acceptor>,
    /// Whether the caller may reach other hosts through the proxy.
    pub passes_on: bool,
}

impl Ports {
    /// Accepts the next connection. If there is no descriptor left, axum's listener logs it and
    /// retries after a second.
    pub(super) async fn accept(&mut self) -> Accepted {
        let Some(Interception { tls, proxy, acceptor, .. }) = &mut self.interception else {
            let (stream, peer) = Listener::accept(&mut self.plain).await;
            return Accepted { stream, peer, access: None };
        };
        let ((stream, peer), passes_on) = tokio::select! {
            (stream, peer) = Listener::accept(&mut self.plain) => {
                return Accepted { stream, peer, access: None };
            }
            accepted = accept(tls) => {
                // Nobody who opens this port asks for a proxy that everybody may use.
                let is_local = accepted.1.ip().to_canonical().is_loopback();
                (accepted, is_local)
            }
            accepted = accept(proxy) => (accepted, true),
        };
        Accepted {
            stream,
            peer,
            access: Some(ProxyAccess { acceptor: acceptor.clone(), passes_on }),
        }
    }

    /// Returns the address for TLS, if there is one.
    #[must_use]
    pub fn tls_address(&self) -> Option<SocketAddr> {
        self.interception.as_ref()?.tls.as_ref()?.local_addr().ok()
    }

    /// Returns the address of the proxy, if there is one.
    #[must_use]
    pub fn proxy_address(&self) -> Option<SocketAddr> {
        self.interception.as_ref()?.proxy.as_ref()?.local_addr().ok()
    }

    /// Returns whether other machines may reach one of the ports.
    #[must_use]
    pub fn are_beyond_loopback(&self) -> bool {
        let further = [self.tls_address(), self.proxy_address()];
        let mut all = further.into_iter().chain([self.plain.local_addr().ok()]).flatten();
        all.any(|address| !address.ip().to_canonical().is_loopback())
    }

    /// Returns how clients of the proxy reach other hosts. They can't reach these ports.
    pub(super) fn outward(&self) -> Outward {
        let Some(interception) = &self.interception else { return Outward::default() };
        let addresses = [self.plain.local_addr().ok(), self.tls_address(), self.proxy_address()];
        let ports = addresses.into_iter().flatten().map(|address| address.port());
        let proxy = self.proxy_address();
        let is_for_others = proxy.is_some_and(|it| !it.ip().to_canonical().is_loopback());
        Outward::new(ports.collect(), interception.offline, is_for_others)
    }
}

async fn accept(listener: &mut Option<TcpListener>) -> (TcpStream, SocketAddr) {
    match listener {
        Some(listener) => Listener::accept(listener).await,
        None => std::future::pending().await,
    }
}
