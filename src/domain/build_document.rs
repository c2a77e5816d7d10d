//! The output of a build, as users write it in seeds and scenarios.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A file in the output of a build: a package, a dispatcher artifact, or a real zip file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = BuildOutput)]
pub struct BuildDocument {
    /// A content package: its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$")]
    pub package: Option<String>,
    /// The group of the package; the repository's name if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Za-z0-9_][A-Za-z0-9._/-]{0,99}$")]
    pub group: Option<String>,
    /// The version of the package; the version of the artifacts if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$")]
    pub version: Option<String>,
    /// The packages that must be installed before it, as `name`, `group:name` or
    /// `group:name:range`, for example `com.acme:acme.ui.apps:[1.4,2)`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    pub depends_on: Vec<String>,
    /// A dispatcher artifact with the full file set: the beginning of its file name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$")]
    pub dispatcher: Option<String>,
    /// Paths of additional files in the dispatcher artifact.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1000)]
    pub with: Vec<String>,
    /// Paths of files that the dispatcher artifact lacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1000)]
    pub without: Vec<String>,
    /// The path of a real zip file, relative to the seed file. Only in seed files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The SHA-256 of the zip file. The emulator adds it when it loads a seed file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(read_only, pattern = "^[0-9a-f]{64}$")]
    pub sha256: Option<String>,
}
