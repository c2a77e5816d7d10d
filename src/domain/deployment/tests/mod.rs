//! The rules of deployments: examples, and properties of random ones.

mod examples;
mod memory;
mod packages;
mod properties;

use std::sync::Arc;

use crate::domain::environment::{EnvironmentType, Topology};
use crate::domain::pipeline::StepOptions;

use super::{DispatcherPackage, Failure, IMMUTABLE_FILES, Order, Package, Run, perform, plan};

/// Everything that an order refers to.
#[derive(Clone, Debug)]
struct Case {
    environment_type: EnvironmentType,
    topology: Topology,
    packages: Vec<Package>,
    dispatcher_package: Option<DispatcherPackage>,
    options: StepOptions,
}

impl Case {
    fn new(environment_type: EnvironmentType, authors: u32, pairs: u32) -> Self {
        Self {
            environment_type,
            topology: Topology { authors, pairs, cold_standby: false },
            packages: vec![package("ui.apps", &["core"]), package("core", &[])],
            dispatcher_package: Some(full_dispatcher_package()),
            options: StepOptions::default(),
        }
    }

    fn order(&self) -> Order<'_> {
        Order {
            environment_type: self.environment_type,
            topology: self.topology,
            region: "uswest2",
            packages: &self.packages,
            dispatcher_package: self.dispatcher_package.as_ref(),
            options: &self.options,
        }
    }

    fn perform(&self, failures: &[Failure]) -> Run {
        perform(&self.order(), failures)
    }
}

/// The entries of a dispatcher package beside the immutable files, and one of these.
const OWN: [&str; 8] = [
    "conf/",
    "conf/magic",
    "./conf.d/",
    "./conf.d/security.conf",
    "conf.d/available_vhosts/weretail.vhost",
    "conf.d/enabled_vhosts/weretail.vhost",
    "conf.dispatcher.d/enabled_farms/weretail.any",
    "conf.dispatcher.d/filters/weretail_filters.any",
];

fn full_dispatcher_package() -> DispatcherPackage {
    dispatcher_package(&OWN.into_iter().chain(IMMUTABLE_FILES).collect::<Vec<_>>())
}

fn package(name: &str, depends_on: &[&str]) -> Package {
    Package {
        group: "weretail".into(),
        name: name.into(),
        version: "2.1.0".into(),
        file: format!("{name}-2.1.0.zip"),
        depends_on: depends_on.iter().map(|name| name.parse().unwrap()).collect(),
    }
}

fn dispatcher_package(entries: &[&str]) -> DispatcherPackage {
    DispatcherPackage {
        file: "dispatcher-2.1.0.zip".into(),
        entries: Arc::new(entries.iter().map(|&path| path.into()).collect()),
    }
}
