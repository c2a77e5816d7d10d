//! The output of a build: packages, dispatcher artifacts and other files.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The SHA-256 of a stored file, written as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentDigest(pub [u8; 32]);

impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for ContentDigest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "must have 64 hexadecimal digits".to_owned();
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(wrong());
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            let digits = text.get(2 * index..2 * index + 2).ok_or_else(wrong)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for ContentDigest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentDigest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A file in the output of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Output {
    /// A content package that is generated.
    Package(PackageOutput),
    /// A dispatcher artifact that is generated.
    Dispatcher(DispatcherOutput),
    /// A file that is stored.
    File(StoredFile),
}

/// A content package that is generated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageOutput {
    /// Its group; the repository's name if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its name.
    pub name: String,
    /// Its version; the version of the artifacts if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What must be installed before it, as `name`, `group:name` or `group:name:range`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
}

/// A dispatcher artifact that is generated: the demo's files, with changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatcherOutput {
    /// The beginning of its file name.
    pub name: String,
    /// Additional files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<String>,
    /// Files that it lacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
}

/// A stored file and the name that it has in a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// The name of the file.
    pub file: String,
    /// The digest of its content.
    pub digest: ContentDigest,
    /// The properties of the content. They are stored once, and filled in when this is read.
    #[serde(skip)]
    pub content: Arc<Content>,
}

/// The properties of the content of a stored file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Length in bytes.
    pub size: u64,
    /// MD5 in hexadecimal digits.
    pub md5: String,
    /// How deployments use it.
    pub kind: ContentKind,
}

/// How deployments use a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ContentKind {
    /// A content package.
    Package(PackageProperties),
    /// A dispatcher artifact, with the sorted paths of its files.
    Dispatcher(Arc<Vec<String>>),
    /// Any other file, which is not deployed.
    #[default]
    Other,
}

/// The properties of a content package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageProperties {
    /// Its group.
    pub group: String,
    /// Its name; empty if it is that of the file.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What must be installed before it.
    pub dependencies: Vec<String>,
}

/// Returns the stored files among the outputs.
pub fn stored_files(outputs: Option<&[Output]>) -> impl Iterator<Item = &StoredFile> {
    outputs.unwrap_or_default().iter().filter_map(|output| match output {
        Output::File(file) => Some(file),
        Output::Package(_) | Output::Dispatcher(_) => None,
    })
}

/// Returns what is wrong with the name of an artifact's file, or `None`.
#[must_use]
pub fn file_name_problem(name: &str) -> Option<&'static str> {
    let is_plain = |char: char| !char.is_control() && !"/\\\":*?<>|".contains(char);
    if name.len() > 255 || !name.chars().all(is_plain) {
        return Some("must have at most 255 bytes and no slashes, quotes or control characters");
    }
    let is_zip = name.strip_suffix(".zip").is_some_and(|stem| !stem.trim_matches('.').is_empty());
    (!is_zip).then_some("must end with .zip, as what a build leaves in target/*.zip")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_it_is_written() {
        let digest =
            ContentDigest(std::array::from_fn(|index| u8::try_from(index * 8 % 256).unwrap()));
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for wrong in ["", "00", &"g".repeat(64), &"é".repeat(32)] {
            assert!(wrong.parse::<ContentDigest>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn artifacts_are_zip_files_with_plain_names() {
        for name in ["a.zip", "acme.all-1.4.0.zip", "a b.zip", "ü.zip"] {
            assert_eq!(file_name_problem(name), None, "{name}");
        }
        let long = format!("{}.zip", "a".repeat(255));
        for name in
            ["", ".zip", "..zip", "a", "a.jar", "a/b.zip", "a\\b.zip", "a\n.zip", "\".zip", &long]
        {
            assert!(file_name_problem(name).is_some(), "{name}");
        }
    }
}
