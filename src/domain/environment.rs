//! Environments: where code is deployed.

use serde::{Deserialize, Serialize};

use super::id::EnvironmentId;
use super::variable::Variable;
use super::word::words;

/// The region of all environments.
pub const REGION: &str = "uswest2";

words! {
    /// The type of an environment.
    pub enum EnvironmentType {
        /// Development.
        Dev = "dev",
        /// Stage.
        Stage = "stage",
        /// Production.
        Prod = "prod",
    }
}

/// The instances of a managed-services environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    /// Author instances, at least one.
    pub authors: u32,
    /// Pairs of one publish instance and its dispatcher, at least one.
    pub pairs: u32,
    /// Whether a cold standby of the author exists.
    pub cold_standby: bool,
}

impl Default for Topology {
    /// Returns the smallest: one author, one publish instance, one dispatcher.
    fn default() -> Self {
        Self { authors: 1, pairs: 1, cold_standby: false }
    }
}

words! {
    /// Whether an environment can be deployed to.
    pub enum EnvironmentStatus {
        /// In service.
        Ready = "ready",
        /// Being created.
        Creating = "creating",
        /// Being changed.
        Updating = "updating",
        /// Being deleted.
        Deleting = "deleting",
        /// Out of order.
        Failed = "failed",
    }
}

/// An environment of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Identifier.
    pub id: EnvironmentId,
    /// Display name.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Purpose.
    pub environment_type: EnvironmentType,
    /// Whether it can be deployed to.
    pub status: EnvironmentStatus,
    /// Its instances.
    pub topology: Topology,
    /// Its variables, by name and service.
    pub variables: Vec<Variable>,
}
