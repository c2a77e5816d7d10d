//! Redaction: removing values whose names sound like secrets.

use std::borrow::Cow;

use serde_json::Value;

use crate::domain::webhook::without_password;

/// What stands in place of a secret.
pub const REDACTED: &str = "***";

/// Parts of names of secrets, in lower case and without `_` and `-`.
const SECRETS: [&str; 12] = [
    "secret",
    "password",
    "passwd",
    "pwd",
    "token",
    "jwt",
    "assertion",
    "signature",
    "authorization",
    "credential",
    "privatekey",
    "apikey",
];

/// Returns whether a name, or anything in a text, sounds like a secret.
#[must_use]
pub fn names_a_secret(name: &str) -> bool {
    let name: String = name.chars().filter(|c| !matches!(c, '_' | '-')).collect();
    let name = name.to_ascii_lowercase();
    SECRETS.iter().any(|word| name.contains(word))
}

/// Returns a path without the token that names a file.
#[must_use]
pub fn without_token(path: &str) -> Cow<'_, str> {
    match path.split_once("/files/") {
        Some((before, _)) => format!("{before}/files/{REDACTED}").into(),
        None => path.into(),
    }
}

/// Removes the values of fields that are named like secrets, values of secret variables, and
/// passwords in URLs.
pub fn redact(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::Object(object) => {
            let is_public_variable = object.get("type").is_some_and(|kind| kind == "string");
            let is_variable = object.contains_key("name") || object.contains_key("type");
            for (name, value) in object {
                let secret =
                    names_a_secret(name) || name == "value" && is_variable && !is_public_variable;
                // An empty value is no secret: it deletes a variable.
                if secret && !matches!(value.as_str(), Some("")) && !value.is_null() {
                    *value = REDACTED.into();
                } else {
                    redact(value);
                }
            }
        }
        Value::String(text) => *text = without_password(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_files_are_left_out() {
        assert_eq!(without_token("/files/abc"), "/files/***");
        assert_eq!(without_token("/x/files/abc/def"), "/x/files/***");
        assert_eq!(without_token("/api/programs"), "/api/programs");
    }
}
