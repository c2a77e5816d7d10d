//! What a build makes: two content packages, one of which needs the other, and a dispatcher
//! configuration.

use std::io;

use super::archive::archive;
use super::package::Package;
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

    /// What it is.
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
    /// The build of a commit of the repository of that name, as that artifacts version.
    #[must_use]
    pub fn new(repository: &str, commit: &str, version: &str) -> Self {
        Self {
            repository: plain(repository, "site"),
            commit: plain(commit, "unknown"),
            version: plain(version, "0"),
        }
    }

    /// The build whose artifacts an execution deploys: its own, or the one that they are taken from.
    #[must_use]
    pub fn of(execution: &Execution) -> Self {
        let code = &execution.plan.code;
        let version = match &code.built_by {
            Some(build) => build.version.clone(),
            None => execution.artifacts_version(),
        };
        Self::new(&code.repository, code.commit.as_deref().unwrap_or_default(), &version)
    }

    /// The names of its files, in the order of [`Output::ALL`].
    #[must_use]
    pub fn file_names(&self) -> [String; 3] {
        Output::ALL.map(|output| self.file_name(output))
    }

    /// The name of one of its files.
    #[must_use]
    pub fn file_name(&self, output: Output) -> String {
        format!("{}.{}-{}.zip", self.repository, output.module(), self.version)
    }

    /// How one of its packages is known to AEM; none for what is no package.
    #[must_use]
    pub fn package(&self, output: Output) -> Option<Package> {
        match output {
            Output::Apps => Some(self.apps()),
            Output::Content => Some(self.content()),
            Output::Dispatcher => None,
        }
    }

    fn apps(&self) -> Package {
        Package {
            group: self.repository.clone(),
            name: format!("{}.{}", self.repository, Output::Apps.module()),
            version: self.version.clone(),
            depends_on: Vec::new(),
        }
    }

    fn content(&self) -> Package {
        let apps = self.apps();
        Package {
            name: format!("{}.{}", self.repository, Output::Content.module()),
            depends_on: vec![apps.coordinates()],
            ..apps
        }
    }

    /// One of its files with its description.
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

    /// The descriptions of its files, in the order of [`Output::ALL`].
    pub fn artifacts(&self) -> io::Result<Vec<Artifact>> {
        Output::ALL.into_iter().map(|output| Ok(self.file(output)?.artifact)).collect()
    }
}

/// The text with only such characters as need no escape in paths, file names, XML and JSON.
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
mod tests {
    use std::collections::BTreeMap;
    use std::io::{Cursor, Read};

    use proptest::prelude::*;
    use zip::ZipArchive;

    use super::*;

    const VERSION: &str = "2026.1123.24149.0000953671";

    fn build(commit: &str) -> Build {
        Build::new("we-retail", commit, VERSION)
    }

    fn unzip(build: &Build, output: Output) -> BTreeMap<String, String> {
        let file = build.file(output).unwrap();
        let mut archive = ZipArchive::new(Cursor::new(file.content)).unwrap();
        (0..archive.len())
            .map(|position| {
                let mut entry = archive.by_index(position).unwrap();
                let mut text = String::new();
                entry.read_to_string(&mut text).unwrap();
                (entry.name().unwrap().into_owned(), text)
            })
            .collect()
    }

    #[test]
    fn files_are_named_by_repository_and_version() {
        assert_eq!(
            build("c0ffee").file_names(),
            [
                "we-retail.ui.apps-2026.1123.24149.0000953671.zip",
                "we-retail.ui.content-2026.1123.24149.0000953671.zip",
                "we-retail.dispatcher.ams-2026.1123.24149.0000953671.zip",
            ]
        );
    }

    #[test]
    fn the_pages_need_the_code() {
        let artifacts = build("c0ffee").artifacts().unwrap();
        let packages: Vec<_> = artifacts.iter().map(|artifact| &artifact.package).collect();
        let [Some(apps), Some(content), None] = packages[..] else { panic!("{packages:?}") };
        assert_eq!(apps.coordinates(), format!("we-retail:we-retail.ui.apps:{VERSION}"));
        assert!(apps.depends_on.is_empty());
        assert_eq!(content.depends_on, [apps.coordinates()]);
        assert_eq!(artifacts[2].artifact_type, ArtifactType::DispatcherConfiguration);
    }

    #[test]
    fn packages_hold_what_a_package_manager_asks_for() {
        let build = build("c0ffee");
        for (output, package_type, root) in [
            (Output::Apps, "application", "/apps/we-retail"),
            (Output::Content, "content", "/content/we-retail"),
        ] {
            let files = unzip(&build, output);
            let package = build.package(output).unwrap();
            let properties = &files["META-INF/vault/properties.xml"];
            let entry = |key: &str, value: &str| {
                let entry = format!("<entry key=\"{key}\">{value}</entry>");
                assert!(properties.contains(&entry), "{entry} in {properties}");
            };
            entry("group", &package.group);
            entry("name", &package.name);
            entry("version", VERSION);
            entry("packageType", package_type);
            entry("dependencies", &package.depends_on.join(","));
            let filter = &files["META-INF/vault/filter.xml"];
            assert!(filter.contains(&format!("<filter root=\"{root}\"/>")), "{filter}");
            assert!(files.contains_key(&format!("jcr_root{root}/.content.xml")));
            let manifest = &files["META-INF/MANIFEST.MF"];
            assert!(manifest.lines().all(|line| line.len() <= 72), "{manifest}");
            let unfolded = manifest.replace("\r\n ", "");
            let id = format!("Content-Package-Id: {}\r\n", package.coordinates());
            assert!(unfolded.contains(&id), "{unfolded}");
            assert!(files.values().any(|text| text.contains("c0ffee")));
        }
    }

    #[test]
    fn the_dispatcher_configuration_is_complete() {
        let files = unzip(&build("c0ffee"), Output::Dispatcher);
        for path in [
            "conf/httpd.conf",
            "conf.d/dispatcher_vhost.conf",
            "conf.d/available_vhosts/aem_publish.vhost",
            "conf.d/enabled_vhosts/aem_publish.vhost",
            "conf.d/rewrites/base_rewrite.rules",
            "conf.dispatcher.d/dispatcher.any",
            "conf.dispatcher.d/enabled_farms/999_ams_publish_farm.any",
        ] {
            assert!(files.contains_key(path), "{path}");
        }
        let placeholder = ["{site}", "{commit}", "{version}"];
        assert!(!files.values().any(|text| placeholder.iter().any(|name| text.contains(name))));
        assert!(files["conf.d/variables/ams_default.vars"].contains("commit c0ffee"));
    }

    #[test]
    fn every_included_file_is_there() {
        let files = unzip(&build("c0ffee"), Output::Dispatcher);
        let included = files.values().flat_map(|text| text.lines()).filter_map(|line| {
            let line = line.trim();
            let path = line.strip_prefix("Include ").or_else(|| line.strip_prefix("$include "))?;
            Some(path.trim_matches('"').trim_start_matches("/etc/httpd/").to_owned())
        });
        let mut count = 0;
        for path in included {
            let (start, end) = path.split_once('*').unwrap_or((&path, ""));
            let found = files.keys().any(|file| file.starts_with(start) && file.ends_with(end));
            assert!(found, "{path}");
            count += 1;
        }
        assert!(count > 20);
    }

    #[test]
    fn the_same_commit_gives_the_same_bytes_and_another_one_others() {
        for output in Output::ALL {
            let file = build("c0ffee").file(output).unwrap();
            assert_eq!(file, build("c0ffee").file(output).unwrap());
            assert_ne!(file.artifact.md5, build("decaf").file(output).unwrap().artifact.md5);
        }
    }

    #[test]
    fn bytes_never_change_between_releases() {
        let artifacts = build("c0ffee").artifacts().unwrap();
        let md5: Vec<_> = artifacts.iter().map(|artifact| artifact.md5.as_str()).collect();
        assert_eq!(
            md5,
            [
                "9d271c932e23c1be6e39216113ea1aa5",
                "7a83114320bdd706e247dacf2eb626db",
                "6234805ffde15cad167dfb56a1d32b33"
            ]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_names_give_archives_that_open(
            repository in any::<String>(), commit in any::<String>(), version in any::<String>(),
        ) {
            let build = Build::new(&repository, &commit, &version);
            for output in Output::ALL {
                prop_assert!(!build.file_name(output).contains(['/', '\\', '"', '<', '&']));
                prop_assert!(unzip(&build, output).len() > 4);
            }
        }
    }
}
