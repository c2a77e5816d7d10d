//! What a build makes: two content packages, one of which needs the other, and a dispatcher
//! configuration.

use std::io;

use super::archive::archive;
use super::package::ContentPackage;
use super::{Artifact, ArtifactFile, ArtifactType, dispatcher, package};
use crate::domain::execution::Execution;

/// What the outputs of a build follow from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    repository: String,
    commit: String,
    version: String,
}

/// A file that a build makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// The package with the code.
    Apps,
    /// The package with the pages, which needs the code.
    Content,
    /// The dispatcher configuration.
    Dispatcher,
}

impl Output {
    /// All outputs, a package before those that need it.
    pub const ALL: [Self; 3] = [Self::Apps, Self::Content, Self::Dispatcher];

    /// Returns what it is.
    #[must_use]
    pub fn artifact_type(self) -> ArtifactType {
        match self {
            Self::Apps | Self::Content => ArtifactType::ContentPackage,
            Self::Dispatcher => ArtifactType::DispatcherConfiguration,
        }
    }

    fn module(self) -> &'static str {
        match self {
            Self::Apps => "ui.apps",
            Self::Content => "ui.content",
            Self::Dispatcher => "dispatcher.ams",
        }
    }
}

impl Build {
    /// Returns the build of a commit of the repository of that name, as that artifacts version.
    #[must_use]
    pub fn new(repository: &str, commit: &str, version: &str) -> Self {
        Self {
            repository: plain(repository, "site"),
            commit: plain(commit, "unknown"),
            version: plain(version, "0"),
        }
    }

    /// Returns the build whose artifacts an execution deploys: its own, or the one that they are
    /// taken from.
    #[must_use]
    pub fn of(execution: &Execution) -> Self {
        let code = &execution.plan.code;
        let version = match &code.built_by {
            Some(build) => build.version.clone(),
            None => execution.artifacts_version(),
        };
        Self::new(&code.repository, code.commit.as_deref().unwrap_or_default(), &version)
    }

    /// Returns the names of its files, in the order of [`Output::ALL`].
    #[must_use]
    pub fn file_names(&self) -> [String; 3] {
        Output::ALL.map(|output| self.file_name(output))
    }

    /// Returns the name of one of its files.
    #[must_use]
    pub fn file_name(&self, output: Output) -> String {
        format!("{}.{}-{}.zip", self.repository, output.module(), self.version)
    }

    /// Returns how one of its packages is known to AEM, or `None` for what is no package.
    #[must_use]
    pub fn package(&self, output: Output) -> Option<ContentPackage> {
        match output {
            Output::Apps => Some(self.apps()),
            Output::Content => Some(self.content()),
            Output::Dispatcher => None,
        }
    }

    fn apps(&self) -> ContentPackage {
        ContentPackage {
            group: self.repository.clone(),
            name: format!("{}.{}", self.repository, Output::Apps.module()),
            version: self.version.clone(),
            depends_on: Vec::new(),
        }
    }

    fn content(&self) -> ContentPackage {
        let apps = self.apps();
        ContentPackage {
            name: format!("{}.{}", self.repository, Output::Content.module()),
            depends_on: vec![apps.coordinates()],
            ..apps
        }
    }

    /// Returns one of its files with its description.
    pub fn file(&self, output: Output) -> io::Result<ArtifactFile> {
        let Self { repository, commit, version } = self;
        let (package, files) = match output {
            Output::Apps => {
                let package = self.apps();
                let files = package::code(&package, repository, commit);
                (Some(package), files)
            }
            Output::Content => {
                let package = self.content();
                let files = package::content(&package, repository, commit);
                (Some(package), files)
            }
            Output::Dispatcher => (None, dispatcher::files(repository, commit, version)),
        };
        let content = archive(&files)?;
        Ok(ArtifactFile::new(output.artifact_type(), self.file_name(output), package, content))
    }

    /// Returns the descriptions of its files, in the order of [`Output::ALL`].
    pub fn artifacts(&self) -> io::Result<Vec<Artifact>> {
        Output::ALL.into_iter().map(|output| Ok(self.file(output)?.artifact)).collect()
    }
}

/// Returns the text with only such characters as need no escape in paths, file names, XML and JSON.
fn plain(text: &str, otherwise: &str) -> String {
    let plain: String = text
        .chars()
        .map(|char| if char.is_ascii_alphanumeric() || "._-".contains(char) { char } else { '-' })
        .take(100)
        .collect();
    let plain = plain.trim_start_matches(['.', '-', '_']);
    if plain.is_empty() { otherwise.to_owned() } else { plain.to_owned() }
}

#[cfg(test)]
mod tests;
