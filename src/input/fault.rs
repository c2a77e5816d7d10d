//! Why a structure can't be read, in terms of JSON, which users know, and not of Rust.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use crate::domain::invalid::{InvalidField, one_of, unknown};

/// The first field of a structure that is wrong.
#[derive(Debug)]
pub(super) struct Fault(pub InvalidField);

impl Fault {
    /// Returns the fault of a value that is not what is expected, for example `a text`.
    pub(super) fn expected(what: impl fmt::Display) -> Self {
        Self(InvalidField::new("", format!("must be {what}")))
    }

    /// Returns the fault of a word that is not one of these.
    pub(super) fn not_one_of(word: &str, allowed: &[&str]) -> Self {
        Self(InvalidField::new("", one_of(word, allowed)))
    }

    /// Returns the same fault, inside a field.
    pub(super) fn inside(self, parent: &str) -> Self {
        Self(self.0.inside(parent))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(InvalidField::new("", message.to_string()))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expected(expected)
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expected(expected)
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::expected(expected)
    }

    fn unknown_variant(word: &str, allowed: &'static [&'static str]) -> Self {
        Self::not_one_of(word, allowed)
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self(InvalidField::new(name, unknown("field", name, known)))
    }

    fn missing_field(name: &'static str) -> Self {
        Self(InvalidField::new(name, "is missing"))
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self(InvalidField::new(name, "is given more than once"))
    }
}
