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

/// Reads a stored number of instances.
fn read_count<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let count = u32::deserialize(deserializer)?;
    if Topology::is_possible(count) {
        return Ok(count);
    }
    Err(serde::de::Error::custom("authors and pairs must be from 1 to 100"))
}

/// The instances of a managed-services environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    /// Author instances, from 1 to 100.
    #[serde(deserialize_with = "read_count")]
    pub authors: u32,
    /// Pairs of one publish instance and its dispatcher, from 1 to 100.
    #[serde(deserialize_with = "read_count")]
    pub pairs: u32,
    /// Whether a cold standby of the author exists.
    pub cold_standby: bool,
}

impl Topology {
    /// Returns whether a number of author instances, or of pairs, is possible.
    #[must_use]
    pub fn is_possible(count: u32) -> bool {
        (1..=100).contains(&count)
    }

    /// Returns whether its numbers of instances are possible.
    #[must_use]
    pub fn is_sound(self) -> bool {
        Self::is_possible(self.authors) && Self::is_possible(self.pairs)
    }
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
