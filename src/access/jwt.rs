//! JWTs: how they are written, signed and read. Whether one is to be believed, its reader decides.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::signer::Signer;

/// How many bytes a signature by HMAC-SHA256 has.
const HS256: usize = 32;

/// A JWT in its parts.
pub(super) struct Jwt<'a> {
    /// Header and claims: what the signature is for.
    signed: &'a str,
    header: &'a str,
    claims: &'a str,
    signature: &'a str,
}

impl<'a> Jwt<'a> {
    /// The parts of a token; none if it does not have exactly three.
    pub(super) fn split(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) =
            signed.split_once('.').filter(|(_, claims)| !claims.contains('.'))?;
        Some(Self { signed, header, claims, signature })
    }

    /// What its header says.
    pub(super) fn header<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&decode(self.header)?).ok()
    }

    /// What it claims.
    pub(super) fn claims<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&decode(self.claims)?).ok()
    }

    /// Its signature.
    pub(super) fn signature(&self) -> Option<Vec<u8>> {
        decode(self.signature)
    }

    /// Whether [`sign`] made it with this header and signer.
    pub(super) fn is_signed_by(&self, signer: &Signer, header: &str) -> bool {
        let signature = URL_SAFE_NO_PAD.decode(self.signature).ok();
        let signature: Option<[u8; HS256]> = signature.and_then(|bytes| bytes.try_into().ok());
        self.header == URL_SAFE_NO_PAD.encode(header)
            && signature.is_some_and(|bytes| signer.verify(self.signed.as_bytes(), &bytes))
    }
}

/// A JWT with this header and these claims, signed by HMAC-SHA256.
pub(super) fn sign(signer: &Signer, header: &str, claims: &impl Serialize) -> String {
    let claims = serde_json::to_vec(claims).unwrap_or_default();
    let mut token = URL_SAFE_NO_PAD.encode(header);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(&claims, &mut token);
    let signature = signer.sign(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token
}

/// The bytes of a part. Some issuers pad them, although RFC 7515 has them not to.
fn decode(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()
}
