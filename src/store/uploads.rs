//! Uploads: the files that later builds of a commit leave.

use std::sync::Arc;

use super::contents::ContentRow;
use super::{Database, InRow, StoreError, Transaction};
use crate::domain::build::StoredFile;
use crate::domain::id::{ProgramId, RepositoryId};

/// A commit of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitKey {
    /// The program.
    pub program_id: ProgramId,
    /// The repository.
    pub repository_id: RepositoryId,
    /// The commit.
    pub commit: String,
}

/// The files of a commit in the order of their names.
const LIST: &str = "SELECT file, digest, size, md5, kind FROM uploads \
    JOIN contents ON contents.id = content_id \
    WHERE program_id = $1 AND repository_id = $2 AND commit_id = $3 ORDER BY file";

type UploadRow = (String, Vec<u8>, i64, String, String);

fn read(row: UploadRow) -> Result<StoredFile, StoreError> {
    let (file, digest, size, md5, kind) = row;
    let content = ContentRow::new(digest, size, md5, kind).read().in_row("uploads", &file);
    let (digest, content) = content?;
    Ok(StoredFile { file, digest, content: Arc::new(content) })
}

/// Returns the files of a commit.
pub async fn list(database: &Database, key: &CommitKey) -> Result<Vec<StoredFile>, StoreError> {
    let rows: Vec<UploadRow> = sqlx::query_as(LIST)
        .bind(key.program_id.number())
        .bind(key.repository_id.number())
        .bind(&key.commit)
        .fetch_all(database.readers())
        .await?;
    rows.into_iter().map(read).collect()
}

/// Returns the same inside a transaction that writes.
pub async fn list_for_update(
    tx: &mut Transaction,
    key: &CommitKey,
) -> Result<Vec<StoredFile>, StoreError> {
    let rows: Vec<UploadRow> = sqlx::query_as(LIST)
        .bind(key.program_id.number())
        .bind(key.repository_id.number())
        .bind(&key.commit)
        .fetch_all(&mut **tx)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Stores that builds of a commit leave a content under this name, instead of an earlier one.
pub async fn put(
    tx: &mut Transaction,
    key: &CommitKey,
    file: &str,
    content: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO uploads (program_id, repository_id, commit_id, file, content_id) \
         VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (program_id, repository_id, commit_id, file) \
         DO UPDATE SET content_id = excluded.content_id",
    )
    .bind(key.program_id.number())
    .bind(key.repository_id.number())
    .bind(&key.commit)
    .bind(file)
    .bind(content)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Removes a file of a commit. Returns whether it was there.
pub async fn delete(tx: &mut Transaction, key: &CommitKey, file: &str) -> Result<bool, StoreError> {
    let deleted = sqlx::query(
        "DELETE FROM uploads \
         WHERE program_id = $1 AND repository_id = $2 AND commit_id = $3 AND file = $4",
    )
    .bind(key.program_id.number())
    .bind(key.repository_id.number())
    .bind(&key.commit)
    .bind(file)
    .execute(&mut **tx)
    .await?;
    Ok(deleted.rows_affected() > 0)
}

/// Reads every upload, so that what can't be read is found now.
pub async fn check_all(database: &Database) -> Result<(), StoreError> {
    let incomplete: Option<String> = sqlx::query_scalar(
        "SELECT file FROM uploads JOIN contents ON contents.id = content_id \
         WHERE complete = 0 LIMIT 1",
    )
    .fetch_optional(database.readers())
    .await?;
    match incomplete {
        Some(file) => {
            Err(StoreError::unreadable("its content is incomplete")).in_row("uploads", file)
        }
        None => Ok(()),
    }
}
