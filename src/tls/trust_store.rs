//! A Java trust store in the format JKS. A library for this would bring dozens of others.

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use pki_types::CertificateDer;

use super::Authority;

/// The password that protects a trust store from damage; it is no secret.
pub const TRUST_STORE_PASSWORD: &str = "changeit";

/// Begins each store, before its version.
const MAGIC: [u8; 4] = [0xFE, 0xED, 0xFE, 0xED];

const VERSION: usize = 2;

/// The kind of an entry that holds a trusted certificate.
const TRUSTED_CERTIFICATE: usize = 2;

/// Comes after the password in what the digest at the end is made of.
const WHITENER: &[u8] = b"Mighty Aphrodite";

/// Returns a trust store with certificates and that of an authority.
#[must_use]
pub fn trust_store(certificates: &[CertificateDer<'_>], authority: &Authority) -> Vec<u8> {
    let all: Vec<&[u8]> = certificates
        .iter()
        .map(|certificate| &**certificate)
        .chain([authority.root_der()])
        .collect();
    let mut store = MAGIC.to_vec();
    push_number(&mut store, VERSION);
    push_number(&mut store, all.len());
    for (number, certificate) in all.into_iter().enumerate() {
        push_number(&mut store, TRUSTED_CERTIFICATE);
        push_text(&mut store, &format!("authority-{number}"));
        // When it was added.
        store.extend([0; 8]);
        push_text(&mut store, "X.509");
        push_number(&mut store, certificate.len());
        store.extend_from_slice(certificate);
    }
    let mut digest = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    for unit in TRUST_STORE_PASSWORD.encode_utf16() {
        digest.update(&unit.to_be_bytes());
    }
    digest.update(WHITENER);
    digest.update(&store);
    store.extend_from_slice(digest.finish().as_ref());
    store
}

fn push_number(store: &mut Vec<u8>, number: usize) {
    store.extend(u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes());
}

/// Adds a short text: its length in two bytes, and its bytes.
fn push_text(store: &mut Vec<u8>, text: &str) {
    store.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    store.extend_from_slice(text.as_bytes());
}
