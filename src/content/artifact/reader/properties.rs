//! The properties of a content package: Java's XML format for properties.

use std::collections::BTreeMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::domain::build::PackageProperties;
use crate::domain::deployment::{Dependency, split_dependencies};

/// How deep elements may be nested: more than any of the format's.
const DEEPEST: usize = 16;

/// The most bytes of group, name and version.
const LONGEST: usize = 255;

/// The most dependencies of a package.
const MOST_DEPENDENCIES: usize = 1000;

/// Reads the properties of a package, or returns what is wrong.
pub(super) fn read(text: &[u8]) -> Result<PackageProperties, String> {
    let mut entries = entries(text)?;
    let mut take = |key: &str| {
        let value = entries.remove(key).unwrap_or_default().trim().to_owned();
        if value.len() > LONGEST || value.chars().any(char::is_control) {
            return Err(format!("{key} is too long or has control characters"));
        }
        Ok(value)
    };
    let (group, name, version) = (take("group")?, take("name")?, take("version")?);
    let dependencies = split_dependencies(&entries.remove("dependencies").unwrap_or_default());
    if dependencies.len() > MOST_DEPENDENCIES {
        return Err(format!("it has more than {MOST_DEPENDENCIES} dependencies"));
    }
    for dependency in &dependencies {
        let parsed = dependency.parse::<Dependency>();
        parsed.map_err(|problem| {
            format!("the dependency {}: {problem}", dependency.escape_debug())
        })?;
    }
    Ok(PackageProperties { group, name, version, dependencies })
}

/// Returns the entries by their keys; of several with one key, the last.
fn entries(text: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let mut reader = Reader::from_reader(text);
    let mut entries = BTreeMap::new();
    let mut depth = 0_usize;
    let mut open: Option<(String, String)> = None;
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        match event {
            Event::Start(element) => {
                depth += 1;
                if depth > DEEPEST {
                    return Err("its elements are nested too deeply".into());
                }
                open = key_of(&element)?.map(|key| (key, String::new()));
            }
            Event::Empty(element) => {
                entries.extend(key_of(&element)?.map(|key| (key, String::new())));
            }
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                entries.extend(open.take());
            }
            Event::Eof if depth > 0 => return Err("it ends inside an element".into()),
            Event::Eof => return Ok(entries),
            // A document type is skipped: nothing that it declares or refers to is read.
            Event::DocType(_) | Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            content => {
                let text = text_of(&content)?;
                if let Some((_, value)) = &mut open {
                    value.push_str(&text);
                }
            }
        }
    }
}

/// Returns the key of an entry; other elements have none.
fn key_of(element: &BytesStart<'_>) -> Result<Option<String>, String> {
    if element.name().as_ref() != b"entry" {
        return Ok(None);
    }
    let wrong = |error: &dyn std::fmt::Display| error.to_string();
    let key = element.try_get_attribute("key").map_err(|error| wrong(&error))?;
    let value = key.map(|key| key.normalized_value(XmlVersion::Explicit1_0).map(String::from));
    value.transpose().map_err(|error| wrong(&error))
}

/// Returns the text of a part of an element's content.
fn text_of(content: &Event<'_>) -> Result<String, String> {
    let wrong = |error: quick_xml::encoding::EncodingError| error.to_string();
    match content {
        Event::Text(text) => text.decode().map(String::from).map_err(wrong),
        Event::CData(text) => text.decode().map(String::from).map_err(wrong),
        Event::GeneralRef(reference) => {
            if let Some(char) = reference.resolve_char_ref().map_err(|error| error.to_string())? {
                return Ok(char.into());
            }
            let name = reference.decode().map_err(wrong)?;
            quick_xml::escape::resolve_xml_entity(&name)
                .map(str::to_owned)
                .ok_or_else(|| format!("the entity {} is not known", name.escape_debug()))
        }
        _ => Ok(String::new()),
    }
}
