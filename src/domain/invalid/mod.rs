//! Wrong fields in what was sent, and how all of them are collected.

mod words;

use std::fmt;

use serde_json::Value;

pub use words::{one_of, unknown};

/// The maximum number of invalid fields that are reported.
pub const MOST: usize = 100;

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
    /// Returns the value that `check` produces, or the invalid fields that it reported, at most the
    /// first [`MOST`].
    ///
    /// If `check` returns `None`, it must have reported at least one field.
    pub fn collect<T>(check: impl FnOnce(&mut Place<'_>) -> Option<T>) -> Result<T, Self> {
        let mut found = Found::default();
        let made = check(&mut Place { found: &mut found, path: String::new() });
        let Found { mut fields, count } = found;
        if count > MOST {
            let message = format!("has {count} mistakes; these are the first {MOST}");
            fields.push(InvalidField::new("", message).with_value(""));
        }
        made.filter(|_| fields.is_empty()).ok_or(Self(fields))
    }
}

/// The wrong fields found so far.
#[derive(Debug, Default)]
struct Found {
    /// The first [`MOST`] of them: a large document with the same mistake everywhere would take
    /// more memory and time to answer than to read.
    fields: Vec<InvalidField>,
    /// How many there are.
    count: usize,
}

/// A place in what was sent, at which wrong fields are reported.
#[derive(Debug)]
pub struct Place<'f> {
    found: &'f mut Found,
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
        self.found.count += 1;
        if self.found.fields.len() < MOST {
            self.found.fields.push(field.inside(&self.path));
        }
    }

    /// Reports what is wrong with a field inside this place.
    pub fn wrong(&mut self, field: &str, message: impl Into<String>) {
        self.report(InvalidField::new(field, message));
    }

    /// Returns how many fields have been found wrong so far, here and elsewhere.
    #[must_use]
    pub fn count(&self) -> usize {
        self.found.count
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_wrong_fields_are_told() {
        let collect = |count: usize| {
            InvalidFields::collect(|place| {
                (0..count).for_each(|n| place.wrong(&format!("[{n}]"), "is wrong"));
                Some(())
            })
        };
        assert_eq!(collect(0), Ok(()));
        let all = collect(MOST).unwrap_err();
        assert_eq!((all.0.len(), all.0[MOST - 1].field.as_str()), (MOST, "[99]"));
        let InvalidFields(some) = collect(1_000_000).unwrap_err();
        assert_eq!(some.len(), MOST + 1);
        assert_eq!(some[MOST].message, "has 1000000 mistakes; these are the first 100");
    }
}
