//! Certificates of service accounts.

use std::fmt;

use pki_types::CertificateDer;
use pki_types::pem::PemObject;
use webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA256;
use webpki::{EndEntityCert, Error};

/// A certificate with an RSA key.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    pem: String,
    der: CertificateDer<'static>,
}

impl Certificate {
    /// Reads a certificate, or says what the text should be.
    pub fn parse(pem: &str) -> Result<Self, &'static str> {
        let mut found = CertificateDer::pem_slice_iter(pem.as_bytes());
        let (Some(Ok(der)), None) = (found.next(), found.next()) else {
            return Err("must be one certificate as PEM");
        };
        let certificate = Self { pem: pem.to_owned(), der };
        match certificate.check(&[], &[]) {
            Err(Error::InvalidSignatureForPublicKey) => Ok(certificate),
            Err(Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)) => {
                Err("must have an RSA key")
            }
            _ => Err("must be a certificate of X.509 version 3"),
        }
    }

    /// Returns the text that it was read from.
    #[must_use]
    pub fn as_pem(&self) -> &str {
        &self.pem
    }

    /// Returns whether its key has signed a message, by RSA with SHA-256 (RS256).
    #[must_use]
    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.check(message, signature).is_ok()
    }

    fn check(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let certificate = EndEntityCert::try_from(&self.der)?;
        certificate.verify_signature(RSA_PKCS1_2048_8192_SHA256, message, signature)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").finish_non_exhaustive()
    }
}
