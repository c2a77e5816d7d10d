//! Signatures that nobody else can make.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Makes and checks signatures under one key.
#[derive(Clone)]
pub struct Signer(Hmac<Sha256>);

impl Signer {
    /// With this key.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        // A key of any length will do.
        Self(Hmac::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&[0; 64].into())))
    }

    /// Returns a signer with a key derived for this purpose. Neither signer accepts signatures of
    /// the other.
    #[must_use]
    pub fn for_purpose(&self, purpose: &str) -> Self {
        Self::new(&self.sign(purpose.as_bytes()))
    }

    /// The signature of a message, its HMAC-SHA256.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 32] {
        self.0.clone().chain_update(message).finalize().into_bytes().into()
    }

    /// Whether the first `N` bytes of the signature of a message are these, in constant time.
    #[must_use]
    pub fn verify<const N: usize>(&self, message: &[u8], signature: &[u8; N]) -> bool {
        self.0.clone().chain_update(message).verify_truncated_left(signature).is_ok()
    }

    /// Returns whether a secret is the expected one. Takes constant time, so that callers can't
    /// guess it from the response time.
    #[must_use]
    pub fn is_same(&self, expected: &str, given: &str) -> bool {
        self.verify(expected.as_bytes(), &self.sign(given.as_bytes()))
    }
}
