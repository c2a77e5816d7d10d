//! What a build leaves to be deployed, and in which order.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// An AEM package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its group in Package Manager.
    pub group: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The file that holds it.
    pub file: String,
    /// The names of the packages that must be installed before it.
    pub depends_on: Vec<String>,
}

/// Returns the packages with dependencies first, otherwise as given. Dependencies on packages that
/// are not among them don't matter, and a cycle begins with its package that is given first.
#[must_use]
pub fn in_dependency_order(packages: &[Package]) -> Vec<&Package> {
    let mut waiting: Vec<&Package> = packages.iter().collect();
    let mut ordered = Vec::with_capacity(packages.len());
    while !waiting.is_empty() {
        let names: BTreeSet<&str> = waiting.iter().map(|package| package.name.as_str()).collect();
        let is_ready = |package: &&Package| {
            package
                .depends_on
                .iter()
                .all(|name| *name == package.name || !names.contains(name.as_str()))
        };
        let next = waiting.iter().position(is_ready).unwrap_or(0);
        ordered.push(waiting.remove(next));
    }
    ordered
}

/// The folders without which a dispatcher package is incomplete.
const FULL_FILE_SET: [&str; 2] = ["conf", "conf.d"];

/// A dispatcher configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatcherPackage {
    /// The file that holds it.
    pub file: String,
    /// The paths in it; those of folders end with `/`.
    pub entries: Vec<String>,
}

impl DispatcherPackage {
    /// Returns the paths of its files, relative to the web server's folder.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.paths().filter(|path| !path.ends_with('/'))
    }

    /// Returns why the package does not contain the full file set, or nothing.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let missing: Vec<_> =
            FULL_FILE_SET.into_iter().filter(|folder| !self.has_folder(folder)).collect();
        (!missing.is_empty()).then(|| {
            format!(
                "{} does not contain the full file set: {} is missing; nothing was deleted",
                self.file,
                missing.join(" and "),
            )
        })
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|path| path.strip_prefix("./").unwrap_or(path))
    }

    fn has_folder(&self, folder: &str) -> bool {
        self.paths().any(|path| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
    }
}
