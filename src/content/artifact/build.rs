//! The output of a build: generated packages and dispatcher artifacts, and stored files. By default
//! it is two content packages, one of which depends on the other, and a dispatcher artifact.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use super::archive::archive;
use super::package::ContentPackage;
use super::{Artifact, ArtifactFile, ArtifactType, dispatcher, package};
use crate::domain::build::{
    ContentKind, DispatcherOutput, Output, PackageOutput, PackageProperties, StoredFile,
};
use crate::domain::execution::Execution;

/// Everything that determines the outputs of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build<'a> {
    repository: String,
    commit: String,
    version: String,
    outputs: Option<&'a [Output]>,
}

/// A file that a build leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildFile<'a> {
    /// Its name.
    pub file: String,
    /// What it is to a deployment.
    pub role: FileRole,
    source: FileSource<'a>,
}

/// What a file is to a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileRole {
    /// An AEM package.
    Package(ContentPackage),
    /// A dispatcher artifact with these paths.
    Dispatcher(Arc<Vec<String>>),
    /// It is not deployed.
    Other,
}

/// Where the content of a file comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum FileSource<'a> {
    /// Generated: the package with the code, or one that a seed or scenario names.
    Code { site: Cow<'a, str> },
    /// Generated: the package with the pages.
    Content,
    /// Generated: the dispatcher configuration, with changes.
    Dispatcher { with: &'a [String], without: &'a [String] },
    /// Stored.
    Stored(&'a StoredFile),
}

/// The content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildContent {
    /// The bytes.
    Generated(Vec<u8>),
    /// The file that is stored.
    Stored(StoredFile),
}

/// The modules of the demo: the package with the code, the one with the pages, which needs the
/// code, and the dispatcher configuration.
const MODULES: [&str; 3] = ["ui.apps", "ui.content", "dispatcher.ams"];

impl<'a> Build<'a> {
    /// Returns the build of a commit of the repository of that name, as that artifacts version. It
    /// leaves the demo's files unless `outputs` says what.
    #[must_use]
    pub fn new(
        repository: &str,
        commit: &str,
        version: &str,
        outputs: Option<&'a [Output]>,
    ) -> Self {
        Self {
            repository: plain(repository, "site"),
            commit: plain(commit, "unknown"),
            version: plain(version, "0"),
            outputs,
        }
    }

    /// Returns the build whose artifacts an execution deploys: its own, or the one that they are
    /// taken from.
    #[must_use]
    pub fn of(execution: &'a Execution) -> Self {
        let code = &execution.plan.code;
        let version = match &code.built_by {
            Some(build) => build.version.clone(),
            None => execution.artifacts_version(),
        };
        let commit = code.commit.as_deref().unwrap_or_default();
        Self::new(&code.repository, commit, &version, code.outputs.as_deref())
    }

    /// Returns its files in order.
    #[must_use]
    pub fn files(&self) -> Vec<BuildFile<'a>> {
        match self.outputs {
            None => self.demo(),
            Some(outputs) => outputs.iter().map(|output| self.file_of(output)).collect(),
        }
    }

    fn demo(&self) -> Vec<BuildFile<'a>> {
        let Self { repository, commit: _, version, outputs: _ } = self;
        let [apps, content, dispatcher] = MODULES.map(|module| format!("{repository}.{module}"));
        let file_name = |name: &str| format!("{name}-{version}.zip");
        let package = |name: &str, depends_on| ContentPackage {
            group: repository.clone(),
            name: name.to_owned(),
            version: version.clone(),
            depends_on,
        };
        let apps_package = package(&apps, Vec::new());
        let content_package = package(&content, vec![apps_package.coordinates()]);
        vec![
            BuildFile {
                file: file_name(&apps),
                role: FileRole::Package(apps_package),
                source: FileSource::Code { site: repository.clone().into() },
            },
            BuildFile {
                file: file_name(&content),
                role: FileRole::Package(content_package),
                source: FileSource::Content,
            },
            BuildFile {
                file: file_name(&dispatcher),
                role: FileRole::Dispatcher(Arc::new(dispatcher::paths(&[], &[]))),
                source: FileSource::Dispatcher { with: &[], without: &[] },
            },
        ]
    }

    fn file_of(&self, output: &'a Output) -> BuildFile<'a> {
        match output {
            Output::Package(PackageOutput { group, name, version, depends_on }) => {
                let version = version.as_ref().unwrap_or(&self.version).clone();
                let package = ContentPackage {
                    group: group.as_ref().unwrap_or(&self.repository).clone(),
                    name: name.clone(),
                    version: version.clone(),
                    depends_on: depends_on.clone(),
                };
                BuildFile {
                    file: format!("{name}-{version}.zip"),
                    role: FileRole::Package(package),
                    source: FileSource::Code { site: name.into() },
                }
            }
            Output::Dispatcher(DispatcherOutput { name, with, without }) => BuildFile {
                file: format!("{name}-{}.zip", self.version),
                role: FileRole::Dispatcher(Arc::new(dispatcher::paths(with, without))),
                source: FileSource::Dispatcher { with, without },
            },
            Output::File(stored) => BuildFile {
                file: stored.file.clone(),
                role: FileRole::of(stored),
                source: FileSource::Stored(stored),
            },
        }
    }

    /// Returns the description of one of its files.
    pub fn artifact(&self, file: &BuildFile<'_>) -> io::Result<Artifact> {
        let FileSource::Stored(stored) = file.source else {
            return Ok(self.generate(file)?.artifact);
        };
        Ok(Artifact {
            artifact_type: file.artifact_type(),
            file: file.file.clone(),
            format: file.artifact_type().format(),
            md5: stored.content.md5.clone(),
            size: stored.content.size,
        })
    }

    /// Returns the content of one of its files.
    pub fn content(&self, file: &BuildFile<'_>) -> io::Result<BuildContent> {
        Ok(match file.source {
            FileSource::Stored(stored) => BuildContent::Stored(stored.clone()),
            _ => BuildContent::Generated(self.generate(file)?.content),
        })
    }

    pub(super) fn generate(&self, file: &BuildFile<'_>) -> io::Result<ArtifactFile> {
        let Self { repository, commit, version, outputs: _ } = self;
        let files = match (&file.source, &file.role) {
            (FileSource::Code { site }, FileRole::Package(package)) => {
                package::code(package, site, commit)
            }
            (FileSource::Content, FileRole::Package(package)) => {
                package::content(package, repository, commit)
            }
            (FileSource::Dispatcher { with, without }, _) => {
                dispatcher::files(repository, commit, version, with, without)
            }
            _ => super::archive::Files::new(),
        };
        Ok(ArtifactFile::new(file.artifact_type(), file.file.clone(), archive(&files)?))
    }
}

impl BuildFile<'_> {
    /// Returns its type, as the API names it. The API has no name for a file that is not deployed.
    #[must_use]
    pub fn artifact_type(&self) -> ArtifactType {
        match self.role {
            FileRole::Dispatcher(_) => ArtifactType::DispatcherConfiguration,
            FileRole::Package(_) | FileRole::Other => ArtifactType::ContentPackage,
        }
    }

    /// Returns the file with what it is to a deployment, as logs name it.
    #[must_use]
    pub fn description(&self) -> String {
        let file = &self.file;
        match &self.role {
            FileRole::Package(package) => format!("AEM package {file} ({})", package.coordinates()),
            FileRole::Dispatcher(_) => format!("Dispatcher artifact {file}"),
            FileRole::Other => format!(
                "{file} is not deployed: it has neither META-INF/vault/properties.xml nor a folder \
                 of a dispatcher configuration"
            ),
        }
    }
}

impl FileRole {
    fn of(stored: &StoredFile) -> Self {
        match &stored.content.kind {
            ContentKind::Package(PackageProperties { group, name, version, dependencies }) => {
                let stem = stored.file.strip_suffix(".zip").unwrap_or(&stored.file);
                Self::Package(ContentPackage {
                    group: group.clone(),
                    name: if name.is_empty() { stem.to_owned() } else { name.clone() },
                    version: version.clone(),
                    depends_on: dependencies.clone(),
                })
            }
            ContentKind::Dispatcher(files) => Self::Dispatcher(files.clone()),
            ContentKind::Other => Self::Other,
        }
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
