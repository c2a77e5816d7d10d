//! The mistakes of shape after the first one. Reading stops at each; it goes on without the part of
//! the document that has it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Mistake;
use super::document::SeedDocument;
use super::locate::Locations;

/// How many mistakes of shape are told at most: each is found by reading once more.
const MOST: usize = 50;

/// The mistakes of shape in a text, of which the first is known; in the order of their lines.
pub(super) fn mistakes_from(first: Mistake, text: &str) -> Vec<Mistake> {
    let mut place = first.field.clone();
    let mut mistakes = vec![first];
    let document = super::as_json(text);
    let (Some(document), Some(locations)) = (document, Locations::of(text)) else {
        return mistakes;
    };
    let mut rest = Rest { document, left_out: BTreeMap::new() };
    while mistakes.len() < MOST && rest.leave_out(&place).is_some() {
        let read = super::parse::<SeedDocument>(&rest.document.to_string());
        let Err(mistake) = read else { break };
        let field = rest.in_whole_document(&mistake.field);
        place = mistake.field;
        let line = Some(locations.line(&field));
        mistakes.push(Mistake { line, field, message: mistake.message });
    }
    mistakes.sort_by_key(|mistake| mistake.line);
    mistakes
}

/// What is left of a document.
struct Rest {
    document: Value,
    /// The items that are not there any more, by the place of their list in the whole document.
    left_out: BTreeMap<String, BTreeSet<usize>>,
}

impl Rest {
    /// Leaves out the smallest item of a list around a place, or else the document's field; nothing
    /// if there is no such part.
    fn leave_out(&mut self, place: &str) -> Option<()> {
        let Some((item, _)) = place.rsplit_once(']') else {
            let field = place.split('.').next()?;
            return self.document.as_object_mut()?.remove(field).map(|_| ());
        };
        let (list, index) = item.rsplit_once('[')?;
        let index: usize = index.parse().ok()?;
        let whole = self.in_whole_document(&format!("{item}]"));
        let (whole_list, whole_index) = whole.trim_end_matches(']').rsplit_once('[')?;
        let pointer = format!("/{}", list.replace(']', "").replace(['[', '.'], "/"));
        let items = self.document.pointer_mut(&pointer)?.as_array_mut()?;
        if index >= items.len() {
            return None;
        }
        items.remove(index);
        let left_out = self.left_out.entry(whole_list.to_owned()).or_default();
        left_out.insert(whole_index.parse().ok()?);
        Some(())
    }

    /// A place of this rest as it is called in the whole document.
    fn in_whole_document(&self, place: &str) -> String {
        let mut whole = String::new();
        for part in place.split_inclusive(']') {
            let (name, index) = match part.trim_end_matches(']').rsplit_once('[') {
                Some((name, index)) if part.ends_with(']') => (name, index.parse::<usize>()),
                _ => {
                    whole += part;
                    continue;
                }
            };
            whole += name;
            let gone = self.left_out.get(&whole).into_iter().flatten();
            let index = index.map(|index| {
                gone.fold(index, |index, gone| if *gone <= index { index + 1 } else { index })
            });
            whole += &index.map_or_else(|_| "[]".to_owned(), |index| format!("[{index}]"));
        }
        whole
    }
}
