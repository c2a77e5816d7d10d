//! Temporary files for request and response bodies that are too large for memory.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use futures_util::StreamExt;
use tempfile::TempDir;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::body::{MAX_DISCARDED_BYTES, too_large, unfinished};
use super::problem::Problem;
use crate::store::trouble::is_lack_of_room;
use crate::store::{CopyPlace, CopyPlaceError, StoreError};

/// The name of the file in its own directory.
const FILE: &str = "body";

/// How many seconds a caller should wait who found too many copies.
const RETRY_AFTER: &str = "10";

/// A file in a place of its own; both go away with this.
#[derive(Debug)]
pub struct TemporaryFile {
    path: PathBuf,
    _place: CopyPlace,
}

impl AsRef<Path> for TemporaryFile {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

/// Makes a temporary directory for this user alone; it goes away with the answer.
pub fn directory() -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("cloudmanager-emulator-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir()
}

impl TemporaryFile {
    /// Returns a file in this place, which is not there yet.
    pub fn new(place: Result<CopyPlace, CopyPlaceError>) -> Result<Self, Problem> {
        let place = place?;
        Ok(Self { path: place.path().join(FILE), _place: place })
    }

    /// Writes a body into a new file: 413 if it has more than `largest` bytes, 507 if there is no
    /// room for it.
    pub async fn receive(
        place: Result<CopyPlace, CopyPlaceError>,
        body: Body,
        largest: u64,
    ) -> Result<Self, Problem> {
        let mut chunks = body.into_data_stream();
        let received = async {
            let file = Self::new(place)?;
            write(&mut chunks, &file.path, largest).await?;
            Ok(file)
        }
        .await;
        if received.is_err() {
            discard(&mut chunks).await;
        }
        received
    }

    /// Returns where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file for reading. Returns it with its length.
    pub async fn open(&self) -> Result<(File, u64), Problem> {
        let opened = async {
            let file = File::open(&self.path).await?;
            let length = file.metadata().await?.len();
            Ok((file, length))
        };
        opened.await.map_err(|error| failed(&error))
    }

    /// Reads all of it.
    pub async fn read(&self) -> Result<Bytes, Problem> {
        let read = tokio::fs::read(&self.path).await;
        read.map(Bytes::from).map_err(|error| failed(&error))
    }
}

async fn write(chunks: &mut BodyDataStream, path: &Path, largest: u64) -> Result<(), Problem> {
    let failed = |error: io::Error| failed(&error);
    let mut file = File::create(path).await.map_err(failed)?;
    let mut length = 0_u64;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| unfinished())?;
        length = length.saturating_add(chunk.len() as u64);
        if length > largest {
            return Err(too_large(largest));
        }
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)
}

/// Reads and discards the rest of a body, up to a limit, so that its sender receives the response.
async fn discard(chunks: &mut BodyDataStream) {
    let mut length = 0;
    while let Some(Ok(chunk)) = chunks.next().await {
        length += chunk.len();
        if length > MAX_DISCARDED_BYTES {
            return;
        }
    }
}

impl From<CopyPlaceError> for Problem {
    fn from(error: CopyPlaceError) -> Self {
        match error {
            CopyPlaceError::Io(error) => failed(&error),
            CopyPlaceError::Closed => StoreError::Closed.into(),
            CopyPlaceError::Busy => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many copies",
                "Too many exports, imports, seeds and uploads are under way. Try again later.",
            )
            .with_header(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER)),
        }
    }
}

/// Returns the answer where a temporary file can't be made, written or read: 507 if there is no
/// room for it, otherwise 503. The error is logged here, once.
pub fn failed(error: &io::Error) -> Problem {
    let cause: &dyn Error = error;
    tracing::error!(error = cause, "a temporary file can't be used");
    let what = format!("A temporary file beside the database can't be used: {error}.");
    if is_lack_of_room(error.kind()) {
        return Problem::new(StatusCode::INSUFFICIENT_STORAGE, "Disk full", what);
    }
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Database unavailable", what)
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_failures() {
        for (kind, status) in [
            (ErrorKind::StorageFull, StatusCode::INSUFFICIENT_STORAGE),
            (ErrorKind::QuotaExceeded, StatusCode::INSUFFICIENT_STORAGE),
            (ErrorKind::NotFound, StatusCode::SERVICE_UNAVAILABLE),
            (ErrorKind::PermissionDenied, StatusCode::SERVICE_UNAVAILABLE),
        ] {
            assert_eq!(failed(&kind.into()).status, status, "{kind}");
        }
    }
}
