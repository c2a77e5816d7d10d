//! Where in a text a field is.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// A value of a document, as far as finding fields in it goes.
enum Node {
    Map(Vec<(String, Spanned<Node>)>),
    List(Vec<Spanned<Node>>),
    Scalar,
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyNode;

        impl<'de> Visitor<'de> for AnyNode {
            type Value = Node;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Node::Map(entries))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Node::List(items))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_str<E>(self, _: &str) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_none<E>(self) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Node, D::Error> {
                IgnoredAny::deserialize(inner).map(|_| Node::Scalar)
            }
        }

        deserializer.deserialize_any(AnyNode)
    }
}

/// The text as a tree in which fields can be found; none if it is no document.
pub(super) struct Locations(Spanned<Node>);

impl Locations {
    /// Reads a text in YAML or JSON.
    pub(super) fn of(text: &str) -> Option<Self> {
        serde_saphyr::from_str_with_options(text, super::reading()).map(Self).ok()
    }

    /// The line of a field such as `programs[0].kpis.responseTime`, or of the nearest thing around
    /// it that is there.
    pub(super) fn line(&self, field: &str) -> u64 {
        let mut found = &self.0;
        let mut rest = field;
        while !rest.is_empty() {
            let inner = match &found.value {
                Node::Map(entries) => entries.iter().find_map(|(name, value)| {
                    // Names may have dots in them: the text decides which is meant.
                    let after = rest.strip_prefix(name.as_str())?;
                    let ends = after.is_empty() || after.starts_with(['.', '[']);
                    ends.then(|| (value, after.trim_start_matches('.')))
                }),
                Node::List(items) => rest.strip_prefix('[').and_then(|rest| {
                    let (index, after) = rest.split_once(']')?;
                    let item = items.get(index.parse::<usize>().ok()?)?;
                    Some((item, after.trim_start_matches('.')))
                }),
                Node::Scalar => None,
            };
            let Some((value, after)) = inner else { break };
            (found, rest) = (value, after);
        }
        found.referenced.line()
    }
}
