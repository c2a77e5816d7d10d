//! Finds all mistakes of structure in a document. serde stops at the first one, so the document is
//! read again and again, each time without the part that had the last mistake.

use std::collections::{BTreeMap, BTreeSet};

use super::document::SeedDocument;
use crate::domain::invalid::{InvalidField, InvalidFields};
use crate::input::Document;

/// How many mistakes are reported at most: each one costs another reading of the document.
const MOST: usize = 50;

/// Returns all fields of a document that have a wrong structure, in the order of their lines. The
/// first one is known.
pub(super) fn collect_all(first: InvalidField, document: Document<'_>) -> InvalidFields {
    let mut place = first.field.clone();
    let in_document = |field: InvalidField, document: &Document<'_>| {
        let line = document.line_of(&field.field);
        InvalidField { line, ..field }
    };
    let mut fields = vec![in_document(first, &document)];
    let mut rest = Rest { document, left_out: BTreeMap::new() };
    while fields.len() < MOST && rest.leave_out(&place).is_some() {
        let Err(wrong) = rest.document.read::<SeedDocument>() else { break };
        let found = in_document(wrong, &rest.document);
        let field = rest.in_whole_document(&found.field);
        place = found.field;
        fields.push(InvalidField { field, ..found });
    }
    fields.sort_by_key(|field| field.line);
    InvalidFields(fields)
}

/// What is left of a document.
struct Rest<'t> {
    document: Document<'t>,
    /// The positions of the removed items, by the place of their list in the whole document. With
    /// them, places in the rest are translated back.
    left_out: BTreeMap<String, BTreeSet<usize>>,
}

impl Rest<'_> {
    /// Removes the smallest part around a place that can be removed. Returns `None` if there is
    /// none.
    fn leave_out(&mut self, place: &str) -> Option<()> {
        let item = place.rfind(']').map(|end| self.in_whole_document(&place[..=end]));
        self.document.leave_out(place)?;
        if let Some(item) = item {
            let (list, index) = item.trim_end_matches(']').rsplit_once('[')?;
            self.left_out.entry(list.to_owned()).or_default().insert(index.parse().ok()?);
        }
        Some(())
    }

    /// Translates a place in the rest into one in the whole document.
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
