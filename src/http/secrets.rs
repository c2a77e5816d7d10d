//! What must not be told: values that are named as secrets are.

/// What stands in place of a secret.
pub const REDACTED: &str = "***";

/// Whether a name, or anything in a text, is called as secrets are.
#[must_use]
pub fn names_a_secret(name: &str) -> bool {
    let name: String = name.chars().filter(|c| !matches!(c, '_' | '-')).collect();
    let name = name.to_ascii_lowercase();
    ["secret", "password", "token", "signature", "authorization", "credential"]
        .iter()
        .any(|word| name.contains(word))
}
