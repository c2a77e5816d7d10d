//! The configuration files of a dispatcher, with where each of them comes from.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::deployment::configuration::{IMMUTABLE_FILES, REPLACEABLE_FILES, is_immutable};
use crate::domain::id::ExecutionId;

/// The dispatcher artifact of an execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeployedArtifact {
    /// Its file.
    pub file: String,
    /// The execution that deployed it.
    pub execution: ExecutionId,
    /// The execution that built it.
    pub built_by: ExecutionId,
}

/// Where a configuration file comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileOrigin<'a> {
    /// It is immutable: no deployment changes it.
    Baseline,
    /// It was there before the first deployment.
    Provisioning,
    /// It was deployed.
    Artifact(&'a DeployedArtifact),
}

/// The files of a dispatcher that deployments change. The immutable ones are always there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DispatcherFiles(Vec<Layer>);

/// Files of one origin. Layers have no path in common, and none is empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layer {
    /// The artifact, or `None` for files of the provisioning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    artifact: Option<DeployedArtifact>,
    paths: BTreeSet<String>,
}

impl Default for DispatcherFiles {
    /// Returns the files of a dispatcher that nothing was deployed to.
    fn default() -> Self {
        let paths = REPLACEABLE_FILES.into_iter().map(str::to_owned).collect();
        Self(vec![Layer { artifact: None, paths }])
    }
}

impl DispatcherFiles {
    /// Returns each path with where its file comes from, sorted by path.
    #[must_use]
    pub fn list(&self) -> Vec<(&str, FileOrigin<'_>)> {
        let mut files: Vec<_> = IMMUTABLE_FILES.map(|path| (path, FileOrigin::Baseline)).into();
        for Layer { artifact, paths } in &self.0 {
            let origin = artifact.as_ref().map_or(FileOrigin::Provisioning, FileOrigin::Artifact);
            files.extend(paths.iter().map(|path| (path.as_str(), origin)));
        }
        files.sort_unstable_by_key(|(path, _)| *path);
        files
    }

    /// Deletes all but the immutable files.
    pub(super) fn clean(&mut self) {
        self.0.clear();
    }

    /// Adds the files of an artifact, but for the immutable ones.
    pub(super) fn extract(&mut self, artifact: &DeployedArtifact, paths: &[String]) {
        let paths: BTreeSet<_> = paths.iter().filter(|path| !is_immutable(path)).cloned().collect();
        for layer in &mut self.0 {
            layer.paths.retain(|path| !paths.contains(path));
        }
        self.0.push(Layer { artifact: Some(artifact.clone()), paths });
        self.0.retain(|layer| !layer.paths.is_empty());
    }

    /// Returns what is wrong with files that were read, or `None`.
    pub(super) fn find_fault(&self) -> Option<String> {
        let mut known = BTreeSet::new();
        let mut paths = self.0.iter().flat_map(|layer| &layer.paths);
        if self.0.iter().any(|layer| layer.paths.is_empty()) {
            return Some("an artifact has no files".into());
        }
        let wrong = paths.find(|path| is_immutable(path) || !known.insert(path.as_str()))?;
        Some(format!("{wrong} has two origins"))
    }
}
