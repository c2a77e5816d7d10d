//! Keys and certificates as text (RFC 7468).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How many characters a line has.
const LINE: usize = 64;

/// Returns DER as PEM, with a label such as `CERTIFICATE`.
#[must_use]
pub fn encode(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        // Base64 is ASCII.
        let (line, after) = rest.split_at(LINE.min(rest.len()));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.extend(["-----END ", label, "-----\n"]);
    pem
}
