//! Wrong fields in what was sent, and how all of them are collected.

mod words;

use std::fmt;

use serde_json::Value;

pub use words::{one_of, unknown};

/// A field that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct InvalidField {
    /// Where it is, for example `metrics[0].kpi`; empty for the whole of what was sent.
    pub field: String,
    /// What is expected.
    pub message: String,
    /// What was sent; nothing for a missing field, or if it is looked up where it was sent.
    pub invalid_value: Option<Value>,
    /// The line of the document that it is on, counted from 1, if known.
    pub line: Option<u64>,
}

impl InvalidField {
    /// Returns a field that is wrong.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into(), invalid_value: None, line: None }
    }

    /// Returns the same with what was sent.
    #[must_use]
    pub fn with_value(self, value: impl Into<Value>) -> Self {
        Self { invalid_value: Some(value.into()), ..self }
    }

    /// Returns the same inside a field.
    #[must_use]
    pub fn inside(self, parent: &str) -> Self {
        Self { field: join(parent, &self.field), ..self }
    }
}

impl fmt::Display for InvalidField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

/// All fields that are wrong.
#[derive(Clone, Debug, Default, PartialEq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct InvalidFields(pub Vec<InvalidField>);

impl From<InvalidField> for InvalidFields {
    fn from(field: InvalidField) -> Self {
        Self(vec![field])
    }
}

impl IntoIterator for InvalidFields {
    type Item = InvalidField;
    type IntoIter = std::vec::IntoIter<InvalidField>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl InvalidFields {
    /// Returns what `check` makes, or every field that it found wrong on the way.
    ///
    /// A check that makes nothing has found something wrong.
    pub fn collect<T>(check: impl FnOnce(&mut Place<'_>) -> Option<T>) -> Result<T, Self> {
        let mut found = Vec::new();
        let made = check(&mut Place { found: &mut found, path: String::new() });
        made.filter(|_| found.is_empty()).ok_or(Self(found))
    }
}

/// A place in what was sent, at which wrong fields are reported.
#[derive(Debug)]
pub struct Place<'f> {
    found: &'f mut Vec<InvalidField>,
    path: String,
}

impl Place<'_> {
    /// Returns a place inside this one, for example `phases[0]`.
    pub fn at(&mut self, field: &str) -> Place<'_> {
        let path = join(&self.path, field);
        Place { found: &mut *self.found, path }
    }

    /// Reports a field inside this place.
    pub fn report(&mut self, field: InvalidField) {
        let field = field.inside(&self.path);
        self.found.push(field);
    }

    /// Reports what is wrong with a field inside this place.
    pub fn wrong(&mut self, field: &str, message: impl Into<String>) {
        self.report(InvalidField::new(field, message));
    }

    /// Returns how many fields have been found wrong so far, here and elsewhere.
    #[must_use]
    pub fn count(&self) -> usize {
        self.found.len()
    }
}

/// Returns the path of a field inside a parent.
fn join(parent: &str, field: &str) -> String {
    if parent.is_empty() || field.is_empty() || field.starts_with('[') {
        format!("{parent}{field}")
    } else {
        format!("{parent}.{field}")
    }
}
