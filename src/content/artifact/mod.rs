//! Artifacts: the files that steps produce. They are generated for each download and not stored.
//! They are written in memory, which does not fail; the `io::Result`s come from the writers'
//! interfaces.

mod archive;
mod build;
mod dispatcher;
mod graph;
mod issues;
mod package;
mod reader;
mod step;

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use build::{Build, BuildContent, BuildFile, Role};
pub use dispatcher::dispatcher_paths;
pub use graph::Graph;
pub use issues::{MOST_ISSUES, issues};
pub use package::ContentPackage;
pub use reader::{ArtifactError, Reading, is_artifact_path};
pub use step::{exists, find, list};

/// The type of an artifact, as the API names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ArtifactType {
    /// A package with code or content for AEM.
    ContentPackage,
    /// The configuration of web server and dispatcher.
    DispatcherConfiguration,
    /// The open issues of a code scan.
    ScanIssues,
    /// Share of failed requests over time.
    LoadErrorGraphCsv,
    /// Share of failed requests over time.
    LoadErrorGraphJson,
    /// Response time over time.
    LoadResponseTimeGraphCsv,
    /// Response time over time.
    LoadResponseTimeGraphJson,
    /// Longest response time over time.
    LoadPeakResponseTimeGraphCsv,
    /// Longest response time over time.
    LoadPeakResponseTimeGraphJson,
    /// Use of the processors over time.
    CpuPercentCsv,
    /// Use of the processors over time.
    CpuPercentJson,
    /// Time that processors wait for disks, over time.
    CpuIOWaitPercentCsv,
    /// Time that processors wait for disks, over time.
    CpuIOWaitPercentJson,
    /// Use of the disks over time.
    DiskUtilizationPercentCsv,
    /// Use of the disks over time.
    DiskUtilizationPercentJson,
    /// Use of the network over time.
    NetworkBandwidthCsv,
    /// Use of the network over time.
    NetworkBandwidthJson,
}

impl ArtifactType {
    /// Returns the media type of its file.
    #[must_use]
    pub fn format(self) -> &'static str {
        match self {
            Self::ContentPackage | Self::DispatcherConfiguration => "application/zip",
            Self::ScanIssues
            | Self::LoadErrorGraphCsv
            | Self::LoadResponseTimeGraphCsv
            | Self::LoadPeakResponseTimeGraphCsv
            | Self::CpuPercentCsv
            | Self::CpuIOWaitPercentCsv
            | Self::DiskUtilizationPercentCsv
            | Self::NetworkBandwidthCsv => "text/csv",
            Self::LoadErrorGraphJson
            | Self::LoadResponseTimeGraphJson
            | Self::LoadPeakResponseTimeGraphJson
            | Self::CpuPercentJson
            | Self::CpuIOWaitPercentJson
            | Self::DiskUtilizationPercentJson
            | Self::NetworkBandwidthJson => "application/json",
        }
    }
}

/// A file that a step leaves behind, as it is described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// What it is.
    pub artifact_type: ArtifactType,
    /// The name of the file.
    pub file: String,
    /// The media type of the file.
    pub format: &'static str,
    /// MD5 of the content in hexadecimal digits.
    pub md5: String,
    /// Length of the content in bytes.
    pub size: u64,
}

/// An artifact with its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactFile {
    /// Its description.
    pub artifact: Artifact,
    /// The bytes of the file.
    pub content: Vec<u8>,
}

impl ArtifactFile {
    fn new(artifact_type: ArtifactType, file: String, content: Vec<u8>) -> Self {
        let artifact = Artifact {
            artifact_type,
            file,
            format: artifact_type.format(),
            md5: format!("{:x}", Md5::digest(&content)),
            size: content.len() as u64,
        };
        Self { artifact, content }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_the_names_of_the_api() {
        for (artifact_type, name, format) in [
            (ArtifactType::ContentPackage, "CONTENT_PACKAGE", "application/zip"),
            (ArtifactType::ScanIssues, "SCAN_ISSUES", "text/csv"),
            (ArtifactType::CpuIOWaitPercentJson, "CPU_I_O_WAIT_PERCENT_JSON", "application/json"),
            (
                ArtifactType::LoadPeakResponseTimeGraphCsv,
                "LOAD_PEAK_RESPONSE_TIME_GRAPH_CSV",
                "text/csv",
            ),
        ] {
            assert_eq!(serde_json::to_value(artifact_type).unwrap(), name);
            assert_eq!(artifact_type.format(), format);
        }
    }

    #[test]
    fn md5_and_size_are_those_of_the_content() {
        let file = ArtifactFile::new(ArtifactType::ScanIssues, "a.csv".into(), Vec::new());
        assert_eq!(file.artifact.md5, "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(file.artifact.size, 0);
    }
}
