//! Certificates as PEM, and the authorities that the system trusts.

use std::io;
use std::sync::Arc;

use pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::AuthorityError;
use super::authority::Authority;
use crate::http::pem;

impl Authority {
    /// Returns the certificate that clients trust, as DER.
    #[must_use]
    pub fn root_der(&self) -> &[u8] {
        &self.root
    }

    /// Returns the certificate that clients trust, as PEM.
    #[must_use]
    pub fn root_pem(&self) -> String {
        pem_of(&self.root)
    }
}

/// Returns a certificate as PEM.
#[must_use]
pub fn pem_of(certificate: &[u8]) -> String {
    pem::encode("CERTIFICATE", certificate)
}

/// Returns the authorities that the system trusts; those that can't be read are left out.
#[must_use]
pub fn system_bundle() -> Vec<CertificateDer<'static>> {
    let found = rustls_native_certs::load_native_certs();
    for error in found.errors {
        tracing::warn!("an authority of the system can't be read: {error}");
    }
    found.certs
}

/// TLS with servers that an authority of the system stands for.
#[derive(Clone)]
pub struct ClientTls(TlsConnector);

impl ClientTls {
    /// Reads the system's authorities, which takes some time.
    pub fn new() -> Result<Self, AuthorityError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(system_bundle());
        let config = ClientConfig::builder_with_provider(super::provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| AuthorityError::Unusable(error.to_string()))?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Does the handshake with a server.
    pub async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        host: &str,
        stream: S,
    ) -> io::Result<TlsStream<S>> {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(io::Error::other)?;
        self.0.connect(name, stream).await
    }
}
