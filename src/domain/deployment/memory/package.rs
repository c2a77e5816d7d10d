//! Packages on instances.

use serde::{Deserialize, Serialize};

use crate::domain::deployment::PresentPackage;
use crate::domain::id::ExecutionId;
use crate::domain::time::Timestamp;

/// A package on an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstalledPackage {
    /// Its group in Package Manager.
    pub group: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The file that it was installed from.
    pub file: String,
    /// The execution that deployed it.
    pub execution: ExecutionId,
    /// The execution that built it.
    pub built_by: ExecutionId,
    /// When it was installed.
    pub installed_at: Timestamp,
}

impl From<&InstalledPackage> for PresentPackage {
    fn from(InstalledPackage { group, name, version, .. }: &InstalledPackage) -> Self {
        Self { group: group.clone(), name: name.clone(), version: version.clone() }
    }
}
