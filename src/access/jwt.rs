//! JWTs: encoding, signing and parsing. Callers decide whether to trust a parsed token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::engine::RsaKey;
use crate::store::StoreError;

/// A JWT in its parts.
pub(super) struct Jwt<'a> {
    /// Header and claims: what the signature is for.
    pub signed: &'a str,
    header: &'a str,
    claims: &'a str,
    signature: &'a str,
}

impl<'a> Jwt<'a> {
    /// Returns the parts of a token, or `None` if it does not have exactly three.
    pub(super) fn split(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) =
            signed.split_once('.').filter(|(_, claims)| !claims.contains('.'))?;
        Some(Self { signed, header, claims, signature })
    }

    /// Returns what its header says.
    pub(super) fn header<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&decode(self.header)?).ok()
    }

    /// Returns what it claims.
    pub(super) fn claims<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&decode(self.claims)?).ok()
    }

    /// Returns its signature.
    pub(super) fn signature(&self) -> Option<Vec<u8>> {
        decode(self.signature)
    }

    /// Returns whether its header is exactly this text.
    pub(super) fn has_header(&self, header: &str) -> bool {
        self.header == URL_SAFE_NO_PAD.encode(header)
    }

    /// Returns whether [`sign`] made it with this key.
    pub(super) fn is_signed_by(&self, key: &RsaKey) -> bool {
        let signature = URL_SAFE_NO_PAD.decode(self.signature);
        self.has_header(&header_of(key))
            && signature.is_ok_and(|signature| key.has_signed(self.signed.as_bytes(), &signature))
    }
}

/// Returns a JWT with these claims, signed by a key (RS256).
pub(super) fn sign(key: &RsaKey, claims: &impl Serialize) -> Result<String, StoreError> {
    let claims = serde_json::to_vec(claims).unwrap_or_default();
    let mut token = URL_SAFE_NO_PAD.encode(header_of(key));
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(&claims, &mut token);
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}

/// Returns the header of all tokens that a key signs. Tokens with any other header are rejected, so
/// that an attacker can't choose the algorithm.
fn header_of(key: &RsaKey) -> String {
    format!(r#"{{"alg":"RS256","kid":"{}","typ":"JWT"}}"#, key_id(key))
}

/// Returns the name of a key: its thumbprint after RFC 7638.
pub(super) fn key_id(key: &RsaKey) -> String {
    let [modulus, exponent] = public_parts(key);
    // The standard wants these members, in this order.
    let members = json!({"e": exponent, "kty": "RSA", "n": modulus}).to_string();
    URL_SAFE_NO_PAD.encode(Sha256::digest(members))
}

/// Returns modulus and exponent of a key, as JWKs have them.
pub(super) fn public_parts(key: &RsaKey) -> [String; 2] {
    [key.modulus(), key.exponent()].map(|part| URL_SAFE_NO_PAD.encode(part))
}

/// Returns the bytes of a part. Some issuers pad them, although RFC 7515 forbids it.
fn decode(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()
}
