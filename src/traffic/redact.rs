//! Removes tokens and secrets from what the journal keeps of a call.

use std::borrow::Cow;

use axum::http::{HeaderMap, header};
use form_urlencoded::Serializer;

use crate::domain::webhook::without_password;
use crate::http::secrets::{REDACTED, keep_public_variables, names_a_secret, redact};

/// How much of a body is kept, in bytes.
const LONGEST_BODY: usize = 16 * 1024;

/// About how long the headers of a call are, in bytes.
const USUAL_HEADERS: usize = 256;

/// How much of the headers is kept, in bytes.
const LONGEST_HEADERS: usize = 8 * 1024;

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

/// Returns a query string without the values of parameters that are named like secrets, and without
/// passwords in URLs.
#[must_use]
pub fn query(query: &str) -> Cow<'_, str> {
    let pairs = || form_urlencoded::parse(query.as_bytes());
    if !pairs().any(|(name, value)| names_a_secret(&name) || holds_a_password(&value)) {
        return query.into();
    }
    let mut redacted = Serializer::new(String::new());
    for (name, value) in pairs() {
        let value = if names_a_secret(&name) { REDACTED.into() } else { without_password(&value) };
        redacted.append_pair(&name, &value);
    }
    redacted.finish().into()
}

/// Returns headers as `name: value`, one a line, without the tokens of callers. Every call pays for
/// this: so other secrets are only looked for by [`header_value`], when a header is shown.
#[must_use]
pub fn header_lines(headers: &HeaderMap) -> String {
    let mut kept = String::with_capacity(USUAL_HEADERS);
    for (name, value) in headers {
        let is_token = [header::AUTHORIZATION, header::COOKIE].contains(name);
        let value = if is_token { REDACTED } else { value.to_str().unwrap_or(REDACTED) };
        if kept.len() + name.as_str().len() + value.len() > LONGEST_HEADERS {
            break;
        }
        for part in [name.as_str(), ": ", value, "\n"] {
            kept.push_str(part);
        }
    }
    kept
}

/// Returns the value of a header as it may be shown.
#[must_use]
pub fn header_value(name: &str, value: &str) -> String {
    if names_a_secret(name) { REDACTED.into() } else { without_password(value) }
}

/// Returns a body without its secrets, or `None` if there is no body. `accepted` says whether the
/// request succeeded.
#[must_use]
pub fn body(path: &str, accepted: bool, bytes: &[u8]) -> Option<RedactedBody> {
    if bytes.is_empty() {
        return None;
    }
    let is_variables = path.trim_end_matches('/').ends_with("/variables");
    let json = if is_variables && !accepted {
        // A body that was refused may have any structure, with a secret anywhere in it.
        Ok(REDACTED.into())
    } else {
        serde_json::from_slice(bytes)
    };
    let (text, is_json) = if let Ok(mut value) = json {
        if is_variables {
            keep_public_variables(&mut value);
        }
        redact(&mut value);
        (value.to_string(), true)
    } else {
        let text = readable(bytes).filter(|text| !is_variables && !may_hold_secrets(text));
        (text.unwrap_or(REDACTED).to_owned(), false)
    };
    let truncated = text.len() > LONGEST_BODY;
    let end = text.floor_char_boundary(LONGEST_BODY);
    let kept = text.get(..end).unwrap_or_default().to_owned();
    Some(RedactedBody { text: kept, is_json: is_json && !truncated, truncated })
}

/// Returns the text of a body, or a little more of it than is kept. Bytes in another encoding have
/// none, because names of secrets are not found there: UTF-16 may be valid UTF-8 with NULs.
fn readable(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok().filter(|text| !text.contains('\0'))?;
    text.get(..text.ceil_char_boundary(LONGEST_BODY + 1))
}

/// Returns whether a text that is not JSON may contain secrets.
fn may_hold_secrets(text: &str) -> bool {
    let mut decoded = form_urlencoded::parse(text.as_bytes());
    // Escapes may hide the name of a secret from a plain search: `\u` in JSON, `%` in forms.
    names_a_secret(text)
        || text.contains("\\u")
        || holds_a_password(text)
        || decoded.any(|(name, value)| names_a_secret(&name) || holds_a_password(&value))
}

/// Returns whether a text contains a URL with a password.
fn holds_a_password(text: &str) -> bool {
    let is_end =
        |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | ',' | '&' | '=');
    text.contains('@') && text.split(is_end).any(|part| without_password(part) != part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn redacted(path: &str, sent: &str) -> String {
        body(path, true, sent.as_bytes()).unwrap().text
    }

    #[test]
    fn headers_lose_their_tokens() {
        let sent = [("authorization", "Bearer x"), ("cookie", "x"), ("accept", "a/b")];
        let sent = sent.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let kept = header_lines(&HeaderMap::from_iter(sent));
        let mut lines: Vec<_> = kept.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["accept: a/b", "authorization: ***", "cookie: ***"]);
        assert_eq!(header_value("x-api-key", "x"), "***");
        assert_eq!(header_value("referer", "http://a:b@c/"), "http://a:***@c/");
        assert_eq!(header_value("accept", "a/b"), "a/b");
    }

    #[test]
    fn secret_variables_lose_their_values() {
        let sent = json!([
            {"name": "A", "value": "hidden", "type": "secretString"},
            {"name": "B", "value": "hidden"},
            {"name": "C", "value": "shown", "type": "string"},
            {"name": "D", "value": "", "type": "secretString"},
            {"name": "E", "value": {"deep": "hidden"}, "type": "other"},
            {"name": "F", "value": "hidden", "type": ["string"]},
            {"name": "G", "val": "hidden", "type": "string"},
            ["H", "hidden", "string", null],
        ]);
        let expected = json!([
            {"name": "A", "value": "***", "type": "secretString"},
            {"name": "B", "value": "***"},
            {"name": "C", "value": "shown", "type": "string"},
            {"name": "D", "value": "", "type": "secretString"},
            {"name": "E", "value": "***", "type": "other"},
            {"name": "F", "value": "***", "type": ["string"]},
            {"name": "G", "val": "***", "type": "string"},
            "***",
        ]);
        assert_eq!(redacted("/api/x/variables", &sent.to_string()), expected.to_string());
    }

    #[test]
    fn nothing_is_kept_of_variables_that_were_refused() {
        for sent in [
            r#"[{"name":"A","value":"x","type":"string","type":"secretString"}]"#,
            r#"[{"name":"A","value":"x","type":"string"}]"#,
            r#"[["A","x","secretString",null]]"#,
            r#"{"name":"A","value":"x"}"#,
            r#"[{"name":"A","value":"x"},]"#,
        ] {
            let kept = body("/api/x/variables", false, sent.as_bytes()).unwrap();
            assert_eq!((kept.text.as_str(), kept.is_json), ("\"***\"", true), "{sent}");
        }
        assert_eq!(redacted("/api/x/variables", r#"{"name":"A","value":"x"}"#), "\"***\"");
    }

    #[test]
    fn names_of_secrets_are_known_however_they_are_written() {
        for name in [
            "privateKey",
            "private_key",
            "PRIVATE-KEY",
            "jwt",
            "jwt_token",
            "client_assertion",
            "client_secret",
            "apikey",
            "api_key",
            "X-Api-Key",
            "pwd",
            "passwd",
            "PassWord",
            "token",
            "access_token",
            "secret",
            "passphrase",
            "bearer",
            "accessKey",
            "private key",
        ] {
            let sent = json!({"deep": [{name: "x"}]}).to_string();
            assert_eq!(redacted("/api/x", &sent), sent.replace("\"x\"", "\"***\""), "{name}");
            let written = name.replace(' ', "+");
            assert_eq!(query(&format!("{written}=x&a=b")), format!("{written}=***&a=b"));
            assert_eq!(redacted("/ims/exchange/jwt", &format!("a=b&{name}=x")), "***");
        }
        for name in ["commitId", "name", "keyword", "branch", "comment"] {
            assert_eq!(query(&format!("{name}=x")), format!("{name}=x"));
        }
    }

    #[test]
    fn values_are_redacted_whose_key_is_named_like_a_secret() {
        let sent = json!([{"key": "password", "value": "x"}, {"key": "colour", "value": "red"}]);
        let expected =
            json!([{"key": "password", "value": "***"}, {"key": "colour", "value": "red"}]);
        assert_eq!(redacted("/api/x", &sent.to_string()), expected.to_string());
        let sent = json!({"variables": [{"name": "A", "value": "x"}, ["B", "x"]], "other": 1});
        let expected = json!({"variables": [{"name": "A", "value": "***"}, "***"], "other": 1});
        assert_eq!(redacted("/api/x", &sent.to_string()), expected.to_string());
    }

    #[test]
    fn passwords_in_urls_are_redacted_everywhere() {
        let kept = query("a=b&url=http%3A%2F%2Fu%3Ahidden%40h%2F");
        assert_eq!(kept, "a=b&url=http%3A%2F%2Fu%3A***%40h%2F");
        for text in [
            "see http://u:hidden@h/ now",
            "url=http%3A%2F%2Fu%3Ahidden%40h%2F",
            "{a: 'http://u:hidden@h'",
        ] {
            assert_eq!(redacted("/api/x", text), "***");
        }
        assert_eq!(redacted("/api/x", "see http://u@h/ now"), "see http://u@h/ now");
    }

    #[test]
    fn bodies_in_other_encodings_are_not_kept() {
        let utf_16: Vec<u8> = "password=x".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let latin_1 = b"stra\xdfe".to_vec();
        for sent in [utf_16, latin_1, b"a\0b".to_vec()] {
            assert_eq!(body("/api/x", true, &sent).unwrap().text, "***");
        }
        assert_eq!(body("/api/x/variables/", false, b"[1]").unwrap().text, "\"***\"");
    }

    #[test]
    fn names_of_secrets_are_known_behind_escapes() {
        assert_eq!(redacted("/api/x", r#"{"p\u0061ssword":"x"}"#), r#"{"password":"***"}"#);
        assert_eq!(redacted("/api/x", r#"{"p\u0061ssword":"x",}"#), "***");
        assert_eq!(redacted("/ims/token/v3", "a=b&p%61ssword=x"), "***");
        assert_eq!(query("p%61ssword=x"), "password=***");
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
        assert!(!body("/api/x", true, b"{oops").unwrap().is_json);
        assert_eq!(body("/api/x", true, b""), None);
    }

    #[test]
    fn long_bodies_are_cut_after_their_secrets_are_gone() {
        let sent = json!({"a": "é".repeat(20_000), "z": {"password": "x"}}).to_string();
        let kept = body("/api/x", true, sent.as_bytes()).unwrap();
        assert!(kept.truncated && !kept.is_json && kept.text.len() <= LONGEST_BODY);
        let text = "é".repeat(20_000);
        let kept = body("/api/x", true, text.as_bytes()).unwrap();
        assert!(kept.truncated && kept.text.len() <= LONGEST_BODY);
    }

    #[test]
    fn parameters_that_are_named_like_tokens_lose_their_values() {
        assert_eq!(query("a=b&days=2&c"), "a=b&days=2&c");
        assert_eq!(query("a=b&t%6Fken=x&X-Signature=y"), "a=b&token=***&X-Signature=***");
    }
}
