//! What a build leaves to be deployed, and in which order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::configuration::{REQUIRED_FOLDERS, is_immutable, missing_files};
use super::dependency::Dependency;

/// An AEM package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its group in Package Manager.
    pub group: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The file that holds it.
    pub file: String,
    /// What must be installed before it.
    pub depends_on: Vec<Dependency>,
}

/// A package on an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresentPackage {
    /// Its group.
    pub group: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Packages by their names. Comparing each dependency with each package would take too long.
#[derive(Default)]
struct Offered<'p>(BTreeMap<&'p str, Vec<(&'p str, &'p str)>>);

impl<'p> Offered<'p> {
    fn new(packages: &'p [Package], installed: &'p [PresentPackage]) -> Self {
        let mut offered = Self::default();
        for Package { group, name, version, .. } in packages {
            offered.0.entry(name).or_default().push((group, version));
        }
        for PresentPackage { group, name, version } in installed {
            offered.0.entry(name).or_default().push((group, version));
        }
        offered
    }

    fn meets(&self, dependency: &Dependency) -> bool {
        let name = dependency.name();
        let mut named = self.0.get(name).into_iter().flatten();
        named.any(|(group, version)| dependency.is_met_by(group, name, version))
    }
}

impl Package {
    fn meets(&self, dependency: &Dependency) -> bool {
        dependency.is_met_by(&self.group, &self.name, &self.version)
    }

    /// Returns whether a scenario means this package: by its file, its name, or `group:name`.
    #[must_use]
    pub fn is_named(&self, subject: &str) -> bool {
        let name = || subject.split_once(':') == Some((&self.group, &self.name));
        subject == self.file || subject == self.name || name()
    }
}

/// Returns the packages with dependencies first, otherwise as given. Dependencies on packages that
/// are not in the list are ignored. A cycle begins with the package that is given first.
#[must_use]
pub fn in_dependency_order(packages: &[Package]) -> Vec<&Package> {
    let mut graph = DependencyGraph::of(packages);
    let mut ordered = Vec::with_capacity(packages.len());
    while let Some(next) = graph.find_ready().or_else(|| graph.waiting.first().copied()) {
        graph.take(next);
        ordered.push(next);
    }
    ordered.into_iter().filter_map(|position| packages.get(position)).collect()
}

/// Which of some packages need which others; packages are named by their positions.
struct DependencyGraph {
    /// For each package those that it needs, without itself.
    needs: Vec<BTreeSet<usize>>,
    /// Those that have no place in the order yet.
    waiting: Vec<usize>,
}

impl DependencyGraph {
    fn of(packages: &[Package]) -> Self {
        let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (position, package) in packages.iter().enumerate() {
            by_name.entry(&package.name).or_default().push(position);
        }
        let needs = |(position, package): (usize, &Package)| {
            let found = package.depends_on.iter().flat_map(|dependency| {
                let named = by_name.get(dependency.name()).into_iter().flatten();
                named.filter(|other| packages[**other].meets(dependency))
            });
            found.copied().filter(|other| *other != position).collect()
        };
        Self {
            needs: packages.iter().enumerate().map(needs).collect(),
            waiting: (0..packages.len()).collect(),
        }
    }

    /// Returns the first waiting package that needs no other waiting one.
    fn find_ready(&self) -> Option<usize> {
        let needs = |position: &usize| {
            let mut needs = self.needs.get(*position).into_iter().flatten();
            needs.any(|other| self.waiting.binary_search(other).is_ok())
        };
        self.waiting.iter().copied().find(|position| !needs(position))
    }

    fn take(&mut self, package: usize) {
        self.waiting.retain(|other| *other != package);
    }

    /// Returns the packages that depend on each other. Those that only need one of these are no
    /// part of a cycle.
    fn cycles(mut self) -> Vec<usize> {
        while let Some(next) = self.find_ready() {
            self.take(next);
        }
        let is_needed = |graph: &Self, position: usize| {
            graph.waiting.iter().any(|other| graph.needs[*other].contains(&position))
        };
        while let Some(outside) = self.waiting.iter().copied().find(|it| !is_needed(&self, *it)) {
            self.take(outside);
        }
        self.waiting
    }
}

/// Returns why packages can't be deployed together to instances that have the `installed` ones:
/// each package that is there twice, each dependency that is missing, and cycles.
#[must_use]
pub fn package_problems(packages: &[Package], installed: &[PresentPackage]) -> Vec<String> {
    let mut problems = Vec::new();
    let (mut names, mut files) = (BTreeSet::new(), BTreeSet::new());
    for Package { group, name, file, .. } in packages {
        if !names.insert((group, name)) {
            problems.push(format!("the build has more than one package {group}:{name}"));
        } else if !files.insert(file) {
            problems.push(format!("the build has more than one artifact {file}"));
        }
    }
    let offered = Offered::new(packages, installed);
    for package in packages {
        for dependency in &package.depends_on {
            if !offered.meets(dependency) && !dependency.is_part_of_aem() {
                problems.push(format!(
                    "{} depends on {dependency}, which is neither in the build nor on the instances",
                    package.file
                ));
            }
        }
    }
    let cycle = DependencyGraph::of(packages).cycles();
    if !cycle.is_empty() {
        let files: Vec<_> = cycle.into_iter().map(|it| packages[it].file.as_str()).collect();
        problems.push(format!("these packages depend on each other: {}", files.join(", ")));
    }
    problems
}

/// Returns the dependencies that neither the packages themselves nor AEM meet.
pub fn open_dependencies(packages: &[Package]) -> impl Iterator<Item = &Dependency> {
    let dependencies = packages.iter().flat_map(|package| &package.depends_on);
    let offered = Offered::new(packages, &[]);
    dependencies
        .filter(move |dependency| !offered.meets(dependency) && !dependency.is_part_of_aem())
}

/// Returns the packages on instances that meet open dependencies. A dependency is met if each of
/// the `instances` has a package that meets it.
#[must_use]
pub fn needed_from(packages: &[Package], instances: &[Vec<PresentPackage>]) -> Vec<PresentPackage> {
    let mut needed: Vec<PresentPackage> = Vec::new();
    for dependency in open_dependencies(packages) {
        let meets = |PresentPackage { group, name, version }: &&PresentPackage| {
            dependency.is_met_by(group, name, version)
        };
        let found: Option<Vec<_>> =
            instances.iter().map(|installed| installed.iter().find(meets)).collect();
        for package in found.into_iter().flatten() {
            if !needed.contains(package) {
                needed.push(package.clone());
            }
        }
    }
    needed
}

/// Returns the dependencies that only AEM itself meets, each with the file of its package.
#[must_use]
pub fn met_by_aem(packages: &[Package]) -> Vec<(&str, &Dependency)> {
    let offered = Offered::new(packages, &[]);
    packages
        .iter()
        .flat_map(|package| package.depends_on.iter().map(|it| (package.file.as_str(), it)))
        .filter(|(_, dependency)| dependency.is_part_of_aem() && !offered.meets(dependency))
        .collect()
}

/// A dispatcher configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispatcherPackage {
    /// The file that holds it.
    pub file: String,
    /// The paths in it; those of folders end with `/`.
    pub entries: Arc<Vec<String>>,
}

impl DispatcherPackage {
    /// Returns the paths of its files, relative to the web server's folder.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.paths().filter(|path| !path.ends_with('/'))
    }

    /// Returns the immutable files in it, which no deployment extracts.
    pub fn ignored_files(&self) -> impl Iterator<Item = &str> {
        self.files().filter(|path| is_immutable(path))
    }

    /// Returns why the package does not contain the full file set, or nothing.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let files: BTreeSet<&str> = self.files().collect();
        let mut missing: Vec<String> = missing_files(&files).map(str::to_owned).collect();
        let is_filled = |folder: &str| files.iter().any(|path| path.starts_with(folder));
        let empty = REQUIRED_FOLDERS.into_iter().filter(|folder| !is_filled(folder));
        missing.extend(empty.map(|folder| format!("a file in {folder}")));
        (!missing.is_empty()).then(|| {
            format!(
                "{} does not contain the full file set, so nothing was deleted; missing: {}",
                self.file,
                missing.join(", "),
            )
        })
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|path| path.strip_prefix("./").unwrap_or(path))
    }
}
