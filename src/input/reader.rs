//! A serde deserializer over a document. It exists because serde's own messages speak of Rust
//! types.

use std::collections::BTreeSet;
use std::iter::Enumerate;
use std::slice::Iter;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::fault::Fault;
use super::node::{Content, Node};

/// A value that is read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'d> {
    pub node: &'d Node,
    /// The text of the document.
    pub source: &'d str,
}

/// Reads whole numbers of a type, within its limits.
macro_rules! whole_numbers {
    ($($method:ident $visit:ident $as:ident $type:ident $words:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match &self.node.content {
                Content::Number(number) => {
                    let number = number.$as().and_then(|number| $type::try_from(number).ok());
                    number.map_or_else(|| Err(Fault::expected($words)), |it| visitor.$visit(it))
                }
                _ => Err(Fault::expected($words)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.content {
            Content::Null => visitor.visit_unit(),
            Content::Bool(value) => visitor.visit_bool(*value),
            Content::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, Some(number)) => visitor.visit_i64(number),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Content::Text(text) => visitor.visit_str(text),
            Content::List(items) => visitor.visit_seq(self.items(items)),
            Content::Object(entries) => visitor.visit_map(self.entries(entries)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.node.content {
            Content::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.node.content {
            Content::Bool(value) => visitor.visit_bool(value),
            _ => Err(Fault::expected("true or false")),
        }
    }

    whole_numbers! {
        deserialize_i8 visit_i8 as_i64 i8 "a whole number from -128 to 127";
        deserialize_i16 visit_i16 as_i64 i16 "a whole number from -32768 to 32767";
        deserialize_i32 visit_i32 as_i64 i32 "a whole number from -2147483648 to 2147483647";
        deserialize_i64 visit_i64 as_i64 i64 "a whole number with at most 18 digits";
        deserialize_u8 visit_u8 as_u64 u8 "a whole number from 0 to 255";
        deserialize_u16 visit_u16 as_u64 u16 "a whole number from 0 to 65535";
        deserialize_u32 visit_u32 as_u64 u32 "a whole number from 0 to 4294967295";
        deserialize_u64 visit_u64 as_u64 u64 "a whole number, 0 or more, with at most 19 digits";
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.content {
            Content::Number(number) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            _ => Err(Fault::expected("a number")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.node.text(self.source) {
            Some(text) => visitor.visit_str(text),
            None => Err(Fault::expected("a string")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.node.text(self.source) {
            Some(word) => visitor.visit_enum(word.into_deserializer()),
            None => Err(Fault::not_one_of("", variants)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.content {
            Content::List(items) => visitor.visit_seq(self.items(items)),
            _ => Err(Fault::expected("an array")),
        }
    }

    /// Reads an object. serde would also accept a list, as a structure whose fields have no names;
    /// that would hide mistakes.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.content {
            Content::Object(entries) => visitor.visit_map(self.entries(entries)),
            _ => Err(Fault::expected("an object")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_map(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

impl<'d> Reader<'d> {
    fn items(self, items: &'d [Node]) -> Items<'d> {
        Items { left: items.iter().enumerate(), source: self.source }
    }

    fn entries(self, entries: &'d [(Box<str>, Node)]) -> Entries<'d> {
        let (left, names) = (entries.iter(), BTreeSet::new());
        Entries { left, current: None, names, source: self.source }
    }
}

/// The items of a list.
struct Items<'d> {
    left: Enumerate<Iter<'d, Node>>,
    source: &'d str,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some((index, node)) = self.left.next() else { return Ok(None) };
        let read = seed.deserialize(Reader { node, source: self.source });
        read.map(Some).map_err(|fault| fault.inside(&format!("[{index}]")))
    }

    fn size_hint(&self) -> Option<usize> {
        self.left.size_hint().1
    }
}

/// The fields of an object.
struct Entries<'d> {
    left: Iter<'d, (Box<str>, Node)>,
    /// The field whose value is next.
    current: Option<&'d (Box<str>, Node)>,
    names: BTreeSet<&'d str>,
    source: &'d str,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        self.current = self.left.next();
        let Some((name, _)) = self.current else { return Ok(None) };
        if !self.names.insert(name) {
            let fault: Fault = serde::de::Error::custom("is given more than once");
            return Err(fault.inside(name));
        }
        let name: StrDeserializer<'_, Fault> = (**name).into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        let (name, node) = self.current.ok_or_else(|| Fault::expected("an object"))?;
        let reader = Reader { node, source: self.source };
        seed.deserialize(reader).map_err(|fault| fault.inside(name))
    }
}
