//! Redaction: removing values whose names sound like secrets.

use std::borrow::Cow;

use serde_json::Value;

use crate::domain::webhook::without_password;

/// What stands in place of a secret.
pub const REDACTED: &str = "***";

/// Parts of names of secrets, in lower case and without `_`, `-` and spaces.
const SECRETS: [&str; 15] = [
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
    "accesskey",
    "passphrase",
    "bearer",
];

/// Returns whether a name, or anything in a text, sounds like a secret.
#[must_use]
pub fn names_a_secret(name: &str) -> bool {
    let name: String =
        name.chars().filter(|c| !(matches!(c, '_' | '-') || c.is_whitespace())).collect();
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

/// Removes the values of fields that are named like secrets, values of secret variables, values
/// whose `key` is named like a secret, and passwords and tokens of files in URLs.
pub fn redact(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::Object(object) => {
            let is_public_variable = object.get("type").is_some_and(|kind| kind == "string");
            let is_variable = object.contains_key("name") || object.contains_key("type");
            let key = object.get("key").and_then(Value::as_str);
            let is_secret_pair = key.is_some_and(names_a_secret);
            let is_secret_value = is_variable && !is_public_variable || is_secret_pair;
            for (name, value) in object {
                let secret = names_a_secret(name) || name == "value" && is_secret_value;
                // An empty value is no secret: it deletes a variable.
                if secret && !matches!(value.as_str(), Some("")) && !value.is_null() {
                    *value = REDACTED.into();
                } else if name == "variables" {
                    keep_public_variables(value);
                } else {
                    redact(value);
                }
            }
        }
        // The address of a file lets everybody read it.
        Value::String(text) if text.starts_with("http") && text.contains("/files/") => {
            *text = without_token(text).into_owned();
        }
        Value::String(text) => *text = without_password(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Removes from a list of variables whatever is not known to be public: values of variables whose
/// type is not `string`, and unknown fields.
pub fn keep_public_variables(body: &mut Value) {
    let Value::Array(variables) = body else { return *body = REDACTED.into() };
    for variable in variables {
        let Value::Object(fields) = variable else {
            *variable = REDACTED.into();
            continue;
        };
        let is_public = fields.get("type").is_some_and(|kind| kind == "string");
        for (name, value) in fields {
            let keep = match name.as_str() {
                "name" | "type" | "service" => true,
                // An empty value is no secret: it deletes a variable.
                "value" => is_public || value.is_null() || value == "",
                _ => false,
            };
            if !keep {
                *value = REDACTED.into();
            }
        }
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
