//! Reading structures from documents in JSON or YAML.
//!
//! All bodies, seeds and scenarios are read here, so that the same rules hold for each: structures
//! are read only from objects, no name occurs twice, and error messages use the terms of JSON.

mod fault;
mod node;
mod reader;
#[cfg(test)]
mod tests;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::domain::invalid::InvalidField;
use fault::Fault;
use node::Node;

/// Reads a variant of an enum from its name, or returns a message that lists the allowed names.
pub fn read_word<T: DeserializeOwned>(word: &str) -> Result<T, String> {
    T::deserialize(reader::Reader { node: &Node::of_text(word), source: "" })
        .map_err(|Fault(field)| field.message)
}

/// A well-formed document.
#[derive(Debug)]
pub struct Document<'t> {
    root: Node,
    /// The text of a document in YAML.
    source: &'t str,
}

impl Document<'static> {
    /// Reads a text in JSON.
    pub fn from_json(text: &[u8]) -> Result<Self, serde_json::Error> {
        node::from_json(text).map(|root| Self { root, source: "" })
    }
}

impl<'t> Document<'t> {
    /// Reads a text in YAML, which includes JSON. The document then knows the lines of its fields.
    pub fn from_yaml(text: &'t str) -> Result<Self, InvalidField> {
        node::from_yaml(text).map(|root| Self { root, source: text })
    }

    /// Reads a structure, or returns the first wrong field.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, InvalidField> {
        let Self { root, source } = self;
        T::deserialize(reader::Reader { node: root, source }).map_err(|Fault(field)| field)
    }

    /// Returns whether it is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.root.is_object()
    }

    /// Returns whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.root.is_empty()
    }

    /// Returns the whole document as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.root.to_json()
    }

    /// Returns the line of a field such as `programs[0].kpis.responseTime`, or of the nearest thing
    /// around it that is there.
    #[must_use]
    pub fn line_of(&self, field: &str) -> Option<u64> {
        self.root.nearest(field).line()
    }

    /// Removes the smallest list item around a place, or else the top-level field. Returns `None`
    /// if there is no such part.
    pub fn leave_out(&mut self, place: &str) -> Option<()> {
        self.root.leave_out(place)
    }
}
