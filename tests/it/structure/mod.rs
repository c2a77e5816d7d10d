//! The modules know only those that they may know.
//!
//! Sources are read as tokens: macros and attributes name modules, too.

mod circles;
mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};

use names::{Source, find_files, types_of};

/// For each module at the top, what else of this crate it may use, from the lowest layer up.
const MAY_USE: [(&str, &[&str]); 33] = [
    ("domain", &[]),
    ("log", &[]),
    ("content", &["domain"]),
    ("store", &["domain"]),
    ("input", &["domain"]),
    ("seed", &["store", "content", "input", "domain"]),
    ("git", &["domain"]),
    ("engine", &["seed", "git", "store", "content", "domain"]),
    ("http", &["store", "input", "domain"]),
    ("access", &["http", "engine", "store", "domain"]),
    ("extract", &["http", "engine", "domain"]),
    ("api", &["extract", "access", "http", "engine", "store", "content", "domain"]),
    ("git_server", &["access", "http", "engine", "git", "domain"]),
    ("outgoing", &[]),
    ("events", &["outgoing", "access", "http", "engine", "store", "domain"]),
    ("traffic", &["access", "http", "engine", "domain"]),
    (
        "control",
        &[
            "traffic", "events", "api", "extract", "access", "http", "engine", "seed", "store",
            "content", "input", "domain",
        ],
    ),
    ("embedded", &[]),
    ("openapi", &["embedded", "control", "git_server", "traffic", "api", "access", "http"]),
    ("schema", &["embedded", "openapi", "http", "seed"]),
    ("stop", &[]),
    ("console", &["http"]),
    (
        "service",
        &[
            "openapi",
            "console",
            "control",
            "traffic",
            "events",
            "git_server",
            "api",
            "access",
            "http",
            "engine",
            "seed",
        ],
    ),
    ("tls", &["http"]),
    ("server", &["tls", "service", "traffic", "http", "engine", "store"]),
    ("workers", &["engine"]),
    (
        "app",
        &[
            "server", "tls", "service", "workers", "events", "access", "http", "engine", "seed",
            "store", "log", "domain",
        ],
    ),
    ("banner", &["app", "log"]),
    ("commands", &["outgoing", "log", "control", "seed", "store", "domain"]),
    // Its tests make options of all parts.
    ("exec", &["app", "tls", "http", "access", "server", "engine", "log", "stop"]),
    (
        "config",
        &[
            "commands", "exec", "banner", "app", "access", "server", "engine", "store", "log",
            "domain",
        ],
    ),
    ("lib", &[]),
    (
        "main",
        &[
            "app", "banner", "commands", "config", "exec", "log", "openapi", "schema", "stop",
            "store", "tls",
        ],
    ),
];

/// The modules without I/O, clock and randomness.
const PURE_MODULES: [&str; 2] = ["domain", "content"];

/// The libraries that they may use, tests included: what computes.
const PURE: [&str; 15] = [
    "chrono",
    "flate2",
    "md5",
    "pki_types",
    "proptest",
    "quick_xml",
    "serde",
    "serde_json",
    "sha2",
    "strsim",
    "thiserror",
    "url",
    "utoipa",
    "webpki",
    "zip",
];

/// What they may not use of the standard library: what reaches outside of the process, or waits.
const IMPURE: [&str; 6] = ["env", "fs", "net", "os", "process", "thread"];

/// Libraries that only these modules may use.
const RESERVED: [(&str, &[&str]); 12] = [
    ("sqlx", &["store"]),
    ("reqwest", &["commands", "events", "outgoing"]),
    ("aws_lc_rs", &["engine", "tls"]),
    ("etcetera", &["tls"]),
    ("rcgen", &["tls"]),
    ("rustls_native_certs", &["tls"]),
    ("tokio_rustls", &["tls"]),
    ("webpki", &["domain"]),
    ("flate2", &["content", "embedded", "git_server"]),
    ("md5", &["content"]),
    ("quick_xml", &["content"]),
    ("zip", &["content"]),
];

/// The names of all libraries that Cargo.toml names.
fn libraries() -> BTreeSet<String> {
    let mut is_list = false;
    let mut found = BTreeSet::new();
    for line in include_str!("../../../Cargo.toml").lines() {
        if line.starts_with('[') {
            is_list = line.ends_with("dependencies]");
        } else if let Some((name, _)) = line.split_once(" = ").filter(|_| is_list) {
            found.insert(name.replace('-', "_"));
        }
    }
    found
}

#[test]
fn modules_use_only_what_they_may() {
    let sources = Source::read_all("src");
    let found: BTreeSet<_> = sources.iter().map(|source| source.layer().to_owned()).collect();
    let known: BTreeSet<_> = MAY_USE.iter().map(|(module, _)| (*module).to_owned()).collect();
    assert_eq!(found, known, "each module at the top is in the table");
    for source @ Source { file, names, .. } in &sources {
        let module = source.layer();
        let (_, may_use) = MAY_USE.iter().find(|(known, _)| *known == module).unwrap();
        for name in &names.own {
            let used = name.first().unwrap_or_else(|| panic!("{} uses everything", file.display()));
            let may = used == module || may_use.contains(&used.as_str());
            assert!(may, "{} uses {}", file.display(), name.join("::"));
        }
    }
}

#[test]
fn no_module_may_use_one_above_it() {
    for (position, (module, may_use)) in MAY_USE.iter().enumerate() {
        for used in *may_use {
            let is_below = MAY_USE[..position].iter().any(|(below, _)| below == used);
            assert!(is_below, "{module} may use {used}, which does not stand before it");
        }
    }
}

#[test]
fn rules_and_content_are_pure() {
    let libraries = libraries();
    assert!(PURE.iter().all(|pure| libraries.contains(*pure)), "{libraries:?}");
    let sources = Source::read_all("src");
    let is_bound = |source: &&Source| PURE_MODULES.contains(&source.layer());
    for Source { file, names, .. } in sources.iter().filter(is_bound) {
        for name in &names.others {
            let is_pure = match (name[0].as_str(), name.get(1)) {
                ("std", Some(part)) => !IMPURE.contains(&part.as_str()),
                ("std", None) => false,
                (library, _) => !libraries.contains(library) || PURE.contains(&library),
            };
            assert!(is_pure, "{} uses {}", file.display(), name.join("::"));
        }
    }
}

#[test]
fn libraries_that_one_module_may_use_are_used_nowhere_else() {
    for (library, only) in RESERVED {
        let mut users = BTreeSet::new();
        for source in Source::read_all("src") {
            if source.names.others.iter().any(|name| name[0] == library) {
                users.insert(source.layer().to_owned());
            }
        }
        assert_eq!(users, only.iter().map(|&layer| layer.to_owned()).collect(), "{library}");
    }
}

/// The methods that a source calls, and its texts.
fn calls_and_texts(tokens: TokenStream) -> Vec<String> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => found.extend(calls_and_texts(group.stream())),
            TokenTree::Literal(text) => found.push(text.to_string()),
            TokenTree::Ident(name) => {
                let before = at.checked_sub(1).and_then(|before| tokens.get(before));
                if matches!(before, Some(TokenTree::Punct(dot)) if dot.as_char() == '.') {
                    found.push(format!(".{name}"));
                }
            }
            TokenTree::Punct(_) => {}
        }
    }
    found
}

/// Who begins a transaction must also let memory follow its commit.
#[test]
fn only_the_write_guard_begins_a_transaction() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut beginning = BTreeSet::new();
    let mut making = BTreeSet::new();
    for path in find_files(&root) {
        if path.ends_with("tests.rs") {
            continue;
        }
        let found = calls_and_texts(fs::read_to_string(&path).unwrap().parse().unwrap());
        let file = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        if found.iter().any(|it| it.starts_with(".begin") || it.starts_with(".try_begin")) {
            beginning.insert(file.clone());
        }
        // Not the beginning of a key or a certificate.
        let is_sql = |it: &&String| !it.contains("-----BEGIN");
        if found.iter().filter(is_sql).any(|it| it.contains("BEGIN") || it.contains("SAVEPOINT")) {
            making.insert(file);
        }
    }
    let files = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(beginning, files(&["engine/write.rs"]));
    assert_eq!(making, files(&["store/writer.rs"]));
}

/// serde reads these from a copy of its own, in which a list passes for a structure.
#[test]
fn what_is_read_is_not_copied_by_serde_first() {
    for path in find_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        for item in text.split("#[derive(").skip(1) {
            let (derived, rest) = item.split_once(')').unwrap();
            let item = rest.split("\n}").next().unwrap();
            let copied = ["untagged", "tag =", "flatten"].iter().find(|word| item.contains(*word));
            let is_read = derived.contains("Deserialize");
            assert!(!is_read || copied.is_none(), "{}: {item}", path.display());
        }
    }
}

/// A reader who finds a type by its name has found the right one.
#[test]
fn no_two_types_have_one_name() {
    let mut places: BTreeMap<String, BTreeSet<PathBuf>> = BTreeMap::new();
    for path in find_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        // A file may define a type once for each platform.
        for name in types_of(fs::read_to_string(&path).unwrap().parse().unwrap()) {
            places.entry(name).or_default().insert(path.clone());
        }
    }
    assert!(places.len() > 300, "{}", places.len());
    places.retain(|_, files| files.len() > 1);
    assert!(places.is_empty(), "{places:#?}");
}
