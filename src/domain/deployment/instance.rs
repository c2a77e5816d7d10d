//! The instances of an environment while a deployment changes them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::command::{Command, CommandKind};
use super::{DispatcherPackage, Order};
use crate::domain::word::words;

words! {
    /// The kinds of instances.
    pub enum InstanceKind {
        /// Where content is written.
        Author = "author",
        /// Where content is published.
        Publish = "publish",
        /// The cache and web server before a publish instance.
        Dispatcher = "dispatcher",
    }
}

impl InstanceKind {
    /// Returns the name of the instance with that number, from 1, in a region: `author1uswest2`.
    #[must_use]
    pub fn name(self, number: u32, region: &str) -> String {
        format!("{}{number}{region}", self.as_str())
    }
}

/// Returns where an environment is reached: its publish and its author address. They are
/// fictitious.
#[must_use]
pub fn environment_urls(environment_name: &str) -> [(InstanceKind, String); 2] {
    let host: String = environment_name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    let host = host.trim_matches('-');
    [InstanceKind::Publish, InstanceKind::Author]
        .map(|kind| (kind, format!("https://{host}-{}.example.adobecqms.net", kind.as_str())))
}

/// What became of a dispatcher's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Configuration {
    /// It is as it was before.
    Unchanged,
    /// The package's configuration is in service.
    Deployed,
    /// It was deleted, and then restored from its backup.
    Restored,
}

/// The state of an instance after a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceState {
    /// The instance's name.
    pub instance: String,
    /// What it is.
    pub kind: InstanceKind,
    /// The files of the packages that were installed, in order.
    pub installed: Vec<String>,
    /// Whether it is in the load balancer; only for dispatchers.
    pub attached: Option<bool>,
    /// What became of its configuration; only for dispatchers.
    pub configuration: Option<Configuration>,
}

/// A dispatcher, apart from what all instances have.
#[derive(Clone, Debug)]
struct Dispatcher {
    attached: bool,
    configuration: Configuration,
    readiness: Readiness,
}

/// Whether the files of a dispatcher are in service, and if not, whether they passed the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readiness {
    /// They are in service.
    Settled,
    /// They are incomplete, or nobody knows whether they work.
    Untested,
    /// They are new, and their test passed.
    Tested,
}

#[derive(Clone, Debug)]
struct Instance {
    name: String,
    kind: InstanceKind,
    installed: Vec<String>,
    dispatcher: Option<Dispatcher>,
}

/// The state of all instances, which results from the commands that were performed on them.
#[derive(Clone, Debug)]
pub(super) struct Instances<'a> {
    package: Option<&'a DispatcherPackage>,
    instances: Vec<Instance>,
}

impl<'a> Instances<'a> {
    /// Returns the instances before a deployment.
    pub(super) fn before(order: &Order<'a>) -> Self {
        let dispatcher = Dispatcher {
            attached: true,
            configuration: Configuration::Unchanged,
            readiness: Readiness::Settled,
        };
        let kinds = [InstanceKind::Author, InstanceKind::Publish, InstanceKind::Dispatcher];
        let instances = kinds.into_iter().flat_map(|kind| {
            let dispatcher = (kind == InstanceKind::Dispatcher).then_some(dispatcher.clone());
            order.instances(kind).into_iter().map(move |name| Instance {
                name,
                kind,
                installed: Vec::new(),
                dispatcher: dispatcher.clone(),
            })
        });
        Self { package: order.dispatcher_package, instances: instances.collect() }
    }

    /// A command has been performed, with success or not.
    pub(super) fn apply(&mut self, command: &Command, succeeded: bool) {
        let Some(instance) = self.instances.iter_mut().find(|one| one.name == command.instance)
        else {
            return;
        };
        if command.kind == CommandKind::InstallClientPackages {
            instance.installed.extend(command.subject.clone().filter(|_| succeeded));
        }
        let Some(dispatcher) = &mut instance.dispatcher else { return };
        match command.kind {
            CommandKind::CleanDispatcherConfiguration => {
                // One that fails by itself may have deleted any of the files: the worst case.
                if self.package.is_some_and(|package| package.problem().is_none()) {
                    dispatcher.readiness = Readiness::Untested;
                }
            }
            CommandKind::ReloadDispatcher if !succeeded => {
                dispatcher.readiness = Readiness::Untested;
            }
            _ if !succeeded => {}
            CommandKind::ManageElbLinksDetach => dispatcher.attached = false,
            CommandKind::ManageElbLinksAttach => dispatcher.attached = true,
            CommandKind::TestDispatcherConfiguration => dispatcher.readiness = Readiness::Tested,
            CommandKind::RestoreBackup => dispatcher.configuration = Configuration::Restored,
            CommandKind::ReloadDispatcher => {
                dispatcher.readiness = Readiness::Settled;
                if dispatcher.configuration == Configuration::Unchanged {
                    dispatcher.configuration = Configuration::Deployed;
                    instance.installed.extend(self.package.map(|package| package.file.clone()));
                }
            }
            CommandKind::PerformBackup
            | CommandKind::ExtractDispatcherPackage
            | CommandKind::InstallClientPackages
            | CommandKind::InvalidateDispatcherCache
            | CommandKind::FlushDispatcherCache => {}
        }
    }

    fn dispatchers(&self) -> impl Iterator<Item = (&str, &Dispatcher)> {
        self.instances.iter().filter_map(|one| Some((one.name.as_str(), one.dispatcher.as_ref()?)))
    }

    /// Returns the dispatchers that are out of the load balancer.
    pub(super) fn detached(&self) -> Vec<String> {
        let detached = self.dispatchers().filter(|(_, dispatcher)| !dispatcher.attached);
        detached.map(|(name, _)| name.to_owned()).collect()
    }

    /// Returns the dispatchers whose files are not those that are in service.
    pub(super) fn unsettled(&self) -> Vec<String> {
        self.with_readiness(|service| service != Readiness::Settled)
    }

    /// Returns those of them whose files did not pass the test.
    pub(super) fn untested(&self) -> Vec<String> {
        self.with_readiness(|service| service == Readiness::Untested)
    }

    fn with_readiness(&self, is_wanted: impl Fn(Readiness) -> bool) -> Vec<String> {
        let found = self.dispatchers().filter(|(_, dispatcher)| is_wanted(dispatcher.readiness));
        found.map(|(name, _)| name.to_owned()).collect()
    }

    /// Returns the state of each instance.
    pub(super) fn into_states(self) -> Vec<InstanceState> {
        let state = |instance: Instance| InstanceState {
            attached: instance.dispatcher.as_ref().map(|dispatcher| dispatcher.attached),
            configuration: instance.dispatcher.map(|dispatcher| dispatcher.configuration),
            instance: instance.name,
            kind: instance.kind,
            installed: instance.installed,
        };
        self.instances.into_iter().map(state).collect()
    }
}
