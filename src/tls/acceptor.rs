//! Accepts TLS connections, with a certificate for the name that the client asks for.

use std::fmt;
use std::io;
use std::sync::Arc;

use pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use quick_cache::sync::Cache;
use rcgen::KeyPair;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::sign::any_supported_type;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::{CertifiedKey, SigningKey};
pub use tokio_rustls::server::TlsStream as Incoming;

use super::AuthorityError;
use super::authority::{Authority, LOCALHOST};
use crate::http::real_names;

/// How many certificates are kept. Anybody can ask for names without end.
const MOST_CERTIFICATES: usize = 256;

/// Accepts TLS connections.
#[derive(Clone)]
pub struct Acceptor {
    tls: TlsAcceptor,
    certificates: Arc<Certificates>,
}

impl Acceptor {
    /// Returns an acceptor with certificates of an authority: for the real names, this machine, a
    /// `further` host, and the names below them.
    pub fn new(authority: Authority, further: Option<String>) -> Result<Self, AuthorityError> {
        let certificates = Arc::new(Certificates::new(authority, further)?);
        let unusable =
            |error: tokio_rustls::rustls::Error| AuthorityError::Unusable(error.to_string());
        let mut config = ServerConfig::builder_with_provider(super::provider())
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_no_client_auth()
            .with_cert_resolver(certificates.clone());
        // HTTP/2 has no `Host` header, which the checks of the host need.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { tls: TlsAcceptor::from(Arc::new(config)), certificates })
    }

    /// Returns the authority.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.certificates.authority
    }

    /// Does the handshake of a connection.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> io::Result<Incoming<S>> {
        self.tls.accept(stream).await
    }
}

/// The certificates of names, made when they are first asked for.
struct Certificates {
    authority: Authority,
    further: Option<String>,
    /// One key for all of them: making a key takes longer than signing a certificate.
    key: KeyPair,
    signer: Arc<dyn SigningKey>,
    made: Cache<String, Arc<CertifiedKey>>,
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}

impl Certificates {
    fn new(authority: Authority, further: Option<String>) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate()?;
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signer = any_supported_type(&der)
            .map_err(|error| AuthorityError::Unusable(error.to_string()))?;
        Ok(Self { authority, further, key, signer, made: Cache::new(MOST_CERTIFICATES) })
    }

    fn permits(&self, name: &str) -> bool {
        let further = self.further.as_deref();
        let mut permitted = real_names::ALL.into_iter().chain([LOCALHOST]).chain(further);
        permitted.any(|permitted| {
            let above = name.strip_suffix(permitted);
            above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
        })
    }

    fn find(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        if !self.permits(name) {
            return None;
        }
        let made = self.made.get_or_insert_with(name, || {
            let leaf = self.authority.sign(name, &self.key)?;
            let chain = vec![leaf, self.authority.intermediate.clone()];
            Ok(Arc::new(CertifiedKey::new(chain, self.signer.clone())))
        });
        let failed = |error: AuthorityError| tracing::warn!("no certificate for {name}: {error}");
        made.map_err(failed).ok()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // A client that calls an address, as 127.0.0.1, names no server.
        self.find(&hello.server_name().unwrap_or(LOCALHOST).to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_certificates_are_kept() {
        let authority = Authority::make(None).unwrap();
        let certificates = Certificates::new(authority, None).unwrap();
        for number in 0..3000 {
            assert!(certificates.find(&format!("n{number}.localhost")).is_some());
        }
        assert!(certificates.made.len() <= MOST_CERTIFICATES);
    }

    #[test]
    fn there_is_no_certificate_for_other_names() {
        let authority = Authority::make(Some("cm.example.com")).unwrap();
        let further = Some("cm.example.com".to_owned());
        let certificates = Certificates::new(authority, further).unwrap();
        for name in ["cloudmanager.adobe.io", "a.cloudmanager.adobe.io", "cm.example.com"] {
            assert!(certificates.find(name).is_some(), "{name}");
        }
        for name in ["adobe.io", "evilcloudmanager.adobe.io", "example.com", "io", ""] {
            assert!(certificates.find(name).is_none(), "{name}");
        }
    }
}
