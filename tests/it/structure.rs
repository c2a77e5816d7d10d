//! The modules know only those that they may know.
//!
//! Sources are read as tokens: macros and attributes name modules, too.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// For each module at the top, what else of this crate it may use.
const MAY_USE: [(&str, &[&str]); 24] = [
    ("domain", &[]),
    ("content", &["domain"]),
    ("store", &["domain"]),
    ("input", &["domain"]),
    ("seed", &["store", "content", "input", "domain"]),
    ("engine", &["seed", "store", "domain"]),
    ("http", &["store", "input", "domain"]),
    ("access", &["http", "engine", "domain"]),
    ("extract", &["http", "engine", "domain"]),
    ("api", &["extract", "access", "http", "engine", "store", "content", "domain"]),
    ("events", &["access", "http", "engine", "store", "domain"]),
    ("traffic", &["access", "http", "engine", "domain"]),
    (
        "control",
        &[
            "traffic", "events", "api", "extract", "access", "http", "engine", "seed", "store",
            "input", "domain",
        ],
    ),
    ("openapi", &["control", "traffic", "api", "access", "http"]),
    ("schema", &["openapi", "seed"]),
    ("stop", &[]),
    ("service", &["control", "traffic", "events", "api", "access", "http", "engine", "seed"]),
    ("workers", &["engine"]),
    (
        "app",
        &[
            "service", "workers", "traffic", "events", "access", "http", "engine", "seed", "store",
            "domain",
        ],
    ),
    ("config", &["app", "access", "engine", "store", "domain"]),
    ("log", &["config"]),
    // Its tests make options of all parts.
    ("exec", &["app", "access", "engine", "log", "stop"]),
    ("lib", &[]),
    ("main", &["app", "config", "exec", "log", "openapi", "schema", "stop", "store"]),
];

/// The modules without I/O, clock and randomness.
const PURE_MODULES: [&str; 2] = ["domain", "content"];

/// The libraries that they may use, tests included: what computes.
const PURE: [&str; 12] = [
    "chrono",
    "flate2",
    "md5",
    "proptest",
    "serde",
    "serde_json",
    "sha2",
    "strsim",
    "thiserror",
    "url",
    "utoipa",
    "zip",
];

/// What they may not use of the standard library: what reaches outside of the process, or waits.
const IMPURE: [&str; 6] = ["env", "fs", "net", "os", "process", "thread"];

/// Libraries that only one module may use.
const RESERVED: [(&str, &str); 5] = [
    ("sqlx", "store"),
    ("reqwest", "events"),
    ("flate2", "content"),
    ("md5", "content"),
    ("zip", "content"),
];

/// A name such as `std::fs::read`, in its parts.
type Name = Vec<String>;

/// What a source file names.
#[derive(Debug, Default, PartialEq, Eq)]
struct Names {
    /// In this crate, from its top on.
    own: BTreeSet<Name>,
    /// Anything else, libraries among it.
    others: BTreeSet<Name>,
}

impl Names {
    /// What a file names that is the module of this path; of its parts, `lib` is the top itself.
    fn of(text: &str, module: &[String]) -> Self {
        let tokens: TokenStream = text.parse().unwrap();
        let mut names = Self::default();
        names.walk(tokens, module);
        names
    }

    fn walk(&mut self, tokens: TokenStream, module: &[String]) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            let rest = &tokens[at..];
            at += match rest {
                [TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Group(body), ..]
                    if word == "mod" =>
                {
                    self.walk(body.stream(), &[module, &[name.to_string()]].concat());
                    3
                }
                [TokenTree::Ident(word), ..] if word == "use" => {
                    1 + self.read(&rest[1..], Vec::new(), module)
                }
                [TokenTree::Ident(_), rest @ ..] if is_path_separator(rest) => {
                    self.read(&tokens[at..], Vec::new(), module)
                }
                [TokenTree::Group(group), ..] => {
                    self.walk(group.stream(), module);
                    1
                }
                _ => 1,
            };
        }
    }

    /// Reads a name, or several in braces, that goes on from `before`; how many tokens it has.
    fn read(&mut self, tokens: &[TokenTree], mut before: Name, module: &[String]) -> usize {
        let mut at = if is_path_separator(tokens) { 2 } else { 0 };
        loop {
            match tokens.get(at) {
                Some(TokenTree::Ident(part)) => before.push(part.to_string()),
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    let inner: Vec<_> = group.stream().into_iter().collect();
                    let is_comma =
                        |it: &TokenTree| matches!(it, TokenTree::Punct(p) if p.as_char() == ',');
                    for name in inner.split(is_comma).filter(|name| !name.is_empty()) {
                        self.read(name, before.clone(), module);
                    }
                    return at + 1;
                }
                _ => break,
            }
            at += 1;
            if !is_path_separator(&tokens[at..]) {
                break;
            }
            at += 2;
        }
        self.add(before, module);
        at
    }

    fn add(&mut self, name: Name, module: &[String]) {
        let Some(first) = name.first() else { return };
        let ups = name.iter().take_while(|part| *part == "super").count();
        let base = match first.as_str() {
            "crate" | "cloudmanager_emulator" => &[],
            "self" => module,
            "super" => &module[..module.len() - ups],
            // At the top, a module is named without anything before it.
            _ if module.is_empty() && MAY_USE.iter().any(|(known, _)| known == first) => {
                self.own.insert(name);
                return;
            }
            _ => {
                self.others.insert(name);
                return;
            }
        };
        self.own.insert([base, &name[ups.max(1)..]].concat());
    }
}

/// Whether tokens begin with `::`.
fn is_path_separator(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Punct(first), TokenTree::Punct(second), ..]
        if first.as_char() == ':' && first.spacing() == Spacing::Joint && second.as_char() == ':')
}

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

/// The module that a file in `src` is, in its parts.
fn module_of(file: &Path) -> Name {
    let parts = file.with_extension("");
    let parts = parts.iter().map(|part| part.to_str().unwrap().to_owned());
    parts.filter(|part| part != "mod").collect()
}

/// All source files, each with its path in `src` and what it names.
fn read_sources() -> Vec<(PathBuf, Names)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let file = path.strip_prefix(&root).unwrap().to_owned();
        let module = module_of(&file);
        let inside: &[String] = if module == ["lib"] { &[] } else { &module };
        let names = Names::of(&text, inside);
        (file, names)
    };
    sources(&root).into_iter().map(read).collect()
}

/// The names of all libraries that Cargo.toml names.
fn libraries() -> BTreeSet<String> {
    let mut is_list = false;
    let mut found = BTreeSet::new();
    for line in include_str!("../../Cargo.toml").lines() {
        if line.starts_with('[') {
            is_list = line.ends_with("dependencies]");
        } else if let Some((name, _)) = line.split_once(" = ").filter(|_| is_list) {
            found.insert(name.replace('-', "_"));
        }
    }
    found
}

#[test]
fn every_name_in_a_source_is_found() {
    let text = "
        //! crate::comment
        use super::super::a::A;
        use crate::{b::{self, B}, c::*, d as e};
        use {crate::f, ::tokio::spawn};
        use uuid;
        mod inner { use super::super::g; use super::*; fn f() { self::h::i() } }
        #[utoipa::path(body = crate::j::J)]
        pub(crate) fn f(x: ::std::fs::File) -> <crate::k::K as Iterator>::Item {
            let text = \"crate::text\";
            tokio::select! { () = async { crate::l::L { field: m::n } } => {} }
        }
    ";
    let names = Names::of(text, &["engine".to_owned(), "part".to_owned()]);
    let join = |names: BTreeSet<Name>| {
        names.into_iter().map(|name| name.join("::")).collect::<Vec<_>>().join(" ")
    };
    let own =
        "a::A b::B b::self c d engine::g engine::part engine::part::inner::h::i f j::J k::K l::L";
    assert_eq!(join(names.own), own);
    let others = "m::n std::fs::File tokio::select tokio::spawn utoipa::path uuid";
    assert_eq!(join(names.others), others);
    let names = Names::of("pub use engine::Engine; pub mod engine;", &[]);
    assert_eq!(join(names.own), "engine::Engine");
}

#[test]
fn modules_use_only_what_they_may() {
    let sources = read_sources();
    let found: BTreeSet<_> = sources.iter().map(|(file, _)| module_of(file).remove(0)).collect();
    let known: BTreeSet<_> = MAY_USE.iter().map(|(module, _)| (*module).to_owned()).collect();
    assert_eq!(found, known, "each module at the top is in the table");
    for (file, names) in &sources {
        let module = &module_of(file)[0];
        let (_, may_use) = MAY_USE.iter().find(|(known, _)| known == module).unwrap();
        for name in &names.own {
            let used = name.first().unwrap_or_else(|| panic!("{} uses everything", file.display()));
            let may = used == module || may_use.contains(&used.as_str());
            assert!(may, "{} uses {}", file.display(), name.join("::"));
        }
    }
}

#[test]
fn rules_and_content_are_pure() {
    let libraries = libraries();
    assert!(PURE.iter().all(|pure| libraries.contains(*pure)), "{libraries:?}");
    let sources = read_sources();
    let is_bound = |file: &Path| PURE_MODULES.iter().any(|module| file.starts_with(module));
    for (file, names) in sources.iter().filter(|(file, _)| is_bound(file)) {
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
        for (file, names) in read_sources() {
            if names.others.iter().any(|name| name[0] == library) {
                users.insert(module_of(&file).remove(0));
            }
        }
        assert_eq!(users, BTreeSet::from([only.to_owned()]), "{library}");
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
    for path in sources(&root) {
        let found = calls_and_texts(fs::read_to_string(&path).unwrap().parse().unwrap());
        let file = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        if found.iter().any(|it| it.starts_with(".begin") || it.starts_with(".try_begin")) {
            beginning.insert(file.clone());
        }
        if found.iter().any(|it| it.contains("BEGIN") || it.contains("SAVEPOINT")) {
            making.insert(file);
        }
    }
    let files = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(beginning, files(&["engine/write.rs", "store/database.rs"]));
    assert_eq!(making, files(&["store/database.rs"]));
}

/// serde reads these from a copy of its own, in which a list passes for a structure.
#[test]
fn what_is_read_is_not_copied_by_serde_first() {
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
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
