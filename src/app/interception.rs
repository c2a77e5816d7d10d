//! What answering under the real names needs: an authority, and the ports for clients that call them.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::http::Uri;
use tokio::net::TcpListener;

use super::error::AppError;
use super::listen;
use crate::server::Interception;
use crate::tls::{Acceptor, Authority, AuthorityDirectory, AuthorityError};

/// How clients that call the real names are answered.
#[derive(Clone, Debug, Default)]
pub struct InterceptionOptions {
    /// Where to listen for TLS; port 0 is any free port.
    pub tls: Option<SocketAddr>,
    /// Where to listen for clients of the proxy; port 0 is any free port.
    pub proxy: Option<SocketAddr>,
    /// Whether the proxy refuses all other hosts.
    pub offline: bool,
    /// The directory of the authority; one in the user's data directory if absent.
    pub ca_dir: Option<PathBuf>,
    /// Whether an authority that is not there yet is made only for as long as the emulator runs.
    pub is_temporary: bool,
    /// Proxies on other machines whose headers say what a client called.
    pub trusted_proxies: Vec<IpAddr>,
}

impl InterceptionOptions {
    /// Listens where the options say. Returns `None` if they name no address.
    pub(super) async fn start(
        &self,
        public_url: Option<&str>,
    ) -> Result<Option<Interception>, AppError> {
        let Self { tls, proxy, offline, .. } = *self;
        if proxy.is_none() && offline {
            tracing::warn!("--offline has no effect without --proxy or exec --intercept");
        }
        if proxy.is_none() && tls.is_none() {
            if self.ca_dir.is_some() {
                tracing::warn!("--ca-dir has no effect without --tls, --proxy or exec --intercept");
            }
            return Ok(None);
        }
        let tls = listen_if_given("--tls", tls).await?;
        let proxy = listen_if_given("--proxy", proxy).await?;
        let further = public_url.and_then(host_of);
        let authority = self.authority(further.as_deref())?;
        if let Some(host) = further.as_deref().filter(|host| authority.check(host).is_err()) {
            tracing::warn!(
                "the authority does not permit {host}, the host of --public-url: clients refuse its \
                 certificate. `cloudmanager-emulator ca --renew --public-url URL` makes an \
                 authority that permits it, which clients must trust again"
            );
        }
        let acceptor = Arc::new(Acceptor::new(authority, further)?);
        Ok(Some(Interception { tls, proxy, acceptor, offline }))
    }

    fn authority(&self, further: Option<&str>) -> Result<Authority, AuthorityError> {
        if !self.is_temporary || self.ca_dir.is_some() {
            return AuthorityDirectory::new(self.ca_dir.clone())?.load_or_make(further);
        }
        let found = match AuthorityDirectory::new(None) {
            Ok(directory) => directory.load()?,
            Err(_) => None,
        };
        found.map_or_else(|| Authority::make(further), Ok)
    }
}

async fn listen_if_given(
    option: &'static str,
    address: Option<SocketAddr>,
) -> Result<Option<TcpListener>, AppError> {
    match address {
        Some(address) => listen(option, address).await.map(Some),
        None => Ok(None),
    }
}

/// Returns the host of a URL, in lower case and without the brackets of an IPv6 address.
#[must_use]
pub fn host_of(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
    Some(host.to_ascii_lowercase())
}
