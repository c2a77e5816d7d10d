//! No files use each other in a circle.
//!
//! A name belongs to the file that defines it, whichever file hands it on. The `mod.rs` of a folder is
//! the head of what is in the folder: a file may use what its heads define, and a head may use the
//! files below it. Tests don't count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::names::{Name, Source};

/// Sources by the modules that they are.
struct Files<'s>(BTreeMap<&'s [String], &'s Source>);

/// Which files each file uses.
type Arrows<'s> = BTreeMap<&'s Path, BTreeSet<&'s Path>>;

impl<'s> Files<'s> {
    fn new(sources: &'s [Source]) -> Self {
        let is_test = |part: &String| part == "tests";
        let at_work = sources.iter().filter(|source| !source.module.iter().any(is_test));
        Self(at_work.map(|source| (source.module.as_slice(), source)).collect())
    }

    /// The file that defines what a name means; none if it is the top of the crate.
    fn find(&self, name: &[String]) -> Option<&'s Source> {
        let known = |length: usize| Some((length, *self.0.get(&name[..length])?));
        let (length, source) = (1..=name.len()).rev().find_map(known)?;
        let handed_on = name.get(length).and_then(|item| source.names_at_work.taken.get(item));
        match handed_on {
            Some(full) => self.find(&[full, &name[length + 1..]].concat()),
            None => Some(source),
        }
    }

    fn arrows(&self) -> Arrows<'s> {
        let used_by = |source: &'s Source| {
            let used = source.names_at_work.own.iter().filter_map(|name| self.find(name));
            let others = used.filter(|used| !source.module.starts_with(&used.module));
            (source.file.as_path(), others.map(|used| used.file.as_path()).collect())
        };
        self.0.values().map(|source| used_by(source)).collect()
    }
}

/// A circle of arrows, its first file once more at the end; none if there is none.
fn find_circle<'s>(arrows: &Arrows<'s>) -> Option<Vec<&'s Path>> {
    fn follow<'s>(
        file: &'s Path,
        arrows: &Arrows<'s>,
        way: &mut Vec<&'s Path>,
        done: &mut BTreeSet<&'s Path>,
    ) -> Option<Vec<&'s Path>> {
        if let Some(begin) = way.iter().position(|before| *before == file) {
            return Some([&way[begin..], &[file]].concat());
        }
        if done.contains(file) {
            return None;
        }
        way.push(file);
        let circle = arrows[file].iter().find_map(|used| follow(used, arrows, way, done));
        way.pop();
        done.insert(file);
        circle
    }
    let mut done = BTreeSet::new();
    arrows.keys().find_map(|file| follow(file, arrows, &mut Vec::new(), &mut done))
}

fn circle_in(sources: &[Source]) -> String {
    let circle = find_circle(&Files::new(sources).arrows()).unwrap_or_default();
    circle.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(" -> ")
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    for folder in ["src", "benches/load"] {
        let sources = Source::read_all(folder);
        assert!(sources.len() > 5, "{folder}");
        assert_eq!(circle_in(&sources), "", "{folder}");
    }
}

#[test]
fn a_circle_is_found_whoever_hands_the_names_on() {
    let read = |files: &[(&str, &str)]| -> Vec<_> {
        files.iter().map(|(file, text)| Source::new(PathBuf::from(file), text)).collect()
    };
    let a = ("a.rs", "use crate::b::C;");
    let b = ("b/mod.rs", "mod c; mod d; pub use c::Inner as C; struct Head;");
    let d = ("b/d.rs", "struct D;");
    let circle = |c: &str, d: &str| circle_in(&read(&[a, b, ("b/c.rs", c), ("b/d.rs", d)]));
    assert_eq!(circle("use super::{Head, d::D};", d.1), "");
    assert_eq!(circle("use crate::a::A;", d.1), "a.rs -> b/c.rs -> a.rs");
    assert_eq!(circle("use super::d::D;", "use super::C;"), "b/c.rs -> b/d.rs -> b/c.rs");
    assert_eq!(
        circle("fn f() { crate::b::d::g() }", "use super::c::{self as e};"),
        "b/c.rs -> b/d.rs -> b/c.rs"
    );
    assert_eq!(circle("#[cfg(test)] mod tests { use crate::a::A; }", d.1), "");
    let heads =
        [a, ("b/mod.rs", "pub mod c; pub struct C; use c::X;"), ("b/c.rs", "use crate::a::A;")];
    assert_eq!(circle_in(&read(&heads)), "a.rs -> b/mod.rs -> b/c.rs -> a.rs");
}

/// What the test above relies on: the files that are read are those that name something.
#[test]
fn the_files_of_names_are_found() {
    let sources = Source::read_all("src");
    let files = Files::new(&sources);
    let name = |text: &str| -> Name { text.split("::").map(str::to_owned).collect() };
    for (text, file) in [
        ("domain::deployment::Command", "domain/deployment/command.rs"),
        ("store::Transaction", "store/writer.rs"),
        ("engine::Engine", "engine/mod.rs"),
    ] {
        let found = files.find(&name(text)).map(|source| source.file.as_path());
        assert_eq!(found, Some(Path::new(file)), "{text}");
    }
}
