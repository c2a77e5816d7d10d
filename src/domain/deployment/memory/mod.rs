//! What an environment remembers: what deployments have done to its instances.
//!
//! It is the result of applying all changes in order of time and execution. An execution reads it
//! only at its start, to find packages that its own packages depend on.

mod change;
mod files;
mod instance;
mod package;

pub use change::{Deployer, InstanceAction, InstanceChange};
pub use files::{DeployedArtifact, DispatcherFiles, FileOrigin};
pub use instance::{CacheChange, DispatcherMemory, InstanceMemory};
pub use package::InstalledPackage;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{InstanceKind, PresentPackage};
use crate::domain::environment::{REGION, Topology};
use crate::domain::time::Timestamp;

/// What an environment remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EnvironmentMemory {
    /// Every change up to and including this time is in it.
    #[serde(skip, default = "beginning")]
    pub until: Timestamp,
    /// The instances that deployments have changed, by name. All others are as provisioned.
    instances: BTreeMap<String, InstanceMemory>,
}

fn beginning() -> Timestamp {
    Timestamp::MIN
}

impl Default for EnvironmentMemory {
    /// Returns an environment that nothing was deployed to.
    fn default() -> Self {
        Self { until: beginning(), instances: BTreeMap::new() }
    }
}

impl EnvironmentMemory {
    /// Applies the changes after [`Self::until`] and up to `until`, which then takes its place.
    ///
    /// `changes` must contain every change in that period; changes outside of it are ignored. The
    /// changes of one execution must be in order.
    pub fn advance(&mut self, changes: Vec<InstanceChange>, until: Timestamp) {
        let is_new = |change: &InstanceChange| self.until < change.at && change.at <= until;
        let new: Vec<_> = changes.into_iter().filter(is_new).collect();
        self.apply(new);
        self.until = self.until.max(until);
    }

    /// Applies these changes in order of time and execution. Those of one execution are in order.
    pub fn apply(&mut self, mut changes: Vec<InstanceChange>) {
        changes.sort_by_key(|change| (change.at, change.execution));
        for InstanceChange { at, execution, instance, action } in changes {
            self.instances.entry(instance).or_default().apply(execution, at, action);
        }
    }

    /// Returns the instances of an environment with that topology, by kind and number.
    #[must_use]
    pub fn instances(&self, topology: Topology) -> Vec<(String, InstanceKind, InstanceMemory)> {
        let Topology { authors, pairs, cold_standby: _ } = topology;
        let kinds = [
            (InstanceKind::Author, authors),
            (InstanceKind::Publish, pairs),
            (InstanceKind::Dispatcher, pairs),
        ];
        let names = kinds.into_iter().flat_map(|(kind, count)| {
            (1..=count).map(move |number| (kind.name(number, REGION), kind))
        });
        names
            .map(|(name, kind)| {
                let mut instance = self.instances.get(&name).cloned().unwrap_or_default();
                if kind == InstanceKind::Dispatcher {
                    instance.dispatcher.get_or_insert_default();
                }
                (name, kind, instance)
            })
            .collect()
    }

    /// Returns the packages on each author and publish instance of an environment with that
    /// topology: new packages may depend on them.
    #[must_use]
    pub fn installed(&self, topology: Topology) -> Vec<Vec<PresentPackage>> {
        let instances = self.instances(topology).into_iter();
        instances
            .filter(|(_, kind, _)| *kind != InstanceKind::Dispatcher)
            .map(|(_, _, it)| it.installed().iter().map(PresentPackage::from).collect())
            .collect()
    }

    /// Returns what is wrong with a memory that was read, or `None`.
    #[must_use]
    pub fn find_fault(&self) -> Option<String> {
        self.instances.iter().find_map(|(name, instance)| {
            instance.find_fault().map(|fault| format!("{name}: {fault}"))
        })
    }
}
