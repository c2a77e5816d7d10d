//! A document as a tree, in which fields can be found by their path.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use serde_saphyr::Spanned;

use crate::domain::invalid::InvalidField;

/// A value of a document.
#[derive(Debug)]
pub(super) struct Node {
    pub content: Content<Node>,
    /// The line that it is on, in YAML.
    pub line: Option<u64>,
    /// The source text of a number or boolean in YAML. It is needed where a text is expected:
    /// `1.10` may be the name of a branch.
    written: Option<String>,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum Content<N> {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<N>),
    Object(Vec<(String, N)>),
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Json(Content<Json>);

#[derive(Deserialize)]
#[serde(transparent)]
struct Yaml(Spanned<Content<Yaml>>);

/// Reads JSON.
pub(super) fn from_json(text: &[u8]) -> Result<Node, serde_json::Error> {
    serde_json::from_slice(text).map(Json::into_node)
}

/// Reads YAML of any size. The limits of the library on aliases remain: a small document could
/// otherwise expand without bound.
pub(super) fn from_yaml(text: &str) -> Result<Node, InvalidField> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: usize::MAX,
            max_nodes: usize::MAX,
            max_total_scalar_bytes: usize::MAX,
        },
    };
    let mut field = String::new();
    serde_saphyr::with_deserializer_from_str_with_options(text, options, |deserializer| {
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            field = match error.path().to_string() {
                unknown if unknown == "." || unknown == "?" => String::new(),
                path => path.trim_end_matches(".?").replace(".value", ""),
            };
            error.into_inner()
        })
    })
    .map(|yaml: Yaml| match yaml.into_node(text) {
        // An empty document counts as an object without fields.
        Node { content: Content::Null, line, .. } => {
            Node { content: Content::Object(Vec::new()), line, written: None }
        }
        node => node,
    })
    .map_err(|error| syntax_error(&error, field))
}

fn syntax_error(error: &serde_saphyr::Error, field: String) -> InvalidField {
    let location = error.location();
    let mut message = error.without_snippet().to_string();
    if let Some(location) = location {
        // The field of the error has the line already.
        let position = format!(" at line {}, column {}", location.line(), location.column());
        message.truncate(message.trim_end_matches(&position).len());
    }
    // The library's advice is about its own Rust options, which users can't set.
    let message = message.split(", set DuplicateKeyPolicy").next().unwrap_or_default();
    let message = match message {
        several if several.contains("from_str_multiple") => "must be a single document",
        message => message,
    };
    InvalidField { line: location.map(|it| it.line()), ..InvalidField::new(field, message) }
}

impl Json {
    fn into_node(self) -> Node {
        let content = self.0.map(Self::into_node);
        Node { content, line: None, written: None }
    }
}

impl Yaml {
    fn into_node(self, text: &str) -> Node {
        let Spanned { value, referenced, defined } = self.0;
        let span = defined.span();
        let written = || {
            let (start, length) = (span.byte_offset()?, span.byte_len()?);
            let (start, length) = (usize::try_from(start).ok()?, usize::try_from(length).ok()?);
            text.get(start..start.checked_add(length)?).map(|text| text.trim().to_owned())
        };
        let written = match value {
            Content::Bool(_) | Content::Number(_) => written(),
            _ => None,
        };
        let content = value.map(|yaml| yaml.into_node(text));
        Node { content, line: Some(referenced.line()), written }
    }
}

impl<N> Content<N> {
    fn map<M>(self, mut convert: impl FnMut(N) -> M) -> Content<M> {
        match self {
            Self::Null => Content::Null,
            Self::Bool(value) => Content::Bool(value),
            Self::Number(number) => Content::Number(number),
            Self::Text(text) => Content::Text(text),
            Self::List(items) => Content::List(items.into_iter().map(convert).collect()),
            Self::Object(entries) => {
                let entries = entries.into_iter().map(|(name, value)| (name, convert(value)));
                Content::Object(entries.collect())
            }
        }
    }
}

impl Node {
    pub(super) fn of_text(text: &str) -> Self {
        Self { content: Content::Text(text.to_owned()), line: None, written: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        match &self.content {
            Content::Null => true,
            Content::Object(fields) => fields.is_empty(),
            _ => false,
        }
    }

    pub(super) fn is_object(&self) -> bool {
        matches!(self.content, Content::Object(_))
    }

    /// Returns the value as a text, if it can be read as one.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => self.written.as_deref(),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(value) => Value::Bool(*value),
            Content::Number(number) => Value::Number(number.clone()),
            Content::Text(text) => Value::String(text.clone()),
            Content::List(items) => items.iter().map(Self::to_json).collect(),
            Content::Object(entries) => {
                entries.iter().map(|(name, value)| (name.clone(), value.to_json())).collect()
            }
        }
    }

    /// Returns the value of a field such as `programs[0].kpis.responseTime`, or the nearest one
    /// around it that is there.
    pub(super) fn nearest(&self, field: &str) -> &Self {
        let (mut found, mut rest) = (self, field);
        while !rest.is_empty() {
            let inner = match &found.content {
                Content::Object(entries) => entries.iter().find_map(|(name, value)| {
                    // A name may contain dots, so the path is compared with the names that exist.
                    let after = rest.strip_prefix(name.as_str())?;
                    let ends = after.is_empty() || after.starts_with(['.', '[']);
                    ends.then(|| (value, after.strip_prefix('.').unwrap_or(after)))
                }),
                Content::List(items) => rest.strip_prefix('[').and_then(|rest| {
                    let (index, after) = rest.split_once(']')?;
                    let item = items.get(index.parse::<usize>().ok()?)?;
                    Some((item, after.strip_prefix('.').unwrap_or(after)))
                }),
                _ => None,
            };
            let Some((value, after)) = inner else { break };
            (found, rest) = (value, after);
        }
        found
    }

    fn child_mut(&mut self, part: &str) -> Option<&mut Self> {
        match &mut self.content {
            Content::Object(entries) => {
                entries.iter_mut().find(|(name, _)| name == part).map(|(_, value)| value)
            }
            Content::List(items) => items.get_mut(part.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// Removes the smallest list item around a place, or else the top-level field.
    pub(super) fn leave_out(&mut self, place: &str) -> Option<()> {
        let Some((item, _)) = place.rsplit_once(']') else {
            let field = place.split('.').next()?;
            let Content::Object(entries) = &mut self.content else { return None };
            let position = entries.iter().position(|(name, _)| name == field)?;
            entries.remove(position);
            return Some(());
        };
        let (list, index) = item.rsplit_once('[')?;
        let index: usize = index.parse().ok()?;
        let mut parts = list.split(['[', '.']).map(|part| part.trim_end_matches(']'));
        let found = parts.try_fold(self, |node, part| node.child_mut(part))?;
        let Content::List(items) = &mut found.content else { return None };
        (index < items.len()).then(|| _ = items.remove(index))
    }
}

impl<'de, N: Deserialize<'de>> Deserialize<'de> for Content<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyContent(std::marker::PhantomData))
    }
}

struct AnyContent<N>(std::marker::PhantomData<N>);

impl<'de, N: Deserialize<'de>> Visitor<'de> for AnyContent<N> {
    type Value = Content<N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content<N>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Content::Object(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content<N>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Content::List(items))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Content<N>, E> {
        Ok(Content::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Content<N>, E> {
        Ok(Content::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Content<N>, E> {
        Ok(Content::Number(number.into()))
    }

    /// Numbers that JSON doesn't have, such as YAML's `.inf`, become texts.
    fn visit_f64<E>(self, number: f64) -> Result<Content<N>, E> {
        let text = || Content::Text(number.to_string());
        Ok(Number::from_f64(number).map_or_else(text, Content::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Content<N>, E> {
        Ok(Content::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Content<N>, E> {
        Ok(Content::Text(text))
    }

    fn visit_unit<E>(self) -> Result<Content<N>, E> {
        Ok(Content::Null)
    }

    fn visit_none<E>(self) -> Result<Content<N>, E> {
        Ok(Content::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Content<N>, D::Error> {
        Content::deserialize(inner)
    }
}
