//! What source files name, read from their tokens: macros and attributes name modules, too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// A name such as `std::fs::read`, in its parts.
pub type Name = Vec<String>;

/// A source file.
pub struct Source {
    /// Its path in the folder that was read.
    pub file: PathBuf,
    /// The module that it is; empty for `lib.rs`, which is the top itself.
    pub module: Name,
    /// What it names, tests included.
    pub names: Names,
    /// What it names, without its tests.
    pub names_at_work: Names,
}

impl Source {
    /// All sources in a folder of this project.
    pub fn read_all(folder: &str) -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let read = |path: PathBuf| {
            let file = path.strip_prefix(&root).unwrap().to_owned();
            Self::new(file, &fs::read_to_string(&path).unwrap())
        };
        find_files(&root).into_iter().map(read).collect()
    }

    pub fn new(file: PathBuf, text: &str) -> Self {
        let parts = file.with_extension("");
        let parts = parts.iter().map(|part| part.to_str().unwrap().to_owned());
        let module: Name = parts.filter(|part| part != "mod" && part != "lib").collect();
        let tokens: TokenStream = text.parse().unwrap();
        let names_at_work = Names::of(without_tests(tokens.clone()), &module);
        Self { names: Names::of(tokens, &module), names_at_work, file, module }
    }

    /// The module at the top that it belongs to.
    pub fn layer(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }
}

/// All source files in a folder and those below it.
pub fn find_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(find_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// What a source file names.
#[derive(Debug, Default)]
pub struct Names {
    /// In this crate, from its top on.
    pub own: BTreeSet<Name>,
    /// Anything else, libraries among it.
    pub others: BTreeSet<Name>,
    /// Of its own names, those that a `use` makes names of the file, by what they are called there.
    pub taken: BTreeMap<String, Name>,
    /// The modules that it declares: they are named without anything before them.
    children: BTreeSet<String>,
}

impl Names {
    /// What a file names that is the module of this path.
    pub fn of(tokens: TokenStream, module: &[String]) -> Self {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let declared = tokens.windows(3).filter_map(|three| match three {
            [TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Punct(_)]
                if word == "mod" =>
            {
                Some(name.to_string())
            }
            _ => None,
        });
        let mut names = Self { children: declared.collect(), ..Self::default() };
        names.walk(&tokens, module, module);
        names
    }

    fn walk(&mut self, tokens: &[TokenTree], file: &[String], module: &[String]) {
        let mut at = 0;
        while at < tokens.len() {
            let rest = &tokens[at..];
            at += match rest {
                [TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Group(body), ..]
                    if word == "mod" =>
                {
                    let inner = [module, &[name.to_string()]].concat();
                    self.walk(&trees(body.stream()), file, &inner);
                    3
                }
                [TokenTree::Ident(word), ..] if word == "use" => {
                    let mut found = Vec::new();
                    let length = read(&rest[1..], &[], &mut found);
                    for (name, called) in found {
                        let name = self.add(name, file, module);
                        if let Some(name) = name.filter(|_| file == module) {
                            self.taken.insert(called, name);
                        }
                    }
                    1 + length
                }
                [TokenTree::Ident(_), after @ ..] if is_path_separator(after) => {
                    let mut found = Vec::new();
                    let length = read(rest, &[], &mut found);
                    for (name, _) in found {
                        self.add(name, file, module);
                    }
                    length
                }
                [TokenTree::Group(group), ..] => {
                    self.walk(&trees(group.stream()), file, module);
                    1
                }
                _ => 1,
            };
        }
    }

    /// Adds a name that stands in a module of the file; from the top on, if it is one of this crate.
    fn add(&mut self, name: Name, file: &[String], module: &[String]) -> Option<Name> {
        let first = name.first()?;
        let ups = name.iter().take_while(|part| *part == "super").count();
        let (base, skipped): (&[String], usize) = match first.as_str() {
            "crate" | "cloudmanager_emulator" => (&[], 1),
            "self" => (module, 1),
            "super" => (&module[..module.len() - ups], ups),
            child if file == module && self.children.contains(child) => (file, 0),
            _ => {
                self.others.insert(name);
                return None;
            }
        };
        let full = [base, &name[skipped..]].concat();
        self.own.insert(full.clone());
        Some(full)
    }
}

/// Reads a name, or several in braces, that goes on from `before`: each with what it is called
/// after `as`, or by its last part. Returns how many tokens were read.
fn read(tokens: &[TokenTree], before: &[String], found: &mut Vec<(Name, String)>) -> usize {
    let mut name = before.to_vec();
    let mut at = if is_path_separator(tokens) { 2 } else { 0 };
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(part)) => name.push(part.to_string()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let is_comma =
                    |it: &TokenTree| matches!(it, TokenTree::Punct(p) if p.as_char() == ',');
                for part in trees(group.stream()).split(is_comma).filter(|it| !it.is_empty()) {
                    read(part, &name, found);
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
    let called = match &tokens[at..] {
        [TokenTree::Ident(word), TokenTree::Ident(called), ..] if word == "as" => {
            Some(called.to_string())
        }
        _ => name.iter().rfind(|part| *part != "self").cloned(),
    };
    found.extend(called.map(|called| (name, called)));
    at
}

fn trees(tokens: TokenStream) -> Vec<TokenTree> {
    tokens.into_iter().collect()
}

/// Whether tokens begin with `::`.
fn is_path_separator(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Punct(first), TokenTree::Punct(second), ..]
        if first.as_char() == ':' && first.spacing() == Spacing::Joint && second.as_char() == ':')
}

/// A file without the items that are compiled for tests alone.
fn without_tests(tokens: TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut kept = Vec::new();
    while let Some(token) = tokens.next() {
        let is_test = |next: &TokenTree| next.to_string().replace(' ', "") == "[cfg(test)]";
        if !matches!(&token, TokenTree::Punct(it) if it.as_char() == '#')
            || !tokens.peek().is_some_and(is_test)
        {
            kept.push(token);
            continue;
        }
        // An item ends with its body or a semicolon.
        let is_end = |it: &TokenTree| match it {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            TokenTree::Punct(it) => it.as_char() == ';',
            _ => false,
        };
        tokens.by_ref().find(is_end);
    }
    kept.into_iter().collect()
}

/// The types that a file defines outside of functions, `impl`s and tests.
pub fn types_of(tokens: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    let mut tokens = without_tests(tokens).into_iter().peekable();
    let mut is_code = false;
    let mut is_macro = false;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) => match word.to_string().as_str() {
                "struct" | "enum" | "trait" | "type" | "union" if !is_code => {
                    if let Some(TokenTree::Ident(name)) = tokens.peek() {
                        found.push(name.to_string());
                    }
                }
                "impl" | "fn" | "macro_rules" => is_code = true,
                _ => {}
            },
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                // A macro around an item: `words! { enum … }`.
                if is_macro && !is_code {
                    found.extend(types_of(group.stream()));
                }
                is_code = false;
            }
            TokenTree::Punct(punct) if punct.as_char() == ';' => is_code = false,
            TokenTree::Punct(punct) => {
                is_macro = punct.as_char() == '!';
                continue;
            }
            _ => {}
        }
        is_macro = false;
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
    let names = Names::of(text.parse().unwrap(), &["engine".to_owned(), "part".to_owned()]);
    let join = |names: BTreeSet<Name>| {
        names.into_iter().map(|name| name.join("::")).collect::<Vec<_>>().join(" ")
    };
    let own =
        "a::A b::B b::self c d engine::g engine::part engine::part::inner::h::i f j::J k::K l::L";
    assert_eq!(join(names.own), own);
    let others = "m::n std::fs::File tokio::select tokio::spawn utoipa::path uuid";
    assert_eq!(join(names.others), others);
    let called: Vec<_> = names.taken.keys().map(String::as_str).collect();
    assert_eq!(called, ["A", "B", "b", "c", "e", "f"]);
    let names = Names::of("pub use engine::Engine; pub mod engine;".parse().unwrap(), &[]);
    assert_eq!(join(names.own), "engine::Engine");
}

#[test]
fn every_type_that_a_source_defines_is_found() {
    let text = "
        pub struct One { field: Two }
        impl Iterator for One { type Item = u8; }
        words! { #[derive(Debug)] pub enum Three { A = \"a\" } }
        fn function() { struct Local; }
        macro_rules! made { () => { struct Made; } }
        pub(crate) type Four = u8;
        #[cfg(test)]
        mod tests { struct OfTests; }
        trait Five {}";
    assert_eq!(types_of(text.parse().unwrap()), ["One", "Three", "Four", "Five"]);
}
