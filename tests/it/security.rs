//! The promises of SECURITY.md are kept by tests that exist.

use std::collections::BTreeSet;
use std::path::Path;

/// The names of all functions in the Rust files of a directory.
fn functions_in(directory: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions_in(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(path).unwrap();
            let functions = text.lines().filter_map(|line| line.trim_start().split_once("fn "));
            let names = functions.filter_map(|(_, rest)| rest.split_once('('));
            found.extend(names.map(|(name, _)| name.to_owned()));
        }
    }
}

#[test]
fn every_promise_names_tests_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut functions = BTreeSet::new();
    for directory in ["tests", "src"] {
        functions_in(&root.join(directory), &mut functions);
    }
    let text = include_str!("../../SECURITY.md");
    let (_, promises) = text.split_once("|---|---|\n").unwrap();
    for promise in promises.lines() {
        let (_, tests) = promise.trim_matches('|').split_once('|').unwrap();
        let names = tests.split('`').skip(1).step_by(2).filter(|name| !name.contains('/'));
        let names: Vec<_> = names.collect();
        assert!(!names.is_empty(), "{promise}");
        for name in names {
            assert!(functions.contains(name), "there is no test {name}");
        }
    }
}
