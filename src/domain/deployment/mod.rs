//! Deployments: the commands for a topology, artifacts and options, and what happens when they are
//! performed.
//!
//! - Non-production is fast: everything goes to all instances at once.
//! - Production is rolling: the authors, then pair after pair, each out of the load balancer only
//!   while it changes.
//! - When a command fails, the rest of its stage is completed and no later stage begins. Then each
//!   dispatcher gets a configuration that can stay: the new one is reloaded where its test passed,
//!   any other is restored from the backup. Every dispatcher goes back into the load balancer.
//!
//! A cold standby gets no packages: it copies the author's repository by itself.
//!
//! Source: the deployment process in Cloud Manager's documentation of code deployment.

mod command;
mod configuration;
mod dependency;
mod failure;
mod instance;
pub mod memory;
mod package;
mod plan;
mod progress;
mod run;

#[cfg(test)]
mod tests;

pub use command::{Command, CommandKind};
pub use configuration::IMMUTABLE_FILES;
pub use dependency::{Dependency, split_dependencies};
pub use failure::Failure;
pub use instance::{Configuration, InstanceKind, InstanceState, environment_urls};
pub use package::{
    DispatcherPackage, Package, PresentPackage, in_dependency_order, met_by_aem, needed_from,
    open_dependencies, package_problems,
};
pub use plan::plan;
pub use progress::DeploymentProgress;
pub use run::{Performed, Run, perform};

use super::environment::{EnvironmentType, Topology};
use super::pipeline::StepOptions;

/// The path of the whole cache of a dispatcher.
const WHOLE_CACHE: &str = "/";

/// What to deploy, where and how.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The environment's purpose: production is rolling.
    pub environment_type: EnvironmentType,
    /// The environment's instances.
    pub topology: Topology,
    /// The region that the names of the instances end with.
    pub region: &'a str,
    /// The AEM packages, in any order.
    pub packages: &'a [Package],
    /// The dispatcher configuration, if the build made one.
    pub dispatcher_package: Option<&'a DispatcherPackage>,
    /// The options of the deploy step.
    pub options: &'a StepOptions,
}

impl Order<'_> {
    /// Returns the names of all instances of a kind, in order.
    fn instances(&self, kind: InstanceKind) -> Vec<String> {
        let count = match kind {
            InstanceKind::Author => self.topology.authors,
            InstanceKind::Publish | InstanceKind::Dispatcher => self.topology.pairs,
        };
        (1..=count).map(|number| kind.name(number, self.region)).collect()
    }

    /// Returns the paths that are invalidated and those that are flushed in the cache of each
    /// dispatcher. In production the whole cache is flushed where no path is configured.
    fn cache_paths(&self) -> [(CommandKind, Vec<String>); 2] {
        let StepOptions {
            dispatcher_cache_invalidation_paths: invalidated,
            dispatcher_cache_flush_paths: flushed,
            ..
        } = self.options;
        let mut flushed = flushed.clone().unwrap_or_default();
        if flushed.is_empty() && self.environment_type == EnvironmentType::Prod {
            flushed.push(WHOLE_CACHE.to_owned());
        }
        [
            (CommandKind::InvalidateDispatcherCache, invalidated.clone().unwrap_or_default()),
            (CommandKind::FlushDispatcherCache, flushed),
        ]
    }

    /// Returns whether a command is performed with what a failure names: a path, or a package by
    /// its file, its name, or `group:name`.
    fn is_subject(&self, command: &Command, wanted: &str) -> bool {
        let Some(subject) = &command.subject else { return false };
        subject == wanted
            || self.packages.iter().any(|one| one.file == *subject && one.is_named(wanted))
    }

    /// Returns whether the dispatchers leave the load balancer; in production they always do.
    fn detaches_dispatchers(&self) -> bool {
        self.environment_type == EnvironmentType::Prod
            || self.options.skip_detaching_dispatchers != Some(true)
    }
}
