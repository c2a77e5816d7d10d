//! The instances of an environment while a deployment changes them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::command::{Command, CommandKind};
use super::configuration::DispatcherFiles;
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
    /// It was taken away, and restored from its backup.
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
struct Dispatcher<'a> {
    attached: bool,
    files: DispatcherFiles<'a>,
    backup: Option<DispatcherFiles<'a>>,
    configuration: Configuration,
    /// Whether the files are not those that are in service.
    unsettled: bool,
}

#[derive(Clone, Debug)]
struct Instance<'a> {
    name: String,
    kind: InstanceKind,
    installed: Vec<String>,
    dispatcher: Option<Dispatcher<'a>>,
}

/// All instances. What they are follows from the commands that were performed on them.
#[derive(Clone, Debug)]
pub(super) struct Instances<'a> {
    package: Option<&'a DispatcherPackage>,
    instances: Vec<Instance<'a>>,
}

impl<'a> Instances<'a> {
    /// Returns the instances before a deployment.
    pub(super) fn before(order: &Order<'a>, files: &DispatcherFiles<'a>) -> Self {
        let dispatcher = Dispatcher {
            attached: true,
            files: files.clone(),
            backup: None,
            configuration: Configuration::Unchanged,
            unsettled: false,
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
                    dispatcher.files.clean();
                    dispatcher.unsettled = true;
                }
            }
            _ if !succeeded => {}
            CommandKind::ManageElbLinksDetach => dispatcher.attached = false,
            CommandKind::ManageElbLinksAttach => dispatcher.attached = true,
            CommandKind::PerformBackup => dispatcher.backup = Some(dispatcher.files.clone()),
            CommandKind::ExtractDispatcherPackage => {
                if let Some(package) = self.package {
                    dispatcher.files.extract(package);
                }
            }
            CommandKind::RestoreBackup => {
                if let Some(backup) = &dispatcher.backup {
                    dispatcher.files.restore(backup);
                    dispatcher.configuration = Configuration::Restored;
                }
            }
            CommandKind::ReloadDispatcher => {
                dispatcher.unsettled = false;
                if dispatcher.configuration == Configuration::Unchanged {
                    dispatcher.configuration = Configuration::Deployed;
                    instance.installed.extend(self.package.map(|package| package.file.clone()));
                }
            }
            CommandKind::InstallClientPackages
            | CommandKind::TestDispatcherConfiguration
            | CommandKind::InvalidateDispatcherCache
            | CommandKind::FlushDispatcherCache => {}
        }
    }

    fn dispatchers(&self) -> impl Iterator<Item = (&str, &Dispatcher<'a>)> {
        self.instances.iter().filter_map(|one| Some((one.name.as_str(), one.dispatcher.as_ref()?)))
    }

    /// Returns the dispatchers that are out of the load balancer.
    pub(super) fn detached(&self) -> Vec<String> {
        let detached = self.dispatchers().filter(|(_, dispatcher)| !dispatcher.attached);
        detached.map(|(name, _)| name.to_owned()).collect()
    }

    /// Returns the dispatchers whose files are not those that are in service.
    pub(super) fn unsettled(&self) -> Vec<String> {
        let unsettled = self.dispatchers().filter(|(_, dispatcher)| dispatcher.unsettled);
        unsettled.map(|(name, _)| name.to_owned()).collect()
    }

    /// Returns the files of each dispatcher.
    #[cfg(test)]
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &DispatcherFiles<'a>)> {
        self.dispatchers().map(|(name, dispatcher)| (name, &dispatcher.files))
    }

    /// Returns the state of each instance.
    pub(super) fn into_states(self) -> Vec<InstanceState> {
        let state = |instance: Instance<'a>| InstanceState {
            attached: instance.dispatcher.as_ref().map(|dispatcher| dispatcher.attached),
            configuration: instance.dispatcher.map(|dispatcher| dispatcher.configuration),
            instance: instance.name,
            kind: instance.kind,
            installed: instance.installed,
        };
        self.instances.into_iter().map(state).collect()
    }
}
