//! What must not be kept of a call: tokens and secrets.

use std::borrow::Cow;

use form_urlencoded::Serializer;

use crate::http::secrets::{REDACTED, names_a_secret, redact};

/// The most that is kept of a body, in bytes.
const LONGEST_BODY: usize = 16 * 1024;

/// A request body without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedactedBody {
    /// Its text, or the beginning of it.
    pub text: String,
    /// Whether the text is JSON.
    pub is_json: bool,
    /// Whether the end is missing.
    pub truncated: bool,
}

/// A path without the token that names a file.
pub fn path(path: &str) -> Cow<'_, str> {
    if path.starts_with("/files/") { format!("/files/{REDACTED}").into() } else { path.into() }
}

/// A query string without the values of parameters that are named like secrets.
pub fn query(query: &str) -> Cow<'_, str> {
    let pairs = || form_urlencoded::parse(query.as_bytes());
    if !pairs().any(|(name, _)| names_a_secret(&name)) {
        return query.into();
    }
    let mut redacted = Serializer::new(String::new());
    for (name, value) in pairs() {
        let value = if names_a_secret(&name) { Cow::Borrowed(REDACTED) } else { value };
        redacted.append_pair(&name, &value);
    }
    redacted.finish().into()
}

/// A body without its secrets; none if there is no body.
pub fn body(path: &str, bytes: &[u8]) -> Option<RedactedBody> {
    if bytes.is_empty() {
        return None;
    }
    let (text, is_json) = if let Ok(mut value) = serde_json::from_slice(bytes) {
        redact(&mut value);
        (value.to_string(), true)
    } else {
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST_BODY + 1)]);
        // Where the secrets are in it can't be told.
        let secret = path.ends_with("/variables") || names_a_secret(&text);
        (if secret { REDACTED.to_owned() } else { text.into_owned() }, false)
    };
    let truncated = text.len() > LONGEST_BODY;
    let end = text.floor_char_boundary(LONGEST_BODY);
    let kept = text.get(..end).unwrap_or_default().to_owned();
    Some(RedactedBody { text: kept, is_json: is_json && !truncated, truncated })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn redacted(path: &str, sent: &str) -> String {
        body(path, sent.as_bytes()).unwrap().text
    }

    #[test]
    fn secret_variables_lose_their_values() {
        let sent = json!([
            {"name": "A", "value": "hidden", "type": "secretString"},
            {"name": "B", "value": "hidden"},
            {"name": "C", "value": "shown", "type": "string"},
            {"name": "D", "value": "", "type": "secretString"},
            {"name": "E", "value": {"deep": "hidden"}, "type": "other"},
        ]);
        let expected = json!([
            {"name": "A", "value": "***", "type": "secretString"},
            {"name": "B", "value": "***"},
            {"name": "C", "value": "shown", "type": "string"},
            {"name": "D", "value": "", "type": "secretString"},
            {"name": "E", "value": "***", "type": "other"},
        ]);
        assert_eq!(redacted("/api/x/variables", &sent.to_string()), expected.to_string());
    }

    #[test]
    fn fields_that_are_named_like_secrets_lose_their_values_at_any_depth() {
        let sent = json!({"a": [{"clientSecret": "x", "client_secret": 5, "Password": ["y"],
            "access_token": "z", "comment": "shown"}]});
        let expected = json!({"a": [{"clientSecret": "***", "client_secret": "***",
            "Password": "***", "access_token": "***", "comment": "shown"}]});
        assert_eq!(redacted("/api/x", &sent.to_string()), expected.to_string());
    }

    #[test]
    fn what_is_no_json_is_kept_only_where_it_can_hold_no_secret() {
        assert_eq!(redacted("/api/x", "{oops"), "{oops");
        assert_eq!(redacted("/api/x", r#"{"clientSecret":"x",}"#), "***");
        assert_eq!(redacted("/api/x/variables", r#"[{"name":"A","value":"x"},]"#), "***");
        assert!(!body("/api/x", b"{oops").unwrap().is_json);
        assert_eq!(body("/api/x", b""), None);
    }

    #[test]
    fn long_bodies_are_cut_after_their_secrets_are_gone() {
        let sent = json!({"a": "é".repeat(20_000), "z": {"password": "x"}}).to_string();
        let kept = body("/api/x", sent.as_bytes()).unwrap();
        assert!(kept.truncated && !kept.is_json && kept.text.len() <= LONGEST_BODY);
        let text = "é".repeat(20_000);
        let kept = body("/api/x", text.as_bytes()).unwrap();
        assert!(kept.truncated && kept.text.len() <= LONGEST_BODY);
    }

    #[test]
    fn parameters_that_are_named_like_tokens_lose_their_values() {
        assert_eq!(query("a=b&days=2&c"), "a=b&days=2&c");
        assert_eq!(query("a=b&t%6Fken=x&X-Signature=y"), "a=b&token=***&X-Signature=***");
        assert_eq!(path("/files/abc"), "/files/***");
        assert_eq!(path("/api/programs"), "/api/programs");
    }
}
