//! docs/coverage.md lists the operations of Cloud Manager that are there, and those that are absent.

use std::collections::BTreeSet;

use crate::description;
use crate::official;

const DOCUMENT: &str = include_str!("../../docs/coverage.md");

/// The operations of a part of the document, each as method, path and identifier.
fn listed(part: &'static str) -> BTreeSet<(String, &'static str, &'static str)> {
    let rows = part.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let [_, id, _, operation, _] = row.split('`').collect::<Vec<_>>()[..] else {
            panic!("{row}")
        };
        let (method, path) = operation.split_once(' ').unwrap();
        (method.to_lowercase(), path, id)
    })
    .collect()
}

#[test]
fn the_document_lists_what_is_there_and_what_is_absent() {
    let (there, absent) = DOCUMENT.split_once("\n## What is absent\n").unwrap();
    let (there, absent) = (listed(there), listed(absent));

    let official = official::operations();
    let has: BTreeSet<_> =
        official.iter().map(|it| (it.method.to_owned(), it.path.as_str(), it.id)).collect();
    assert_eq!(there, has);
    for (method, path, id) in &absent {
        let item = &description::DOCUMENT["paths"][*path];
        assert!(item.get(method).is_none(), "{id} is there");
    }
    let (has, of) = (there.len(), there.len() + absent.len());
    assert!(DOCUMENT.contains(&format!("{has} of the {of} in Adobe's API description")));
}
