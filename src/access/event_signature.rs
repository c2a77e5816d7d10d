//! The digital signatures of events, which subscribers verify with public keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::jwt::key_id;
use crate::engine::RsaKey;
use crate::store::StoreError;

/// Returns the name of the file with a public key.
#[must_use]
pub fn key_file(key: &RsaKey) -> String {
    format!("pub-key-{}.pem", key_id(key))
}

/// Returns the path of a public key.
#[must_use]
pub fn key_path(key: &RsaKey) -> String {
    format!("/prod/keys/{}", key_file(key))
}

/// Returns the signature of a body in base64.
pub fn sign(key: &RsaKey, body: &[u8]) -> Result<String, StoreError> {
    Ok(STANDARD.encode(key.sign(body)?))
}
