//! A document as a tree, in which fields can be found by their path.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use serde_path_to_error::{Path, Segment};
use serde_saphyr::Spanned;
use serde_saphyr::budget::BudgetBreach;

use crate::domain::invalid::InvalidField;

/// How deep lists and objects may be nested in YAML. Seeds need about twelve levels; many more would
/// overflow the stack.
const DEEPEST: usize = 32;

/// The most values in a document in YAML. Each takes about 100 bytes.
const MOST_VALUES: usize = 4_000_000;

/// How many values aliases may add to a document that is small.
const MOST_SMALL_VALUES: usize = 10_000;

/// How many bytes of text a document may have that is small, with those that aliases add.
const MOST_SMALL_BYTES: usize = 256 * 1024;

/// A value of a document.
#[derive(Debug)]
pub(super) struct Node {
    pub content: Content<Node>,
    /// The line that it is on, in YAML; 0 in JSON.
    line: u32,
    /// Where a number or boolean is in the text, in YAML. Where a text is expected, its source is
    /// needed: `1.10` may be the name of a branch.
    written: Span,
}

/// A part of a text: its first byte and its length. Offsets of 32 bits keep nodes small, and are
/// enough for every text whose nodes fit into memory.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    length: u32,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum Content<N> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
    List(Vec<N>),
    Object(Vec<(Box<str>, N)>),
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Json(Content<Json>);

/// A node of YAML. Its children have the layout of nodes, so that lists become lists of nodes in
/// place.
struct Yaml(Node);

/// Reads JSON.
pub(super) fn from_json(text: &[u8]) -> Result<Node, serde_json::Error> {
    serde_json::from_slice(text).map(Json::into_node)
}

/// Reads YAML.
pub(super) fn from_yaml(text: &str) -> Result<Node, InvalidField> {
    let mut field = String::new();
    serde_saphyr::with_deserializer_from_str_with_options(text, limits(text), |deserializer| {
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            field = field_of(error.path());
            error.into_inner()
        })
    })
    .map(|Yaml(node)| match node {
        // An empty document counts as an object without fields.
        Node { content: Content::Null, line, written } => {
            Node { content: Content::Object(Vec::new()), line, written }
        }
        node => node,
    })
    .map_err(|error| syntax_error(&error, field))
}

/// Returns the limits for a text. What aliases add is limited to a small multiple of the text:
/// otherwise a small document could take any amount of memory.
fn limits(text: &str) -> serde_saphyr::Options {
    let values = MOST_SMALL_VALUES.saturating_add(text.len() / 4);
    let bytes = MOST_SMALL_BYTES.saturating_add(text.len().saturating_mul(4));
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEEPEST,
            flow_nesting_limit: DEEPEST,
            max_events: usize::MAX,
            max_nodes: MOST_VALUES,
            max_total_scalar_bytes: bytes,
            max_recorded_anchor_events: values,
            max_recorded_anchor_bytes: bytes,
            // One template may be used by many pipelines; the other limits hold for that, too.
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: values,
        },
    }
}

/// Returns the field that a path means. Every second part of the path is a field of the library's
/// `Spanned`.
fn field_of(path: &Path) -> String {
    let mut field = String::new();
    for part in path.iter().skip(1).step_by(2) {
        match part {
            Segment::Seq { index } => field.extend(["[", &index.to_string(), "]"]),
            Segment::Map { key } if field.is_empty() => field += key,
            Segment::Map { key } => field.extend([".", key]),
            Segment::Enum { .. } | Segment::Unknown => break,
        }
    }
    field
}

fn syntax_error(error: &serde_saphyr::Error, field: String) -> InvalidField {
    let location = error.location();
    let line = location.map(|it| it.line());
    if let Some(limit) = exceeded_limit(error.without_snippet()) {
        return InvalidField { line, ..InvalidField::new("", limit) };
    }
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
    InvalidField { line, ..InvalidField::new(field, message) }
}

/// Returns which limit is exceeded, if that is the error.
fn exceeded_limit(error: &serde_saphyr::Error) -> Option<String> {
    let is_deep = match error {
        serde_saphyr::Error::Budget { breach, .. } => matches!(breach, BudgetBreach::Depth { .. }),
        serde_saphyr::Error::AliasReplayLimitExceeded { .. } => false,
        serde_saphyr::Error::AliasError { error, .. } => return exceeded_limit(error),
        // The parser's own limit has no variant.
        other if other.to_string().starts_with("recursion limit exceeded") => true,
        _ => return None,
    };
    Some(if is_deep {
        format!("must not be nested more than {DEEPEST} levels deep")
    } else {
        "has too many values, or too much text, with what its aliases repeat".to_owned()
    })
}

impl Json {
    fn into_node(self) -> Node {
        Node { content: self.0.map(Self::into_node), line: 0, written: Span::default() }
    }
}

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, defined } =
            Spanned::<Content<Self>>::deserialize(deserializer)?;
        let line = u32::try_from(referenced.line()).unwrap_or_default();
        let written = match value {
            Content::Bool(_) | Content::Number(_) => Span::of(defined.span()).unwrap_or_default(),
            _ => Span::default(),
        };
        Ok(Self(Node { content: value.map(|Self(node)| node), line, written }))
    }
}

impl Span {
    fn of(span: serde_saphyr::Span) -> Option<Self> {
        let start = u32::try_from(span.byte_offset()?).ok()?;
        let length = u32::try_from(span.byte_len()?).ok()?;
        Some(Self { start, length })
    }

    /// Returns the part of the text. A part that is empty says that there is none.
    fn of_text(self, text: &str) -> Option<&str> {
        let (start, length) =
            (usize::try_from(self.start).ok()?, usize::try_from(self.length).ok()?);
        text.get(start..start.checked_add(length)?).map(str::trim).filter(|part| !part.is_empty())
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
        Self { content: Content::Text(text.into()), line: 0, written: Span::default() }
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

    /// Returns the line that it is on, if it is known.
    pub(super) fn line(&self) -> Option<u64> {
        (self.line > 0).then_some(self.line.into())
    }

    /// Returns the value as a text, if it can be read as one. `source` is the text of the document.
    pub(super) fn text<'n>(&'n self, source: &'n str) -> Option<&'n str> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => self.written.of_text(source),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(value) => Value::Bool(*value),
            Content::Number(number) => Value::Number(number.clone()),
            Content::Text(text) => Value::String(text.to_string()),
            Content::List(items) => items.iter().map(Self::to_json).collect(),
            Content::Object(entries) => {
                entries.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect()
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
                    let after = rest.strip_prefix(&**name)?;
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
                entries.iter_mut().find(|(name, _)| **name == *part).map(|(_, value)| value)
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
            let position = entries.iter().position(|(name, _)| **name == *field)?;
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
        entries.shrink_to_fit();
        Ok(Content::Object(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content<N>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        items.shrink_to_fit();
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
        let text = || Content::Text(number.to_string().into());
        Ok(Number::from_f64(number).map_or_else(text, Content::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Content<N>, E> {
        Ok(Content::Text(text.into()))
    }

    fn visit_string<E>(self, text: String) -> Result<Content<N>, E> {
        Ok(Content::Text(text.into()))
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
