//! Reads the outputs of builds from seeds and scenarios.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::content::artifact::{Reading, dispatcher_paths, is_artifact_path};
use crate::domain::build::{
    Content, ContentDigest, DispatcherOutput, Output, PackageOutput, StoredFile, file_name_problem,
};
use crate::domain::build_document::BuildDocument;
use crate::domain::deployment::Dependency;
use crate::domain::invalid::{self, Place};
use crate::domain::scenario_document::ScenarioDocument;

/// The most files that a build leaves.
const MOST_OUTPUTS: usize = 1000;

/// The most dependencies of a package.
const MOST_DEPENDENCIES: usize = 100;

/// The most paths that a dispatcher artifact has in addition or lacks.
const MOST_PATHS: usize = 1000;

/// The most bytes of a list of outputs, written as JSON. Each execution has a copy.
const LARGEST_OUTPUTS: usize = 256 * 1024;

/// The longest name, in bytes.
const LONGEST_NAME: usize = 100;

/// A zip file that a seed names.
#[derive(Clone, Debug)]
pub struct ZipFile {
    /// Where it is.
    pub path: PathBuf,
    /// The digest of its content.
    pub digest: ContentDigest,
    /// What is known of the content.
    pub content: Content,
}

/// Where the zip files of a document are.
pub(super) enum ZipFiles {
    /// Nowhere: the document comes from elsewhere, and may not name files of this machine.
    Refused,
    /// They have been read and stored before.
    Stored,
    /// In this directory, or relative to it; with those that have been read.
    Beside(PathBuf, Vec<ZipFile>),
}

impl ZipFiles {
    /// Returns those that have been read.
    pub fn into_read(self) -> Vec<ZipFile> {
        match self {
            Self::Beside(_, files) => files,
            Self::Refused | Self::Stored => Vec::new(),
        }
    }

    /// Adds the digests to the zip files of a scenario that has been read.
    pub fn add_digests(&mut self, scenario: &mut ScenarioDocument) {
        let builds = scenario.steps.iter_mut().filter_map(|entry| entry.builds.as_mut()).flatten();
        for document in builds.filter(|document| document.file.is_some()) {
            // What can't be read has been reported.
            let found = self.find(document);
            document.sha256 = found.ok().map(|file| file.digest.to_string());
        }
    }

    /// Returns the file of a document.
    fn find(&mut self, document: &BuildDocument) -> Result<StoredFile, String> {
        let path = Path::new(document.file.as_deref().unwrap_or_default());
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(problem) = file_name_problem(name) {
            return Err(format!("the name {problem}"));
        }
        let (digest, content) = match self {
            Self::Refused => {
                return Err("a zip file can only be named in a seed file; \
                    upload it with PUT …/commit/{commitId}/artifacts/{file}"
                    .into());
            }
            Self::Stored => {
                let digest = document.sha256.as_deref().unwrap_or_default().parse()?;
                (digest, Content::default())
            }
            Self::Beside(directory, files) => {
                if document.sha256.is_some() {
                    return Err("can't have sha256: it is added when the file is read".into());
                }
                let path = directory.join(path);
                let file = if let Some(file) = files.iter().find(|file| file.path == path) {
                    file.clone()
                } else {
                    let file = read_zip(path)?;
                    files.push(file.clone());
                    file
                };
                (file.digest, file.content)
            }
        };
        Ok(StoredFile { file: name.to_owned(), digest, content: Arc::new(content) })
    }
}

fn read_zip(path: PathBuf) -> Result<ZipFile, String> {
    let wrong =
        |error: &dyn std::fmt::Display| format!("{} can't be used: {error}", path.display());
    let file = File::open(&path).map_err(|error| wrong(&error))?;
    let length = file.metadata().map_err(|error| wrong(&error))?.len();
    if length > LARGEST_ARTIFACT {
        return Err(wrong(&format!("it has more than {LARGEST_ARTIFACT} bytes")));
    }
    let Reading { digest, content } =
        Reading::of(BufReader::new(file)).map_err(|error| wrong(&error))?;
    Ok(ZipFile { path, digest, content })
}

/// The largest zip file that is stored, in bytes.
pub const LARGEST_ARTIFACT: u64 = 512 * 1024 * 1024;

/// Reads what a build leaves. Outputs with mistakes are left out.
pub(super) fn read_outputs(
    documents: &[BuildDocument],
    zips: &mut ZipFiles,
    place: &mut Place<'_>,
) -> Vec<Output> {
    if documents.len() > MOST_OUTPUTS {
        place.wrong("builds", format!("must not have more than {MOST_OUTPUTS} items"));
    }
    let size = serde_json::to_vec(documents).map_or(usize::MAX, |json| json.len());
    if size > LARGEST_OUTPUTS {
        place.wrong("builds", format!("must not have more than {LARGEST_OUTPUTS} bytes in all"));
        return Vec::new();
    }
    let mut outputs = Vec::new();
    for (index, document) in documents.iter().take(MOST_OUTPUTS).enumerate() {
        let place = &mut place.at(&format!("builds[{index}]"));
        outputs.extend(read_output(document, zips, place));
    }
    outputs
}

fn read_output(
    document: &BuildDocument,
    zips: &mut ZipFiles,
    place: &mut Place<'_>,
) -> Option<Output> {
    let known = place.count();
    let BuildDocument {
        package, group, version, depends_on, dispatcher, with, without, file, ..
    } = document;
    let output = match (package, dispatcher, file) {
        (Some(package), None, None) => {
            check_name("package", package, false, place);
            for (field, text, slashes) in [("group", group, true), ("version", version, false)] {
                if let Some(text) = text {
                    check_name(field, text, slashes, place);
                }
            }
            check_dependencies(depends_on, place);
            Output::Package(PackageOutput {
                group: group.clone(),
                name: package.clone(),
                version: version.clone(),
                depends_on: depends_on.clone(),
            })
        }
        (None, Some(dispatcher), None) => {
            check_name("dispatcher", dispatcher, false, place);
            check_paths(with, without, place);
            let (name, with, without) = (dispatcher.clone(), with.clone(), without.clone());
            Output::Dispatcher(DispatcherOutput { name, with, without })
        }
        (None, None, Some(_)) => match zips.find(document) {
            Ok(file) => Output::File(file),
            Err(problem) => {
                place.wrong("file", problem);
                return None;
            }
        },
        _ => {
            place.wrong("", "must have exactly one of package, dispatcher and file");
            return None;
        }
    };
    check_fields(document, place);
    (place.count() == known).then_some(output)
}

/// Checks that there are no fields of the other kinds of outputs.
fn check_fields(document: &BuildDocument, place: &mut Place<'_>) {
    let BuildDocument {
        package,
        group,
        version,
        depends_on,
        dispatcher,
        with,
        without,
        file,
        sha256,
    } = document;
    let fields = [
        ("group", group.is_some(), package, "package"),
        ("version", version.is_some(), package, "package"),
        ("dependsOn", !depends_on.is_empty(), package, "package"),
        ("with", !with.is_empty(), dispatcher, "dispatcher"),
        ("without", !without.is_empty(), dispatcher, "dispatcher"),
        ("sha256", sha256.is_some(), file, "file"),
    ];
    for (field, is_there, owner, name) in fields {
        if is_there && owner.is_none() {
            place.wrong(field, format!("is only allowed with {name}"));
        }
    }
}

/// Checks a name that becomes part of file names, paths and XML.
fn check_name(field: &str, text: &str, slashes: bool, place: &mut Place<'_>) {
    let is_plain = |char: char| {
        char.is_ascii_alphanumeric() || "._-".contains(char) || (slashes && char == '/')
    };
    let begins = text.starts_with(|char: char| char.is_ascii_alphanumeric() || char == '_');
    if !begins || text.len() > LONGEST_NAME || !text.chars().all(is_plain) {
        let signs = if slashes { ". _ - /" } else { ". _ -" };
        let message = format!(
            "must have 1 to {LONGEST_NAME} letters, digits and {signs}, and begin with a letter, a digit or _"
        );
        place.wrong(field, message);
    }
}

fn check_dependencies(dependencies: &[String], place: &mut Place<'_>) {
    if dependencies.len() > MOST_DEPENDENCIES {
        place.wrong("dependsOn", format!("must not have more than {MOST_DEPENDENCIES} items"));
    }
    for (index, dependency) in dependencies.iter().take(MOST_DEPENDENCIES).enumerate() {
        let field = format!("dependsOn[{index}]");
        let is_plain = |char: char| char.is_ascii_alphanumeric() || "._-/:,[]() ".contains(char);
        if dependency.len() > 3 * LONGEST_NAME || !dependency.chars().all(is_plain) {
            let most = 3 * LONGEST_NAME;
            let signs = "letters, digits, spaces and . _ - / : , [ ] ( )";
            place.wrong(&field, format!("must have at most {most} {signs}"));
        } else if let Err(problem) = dependency.parse::<Dependency>() {
            place.wrong(&field, problem);
        }
    }
}

fn check_paths(with: &[String], without: &[String], place: &mut Place<'_>) {
    for (field, paths) in [("with", with), ("without", without)] {
        if paths.len() > MOST_PATHS {
            place.wrong(field, format!("must not have more than {MOST_PATHS} items"));
        }
    }
    for (index, path) in with.iter().take(MOST_PATHS).enumerate() {
        if !is_artifact_path(path) {
            let message =
                "must be a relative path of a file, such as conf.d/available_vhosts/a.vhost";
            place.wrong(&format!("with[{index}]"), message);
        }
    }
    let known: BTreeSet<&str> =
        dispatcher_paths().into_iter().chain(with.iter().map(String::as_str)).collect();
    let names: Vec<&str> = known.iter().copied().collect();
    for (index, path) in without.iter().take(MOST_PATHS).enumerate() {
        if !known.contains(path.as_str()) {
            let message =
                format!("{path} {}", invalid::unknown("file of the artifact", path, &names));
            place.wrong(&format!("without[{index}]"), message);
        } else if with.contains(path) {
            place.wrong(&format!("without[{index}]"), "is also in with");
        }
    }
}
