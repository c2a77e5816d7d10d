//! The modules know only those that they may know.

use std::fs;
use std::path::{Path, PathBuf};

/// For each module, those that it may use.
const MAY_USE: [(&str, &[&str]); 9] = [
    ("domain", &["domain"]),
    ("store", &["store", "domain"]),
    ("seed", &["seed", "store", "domain"]),
    ("engine", &["engine", "seed", "store", "domain"]),
    ("http", &["http", "store", "domain"]),
    ("api", &["api", "http", "engine", "store", "domain"]),
    ("events", &["events", "http", "engine", "store", "domain"]),
    ("traffic", &["traffic", "api", "http", "engine", "domain"]),
    (
        "control",
        &["control", "traffic", "events", "api", "http", "engine", "seed", "store", "domain"],
    ),
];

/// What the rules of Cloud Manager must not depend on.
const IMPURE: [&str; 4] = ["tokio", "axum", "sqlx", "reqwest"];

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The modules of this crate that a source file names.
fn used_modules(text: &str) -> Vec<&str> {
    text.match_indices("crate::")
        .map(|(at, prefix)| &text[at + prefix.len()..])
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap())
        .collect()
}

#[test]
fn modules_use_only_what_they_may() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (module, allowed) in MAY_USE {
        let files = sources(&root.join(module));
        assert!(!files.is_empty(), "{module} has no sources");
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            for used in used_modules(&text) {
                assert!(allowed.contains(&used), "{} uses {used}", file.display());
            }
            if module == "domain" {
                for library in IMPURE {
                    let used = text.contains(&format!("{library}::"));
                    assert!(!used, "{} uses {library}", file.display());
                }
            }
            if module != "store" {
                assert!(!text.contains("sqlx::query"), "{} has SQL", file.display());
            }
        }
    }
}
