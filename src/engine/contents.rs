//! Files that users provide as the output of builds: storing uploads, and reading their contents.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::write::Write;
use super::{Engine, run_to_the_end};
use crate::content::artifact::{ArtifactError, Reading};
use crate::domain::build::{Content, ContentDigest, Output, StoredFile};
use crate::domain::execution::plan::Code;
use crate::domain::pipeline::Pipeline;
use crate::seed::ZipFile;
use crate::store::contents::CHUNK;
use crate::store::uploads::CommitKey;
use crate::store::{StoreError, contents, uploads};

/// How many chunks one transaction stores. Others can write between two of them.
const CHUNKS_PER_WRITE: usize = 64;

/// The most files that can be uploaded for a commit.
pub const MOST_UPLOADS: usize = 1000;

/// Why a file was not stored.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// There is no such repository.
    #[error("there is no such repository")]
    NotFound,
    /// The commit has as many files as are allowed.
    #[error("the commit has {MOST_UPLOADS} artifacts already: remove one first")]
    TooMany,
    /// Everything was replaced while the file was stored.
    #[error("the state was reset or replaced in the meantime: upload it again")]
    Replaced,
    /// The received file can't be read.
    #[error("the received file can't be read: {0}")]
    Io(#[from] io::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A file that was stored for a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// The file.
    pub file: StoredFile,
    /// Whether it took the place of an earlier one.
    pub replaced: bool,
}

/// The result of removing a file from a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// The file was removed: later builds don't produce it.
    Yes,
    /// It was not there.
    NotFound,
}

impl Engine {
    /// Stores a file as the output of later builds of a commit. `source` is the received file; it
    /// must exist until this returns.
    pub async fn upload(
        self: &Arc<Self>,
        key: CommitKey,
        name: String,
        reading: Reading,
        source: impl AsRef<Path> + Send + Sync + 'static,
    ) -> Result<Uploaded, UploadError> {
        let engine = self.clone();
        run_to_the_end(self, async move {
            let uploaded = engine.do_upload(&key, name, reading, source.as_ref()).await;
            // The replaced content, or chunks of an upload that failed, may be unused now.
            engine.purging.wake();
            uploaded
        })
        .await
    }

    async fn do_upload(
        self: &Arc<Self>,
        key: &CommitKey,
        name: String,
        reading: Reading,
        source: &Path,
    ) -> Result<Uploaded, UploadError> {
        let _turn = self.storing.lock().await;
        let Reading { digest, content } = reading;
        let (mut write, id) = self.store_content(digest, &content, source).await?;
        let program = write.catalog.find_program(key.program_id);
        let is_there = program.is_some_and(|it| it.repositories.contains_key(&key.repository_id));
        if !is_there {
            return Err(UploadError::NotFound);
        }
        let others = uploads::list_for_update(&mut write.tx, key).await?;
        let replaced = others.iter().any(|other| other.file == name);
        if !replaced && others.len() >= MOST_UPLOADS {
            return Err(UploadError::TooMany);
        }
        uploads::put(&mut write.tx, key, &name, id).await?;
        write.commit().await?;
        let file = StoredFile { file: name, digest, content: Arc::new(content) };
        Ok(Uploaded { file, replaced })
    }

    /// Stores the content of a file in chunks, unless the same content is already stored. Returns
    /// the last, uncommitted write and the identifier of the content.
    async fn store_content(
        self: &Arc<Self>,
        digest: ContentDigest,
        content: &Content,
        source: &Path,
    ) -> Result<(Write, i64), UploadError> {
        let generation = self.world.generation();
        let mut write = Write::begin(self).await?;
        if let Some(id) = contents::find(&mut write.tx, digest).await? {
            return Ok((write, id));
        }
        let id = contents::begin(&mut write.tx, digest, content).await?;
        let mut file = File::open(source).await?;
        let mut number = 0;
        while store_portion(&mut write, id, &mut file, &mut number).await? == CHUNKS_PER_WRITE {
            write.commit().await?;
            write = self.write_in(generation).await?;
        }
        contents::complete(&mut write.tx, id).await?;
        Ok((write, id))
    }

    /// Begins a write, unless the state has been replaced since that generation.
    async fn write_in(self: &Arc<Self>, generation: u64) -> Result<Write, UploadError> {
        let write = Write::begin(self).await?;
        if self.world.generation() != generation {
            return Err(UploadError::Replaced);
        }
        Ok(write)
    }

    /// Returns the files that were uploaded for a commit.
    pub async fn list_uploads(&self, key: &CommitKey) -> Result<Vec<StoredFile>, StoreError> {
        uploads::list(&self.database, key).await
    }

    /// Removes a file from later builds of a commit. Executions keep what they have built.
    pub async fn remove_upload(
        self: &Arc<Self>,
        key: CommitKey,
        name: String,
    ) -> Result<Removed, StoreError> {
        let removed = self
            .write(async move |mut write| {
                let was_there = uploads::delete(&mut write.tx, &key, &name).await?;
                write.commit().await?;
                Ok::<_, StoreError>(if was_there { Removed::Yes } else { Removed::NotFound })
            })
            .await;
        self.purging.wake();
        removed
    }

    /// Returns bytes of a stored content, from `start` up to at most `end` or the end of the chunk,
    /// and at most `max`. The result is empty only if the range is.
    pub async fn read_content(
        &self,
        digest: ContentDigest,
        start: u64,
        end: u64,
        max: usize,
    ) -> Result<Vec<u8>, StoreError> {
        if start >= end {
            return Ok(Vec::new());
        }
        let length = CHUNK as u64;
        let mut chunk = contents::read_chunk(&self.database, digest, start / length).await?;
        let offset = usize::try_from(start % length).unwrap_or(usize::MAX).min(chunk.len());
        let wanted = usize::try_from(end - start).unwrap_or(usize::MAX).min(max);
        let mut bytes = chunk.split_off(offset);
        bytes.truncate(wanted);
        Ok(bytes)
    }
}

/// Stores the next chunks of a file, up to [`CHUNKS_PER_WRITE`]. Returns how many.
async fn store_portion(
    write: &mut Write,
    content: i64,
    file: &mut File,
    number: &mut i64,
) -> Result<usize, UploadError> {
    let mut chunk = Vec::with_capacity(CHUNK);
    for stored in 0..CHUNKS_PER_WRITE {
        chunk.clear();
        (&mut *file).take(CHUNK as u64).read_to_end(&mut chunk).await?;
        if chunk.is_empty() {
            return Ok(stored);
        }
        contents::add_chunk(&mut write.tx, content, *number, &chunk).await?;
        *number += 1;
    }
    Ok(CHUNKS_PER_WRITE)
}

impl Write {
    /// Stores a zip file of a seed, unless its content is stored.
    pub async fn store_zip(&mut self, zip: &ZipFile) -> Result<(), StoreError> {
        let ZipFile { path, digest, content } = zip;
        if contents::find(&mut self.tx, *digest).await?.is_some() {
            return Ok(());
        }
        let failed =
            |reason: String| StoreError::ZipFile { path: path.display().to_string(), reason };
        // It is read again: it may have changed, and what is stored must be what was described.
        let mut opened = std::fs::File::open(path).map_err(|error| failed(error.to_string()))?;
        let read = tokio::task::spawn_blocking(move || {
            let reading = Reading::of(io::BufReader::new(&opened))?;
            io::Seek::rewind(&mut opened)?;
            Ok::<_, ArtifactError>((reading, opened))
        });
        let (reading, opened) =
            super::outcome_of(read.await)?.map_err(|error| failed(error.to_string()))?;
        if reading.digest != *digest {
            return Err(failed("it has changed since it was read; start again to use it".into()));
        }
        let id = contents::begin(&mut self.tx, *digest, content).await?;
        let mut file = File::from_std(opened);
        let mut number = 0;
        let mut stored = Ok(CHUNKS_PER_WRITE);
        while let Ok(CHUNKS_PER_WRITE) = stored {
            stored = store_portion(self, id, &mut file, &mut number).await;
        }
        stored.map_err(|error| match error {
            UploadError::Store(error) => error,
            error => failed(error.to_string()),
        })?;
        contents::complete(&mut self.tx, id).await
    }

    /// Sets the outputs of a new execution's build: those of the scenario, else the uploads of the
    /// commit, else those of the repository. The plan already has the first and the last.
    pub async fn decide_outputs(
        &mut self,
        code: &mut Code,
        pipeline: &Pipeline,
    ) -> Result<(), StoreError> {
        if let (false, Some((repository_id, _)), Some(commit)) =
            (code.by_scenario, pipeline.code(), &code.commit)
        {
            let (program_id, commit) = (pipeline.program_id, commit.clone());
            let key = CommitKey { program_id, repository_id, commit };
            let uploaded = uploads::list_for_update(&mut self.tx, &key).await?;
            if !uploaded.is_empty() {
                // No `describe_outputs` here: the contents were loaded together with the uploads.
                code.outputs = Some(uploaded.into_iter().map(Output::File).collect());
                return Ok(());
            }
        }
        self.describe_outputs(code).await
    }

    /// Loads the stored descriptions of the contents of a build's files.
    pub async fn describe_outputs(&mut self, code: &mut Code) -> Result<(), StoreError> {
        for output in code.outputs.iter_mut().flatten() {
            if let Output::File(file) = output {
                contents::describe(&mut self.tx, file).await?;
            }
        }
        Ok(())
    }
}
