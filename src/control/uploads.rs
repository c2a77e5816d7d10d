//! Uploads: real zip files that the builds of a commit produce as artifacts.

use std::fs::File;
use std::io::BufReader;
use std::panic::resume_unwind;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::Control;
use super::commits::check_name;
use crate::content::artifact::{ArtifactError, Reading};
use crate::domain::build::{
    Content, ContentKind, PackageProperties, StoredFile, file_name_problem,
};
use crate::domain::invalid::InvalidField;
use crate::engine::{Removed, UploadError, Uploaded};
use crate::extract::{InRepository, NamedCommit, NamedUpload};
use crate::http::problem::Problem;
use crate::http::temporary::{self, TemporaryFile};
use crate::seed::LARGEST_ARTIFACT;
use crate::store::uploads::CommitKey;

/// How deployments use an uploaded file.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum UploadType {
    /// An AEM package.
    ContentPackage,
    /// A dispatcher configuration.
    DispatcherConfiguration,
    /// Any other zip file: an artifact that is not deployed.
    Other,
}

/// The properties of an AEM package.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UploadedPackage)]
struct UploadedPackageView {
    /// Its group.
    group: String,
    /// Its name; empty if it is that of the file.
    name: String,
    /// Its version.
    version: String,
    /// The packages that must be installed before it.
    dependencies: Vec<String>,
}

/// A zip file that the builds of a commit produce.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Upload)]
pub struct UploadView {
    /// The name of the file.
    file: String,
    /// How deployments use it.
    #[serde(rename = "type")]
    upload_type: UploadType,
    /// The size in bytes.
    size: u64,
    /// SHA-256 of the content, in hexadecimal digits.
    sha256: String,
    /// MD5 of the content, in hexadecimal digits.
    md5: String,
    /// Its properties, if it is an AEM package.
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<UploadedPackageView>,
}

/// The zip files that the builds of a commit produce.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Uploads)]
pub struct UploadsView {
    /// The files, by name.
    artifacts: Vec<UploadView>,
}

impl UploadView {
    fn new(StoredFile { file, digest, content }: &StoredFile) -> Self {
        let Content { size, md5, kind } = &**content;
        let (upload_type, package) = match kind {
            ContentKind::Package(PackageProperties { group, name, version, dependencies }) => {
                let package = UploadedPackageView {
                    group: group.clone(),
                    name: name.clone(),
                    version: version.clone(),
                    dependencies: dependencies.clone(),
                };
                (UploadType::ContentPackage, Some(package))
            }
            ContentKind::Dispatcher(_) => (UploadType::DispatcherConfiguration, None),
            ContentKind::Other => (UploadType::Other, None),
        };
        Self {
            file: file.clone(),
            upload_type,
            size: *size,
            sha256: digest.to_string(),
            md5: md5.clone(),
            package,
        }
    }
}

fn key_of(commit: NamedCommit) -> Result<CommitKey, Problem> {
    let NamedCommit { repository: InRepository { program, repository }, commit } = commit;
    check_name("commitId", &commit)?;
    Ok(CommitKey { program_id: program.id, repository_id: repository.id, commit })
}

/// Lists the zip files that the next builds of a commit produce.
///
/// If there are none, the builds produce the outputs that the repository's `builds` describe.
#[utoipa::path(get,
    path = "/_emulator/program/{programId}/repository/{repositoryId}/commit/{commitId}/artifacts",
    operation_id = "getArtifacts", tag = "Emulator", params(NamedCommit),
    responses((status = 200, description = "The files", body = UploadsView)))]
pub async fn get_artifacts(
    State(control): State<Control>,
    commit: NamedCommit,
) -> Result<Json<UploadsView>, Problem> {
    let files = control.engine.list_uploads(&key_of(commit)?).await?;
    Ok(Json(UploadsView { artifacts: files.iter().map(UploadView::new).collect() }))
}

/// Uploads a zip file for the next builds of a commit.
///
/// The file has at most 512 MiB. It replaces an earlier one with the same name. The commit need not
/// exist. Builds of a commit with uploads produce only the uploaded files.
#[utoipa::path(put,
    path = "/_emulator/program/{programId}/repository/{repositoryId}/commit/{commitId}/artifacts/{file}",
    operation_id = "putArtifact", tag = "Emulator", params(NamedUpload),
    request_body(content = String, content_type = "application/zip"),
    responses((status = 200, description = "The file replaced an earlier one with its name", body = UploadView),
        (status = 201, description = "The file was added", body = UploadView),
        (status = 409, description = "The commit already has 1000 files, or the state was replaced during the upload",
            body = Problem, content_type = "application/problem+json")))]
pub async fn put_artifact(
    State(control): State<Control>,
    NamedUpload { commit, file }: NamedUpload,
    body: Body,
) -> Result<(StatusCode, Json<UploadView>), Problem> {
    let key = key_of(commit)?;
    if let Some(problem) = file_name_problem(&file) {
        return Err(Problem::invalid([InvalidField::new("file", problem).with_value(file)]));
    }
    let place = control.engine.place_for_copy().await;
    let received = TemporaryFile::receive(place, body, LARGEST_ARTIFACT).await?;
    let (received, reading) = read(received).await?;
    let Uploaded { file, replaced } = control.engine.upload(key, file, reading, received).await?;
    let status = if replaced { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(UploadView::new(&file))))
}

/// Reads what a received file is, on a thread on which no request is answered.
async fn read(received: TemporaryFile) -> Result<(TemporaryFile, Reading), Problem> {
    let read = move || {
        let file = File::open(received.path()).map_err(ArtifactError::Io);
        let reading = file.and_then(|file| Reading::of(BufReader::new(file)));
        reading.map(|reading| (received, reading))
    };
    let read = tokio::task::spawn_blocking(read).await;
    read.unwrap_or_else(|error| resume_unwind(error.into_panic())).map_err(|error| match error {
        ArtifactError::Refused(reason) => {
            Problem::bad_request(format!("The body can't be an artifact: {reason}."))
        }
        ArtifactError::Io(error) => UploadError::Io(error).into(),
    })
}

/// Removes a zip file from the next builds of a commit.
///
/// Existing executions keep their artifacts.
#[utoipa::path(delete,
    path = "/_emulator/program/{programId}/repository/{repositoryId}/commit/{commitId}/artifacts/{file}",
    operation_id = "deleteArtifact", tag = "Emulator", params(NamedUpload),
    responses((status = 204, description = "The next builds don't produce the file")))]
pub async fn delete_artifact(
    State(control): State<Control>,
    NamedUpload { commit, file }: NamedUpload,
) -> Result<StatusCode, Problem> {
    match control.engine.remove_upload(key_of(commit)?, file).await? {
        Removed::Yes => Ok(StatusCode::NO_CONTENT),
        Removed::NotFound => Err(Problem::not_found("The artifact")),
    }
}

impl From<UploadError> for Problem {
    fn from(error: UploadError) -> Self {
        let conflict = |error: &UploadError| {
            Self::new(
                StatusCode::CONFLICT,
                "Conflict",
                format!("The file was not stored: {error}."),
            )
        };
        match error {
            UploadError::NotFound => Self::not_found("The repository"),
            UploadError::TooMany | UploadError::Replaced => conflict(&error),
            UploadError::Io(error) => temporary::failed(&error),
            UploadError::Store(error) => error.into(),
        }
    }
}
