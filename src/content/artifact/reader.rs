//! Reads a real zip file and determines how deployments use it. The file is not trusted: sizes are
//! limited, and paths and links that lead out of the file are refused.

mod path;
mod properties;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use md5::{Digest, Md5};
use sha2::Sha256;
use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use crate::domain::build::{Content, ContentDigest, ContentKind};

/// The most entries of a zip file.
const MOST_ENTRIES: usize = 100_000;

/// The most bytes of a zip file's directory. The directory is read into memory.
const LARGEST_DIRECTORY: u64 = 32 * 1024 * 1024;

/// The most bytes of the properties of a package.
const LARGEST_PROPERTIES: u64 = 1024 * 1024;

/// The most bytes of the target of a link.
const LONGEST_TARGET: u64 = 4096;

/// How many times larger than the zip file its content may be, if it is larger than
/// [`LARGE_CONTENT`].
const HIGHEST_RATIO: u64 = 200;

/// The size of content that may have any ratio, in bytes.
const LARGE_CONTENT: u64 = 256 * 1024 * 1024;

/// Where the properties of a content package are.
const PROPERTIES: &str = "META-INF/vault/properties.xml";

/// The folders at the root of a dispatcher artifact.
const DISPATCHER_FOLDERS: [&str; 4] = ["conf", "conf.d", "conf.modules.d", "conf.dispatcher.d"];

/// Why a file can't be an artifact.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// It is no zip file, or one that is not accepted.
    #[error("{0}")]
    Refused(String),
    /// It could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The digest of its content.
    pub digest: ContentDigest,
    /// What is known of the content.
    pub content: Content,
}

impl Reading {
    /// Reads a zip file.
    pub fn of(mut file: impl Read + Seek) -> Result<Self, ArtifactError> {
        let (mut sha256, mut md5) = (Sha256::new(), Md5::new());
        let mut size = 0_u64;
        let mut piece = vec![0; 64 * 1024];
        file.seek(SeekFrom::Start(0))?;
        loop {
            let length = match file.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            let Some(read @ [_, ..]) = piece.get(..length) else { break };
            sha256.update(read);
            md5.update(read);
            size = size.saturating_add(length as u64);
        }
        let kind = read_kind(&mut file, size)?;
        let md5 = format!("{:x}", md5.finalize());
        let digest = ContentDigest(sha256.finalize().into());
        Ok(Self { digest, content: Content { size, md5, kind } })
    }
}

/// Returns what a zip file of that size is to a deployment.
fn read_kind(file: impl Read + Seek, size: u64) -> Result<ContentKind, ArtifactError> {
    let left = Cell::new(LARGEST_DIRECTORY);
    let mut archive = ZipArchive::new(BoundedFile { file, left: &left }).map_err(refused)?;
    // What is read from here on is bounded by itself.
    left.set(u64::MAX);
    if archive.len() > MOST_ENTRIES {
        return Err(refuse(format!("it has more than {MOST_ENTRIES} entries")));
    }
    if archive.has_duplicate_names() {
        return Err(refuse("two entries have the same name"));
    }
    let ZipEntries { files, properties } = read_entries(&mut archive, size)?;
    if let Some(position) = properties {
        let entry = archive.by_index(position).map_err(refused)?;
        let text = read_all(entry, LARGEST_PROPERTIES, PROPERTIES)?;
        return properties::read(&text)
            .map(ContentKind::Package)
            .map_err(|problem| refuse(format!("{PROPERTIES} can't be read: {problem}")));
    }
    let is_configuration = |path: &String| {
        let folder = path.split_once('/').map(|(folder, _)| folder);
        folder.is_some_and(|folder| DISPATCHER_FOLDERS.contains(&folder))
    };
    Ok(if files.iter().any(is_configuration) {
        let files = files.into_iter().filter(|path| !path.ends_with('/'));
        ContentKind::Dispatcher(Arc::new(files.collect()))
    } else {
        ContentKind::Other
    })
}

/// Returns whether a text is the plain path of a file in a zip file.
#[must_use]
pub fn is_artifact_path(text: &str) -> bool {
    !text.ends_with('/') && path::normal(text).is_ok_and(|path| path == text)
}

/// What the directory of a zip file says.
struct ZipEntries {
    /// The paths of files, links and folders; those of folders end with `/`.
    files: BTreeSet<String>,
    /// The position of the properties of a package.
    properties: Option<usize>,
}

/// Reads the directory of a zip file, and checks each path in it.
fn read_entries<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    size: u64,
) -> Result<ZipEntries, ArtifactError> {
    let mut entries = ZipEntries { files: BTreeSet::new(), properties: None };
    let mut total = 0_u64;
    for position in 0..archive.len() {
        let entry = archive.by_index_data(position).map_err(refused)?;
        total = total.saturating_add(entry.size());
        let name = entry.name().map_err(refused)?.into_owned();
        let is_link = entry.is_symlink();
        let path = path::normal(&name).map_err(|problem| refuse_path(&name, problem))?;
        if is_link {
            let link = archive.by_index(position).map_err(refused)?;
            let target = read_all(link, LONGEST_TARGET, &name)?;
            path::check_target(&path, &target).map_err(|problem| refuse_path(&name, problem))?;
        }
        if path == PROPERTIES && !is_link {
            entries.properties = Some(position);
        }
        if !path.is_empty() && !entries.files.insert(path) {
            return Err(refuse_path(&name, "it is there twice"));
        }
    }
    if total > LARGE_CONTENT && total / HIGHEST_RATIO > size {
        return Err(refuse(format!("its content is more than {HIGHEST_RATIO} times larger")));
    }
    Ok(entries)
}

/// Reads an entry whole, if it has at most that many bytes.
fn read_all<R: Read>(
    entry: ZipFile<'_, R>,
    most: u64,
    name: &str,
) -> Result<Vec<u8>, ArtifactError> {
    let mut bytes = Vec::new();
    let unreadable =
        |error: io::Error| refuse(format!("{} can't be read: {error}", name.escape_debug()));
    entry.take(most + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > most {
        return Err(refuse(format!("{} has more than {most} bytes", name.escape_debug())));
    }
    Ok(bytes)
}

fn refuse(problem: impl Into<String>) -> ArtifactError {
    ArtifactError::Refused(problem.into())
}

fn refuse_path(name: &str, problem: &str) -> ArtifactError {
    refuse(format!("the entry {} is not accepted: {problem}", name.escape_debug()))
}

fn refused(error: ZipError) -> ArtifactError {
    match error {
        ZipError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            refuse(format!("it can't be read as a zip file: {error}"))
        }
        error => refuse(format!("it is no zip file: {error}")),
    }
}

/// A file of which only so many bytes are read.
struct BoundedFile<'a, R> {
    file: R,
    left: &'a Cell<u64>,
}

impl<R: Read> Read for BoundedFile<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        let left = self.left.get().checked_sub(length as u64);
        self.left.set(left.ok_or_else(|| io::Error::other("its directory is too large"))?);
        Ok(length)
    }
}

impl<R: Seek> Seek for BoundedFile<'_, R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}
