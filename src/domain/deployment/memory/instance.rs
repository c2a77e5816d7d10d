//! What stays on one instance.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::change::InstanceAction;
use super::files::DispatcherFiles;
use super::package::InstalledPackage;
use crate::domain::deployment::CommandKind;
use crate::domain::id::ExecutionId;
use crate::domain::time::Timestamp;

/// The last time that a deployment emptied the cache of a dispatcher.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheChange {
    /// The execution.
    pub execution: ExecutionId,
    /// When; with several paths, the time of the last one.
    pub at: Timestamp,
    /// The paths, in order.
    pub paths: Vec<String>,
}

/// What stays on a dispatcher.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DispatcherMemory {
    /// Whether it is in the load balancer.
    pub attached: bool,
    /// Its configuration.
    pub files: DispatcherFiles,
    /// The backups of deployments that are not over.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    backups: BTreeMap<ExecutionId, DispatcherFiles>,
    /// The last flush of its cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flush: Option<CacheChange>,
    /// The last invalidation of its cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalidation: Option<CacheChange>,
}

impl Default for DispatcherMemory {
    /// Returns a dispatcher that nothing was deployed to.
    fn default() -> Self {
        Self {
            attached: true,
            files: DispatcherFiles::default(),
            backups: BTreeMap::new(),
            flush: None,
            invalidation: None,
        }
    }
}

/// What stays on an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceMemory {
    /// The packages, sorted by group and name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) packages: Vec<InstalledPackage>,
    /// What only dispatchers have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispatcher: Option<DispatcherMemory>,
}

impl InstanceMemory {
    /// Returns the installed packages, sorted by group and name.
    #[must_use]
    pub fn installed(&self) -> &[InstalledPackage] {
        &self.packages
    }

    /// Applies what the execution does at that time.
    pub(super) fn apply(&mut self, execution: ExecutionId, at: Timestamp, action: InstanceAction) {
        if let InstanceAction::Install(package) = action {
            self.install(package);
            return;
        }
        let dispatcher = self.dispatcher.get_or_insert_default();
        match action {
            InstanceAction::Attach(attached) => dispatcher.attached = attached,
            InstanceAction::BackUp => {
                dispatcher.backups.insert(execution, dispatcher.files.clone());
            }
            InstanceAction::Clean => dispatcher.files.clean(),
            InstanceAction::Extract(artifact, paths) => {
                dispatcher.files.extract(&artifact, &paths);
            }
            InstanceAction::Restore => {
                if let Some(backup) = dispatcher.backups.get(&execution) {
                    dispatcher.files = backup.clone();
                }
            }
            InstanceAction::EmptyCache(kind, path) => {
                dispatcher.empty_cache(execution, at, kind, path);
            }
            InstanceAction::DropBackup => {
                dispatcher.backups.remove(&execution);
            }
            InstanceAction::Install(_) => {}
        }
    }

    fn install(&mut self, package: InstalledPackage) {
        let key = |one: &InstalledPackage| (one.group.clone(), one.name.clone());
        match self.packages.binary_search_by_key(&key(&package), key) {
            Ok(place) => self.packages[place] = package,
            Err(place) => self.packages.insert(place, package),
        }
    }

    /// Returns what is wrong with an instance that was read, or `None`.
    pub(super) fn find_fault(&self) -> Option<String> {
        let key = |one: &InstalledPackage| (one.group.clone(), one.name.clone());
        if !self.packages.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])) {
            return Some("packages are not sorted".into());
        }
        let dispatcher = self.dispatcher.as_ref()?;
        if !self.packages.is_empty() {
            return Some("a dispatcher has packages".into());
        }
        let mut files = std::iter::once(&dispatcher.files).chain(dispatcher.backups.values());
        files.find_map(DispatcherFiles::find_fault)
    }
}

impl DispatcherMemory {
    fn empty_cache(
        &mut self,
        execution: ExecutionId,
        at: Timestamp,
        kind: CommandKind,
        path: String,
    ) {
        let last = match kind {
            CommandKind::FlushDispatcherCache => &mut self.flush,
            _ => &mut self.invalidation,
        };
        let paths = last.take().filter(|last| last.execution == execution).map(|last| last.paths);
        let mut paths = paths.unwrap_or_default();
        if !paths.contains(&path) {
            paths.push(path);
        }
        *last = Some(CacheChange { execution, at, paths });
    }
}
