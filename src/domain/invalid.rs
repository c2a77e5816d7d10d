//! What is wrong with what was sent: one field, and all of them.

use serde_json::Value;

/// A field that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct InvalidField {
    /// Where it is, for example `metrics[0].kpi`; empty for the whole of what was sent.
    pub field: String,
    /// What is expected.
    pub message: String,
    /// What was sent; nothing for a missing field.
    pub invalid_value: Option<Value>,
}

impl InvalidField {
    /// A field that is wrong, with what was sent, if anything was.
    pub fn new(field: &str, message: impl Into<String>, sent: Option<&Value>) -> Self {
        Self { field: field.into(), message: message.into(), invalid_value: sent.cloned() }
    }
}
