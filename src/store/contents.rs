//! The contents of files that builds leave: in chunks, so that none is ever whole in memory.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use sqlx::SqliteConnection;

use super::{Database, InRow, StoreError, Transaction, parse_json};
use crate::domain::build::{Content, ContentDigest, StoredFile};

/// The length of all chunks of a content but the last, in bytes.
pub const CHUNK: usize = 64 * 1024;

/// The row of a content.
pub(super) struct ContentRow {
    digest: Vec<u8>,
    size: i64,
    md5: String,
    kind: String,
}

impl ContentRow {
    pub fn new(digest: Vec<u8>, size: i64, md5: String, kind: String) -> Self {
        Self { digest, size, md5, kind }
    }

    /// Returns the content with its digest.
    pub fn read(self) -> Result<(ContentDigest, Content), StoreError> {
        let Self { digest, size, md5, kind } = self;
        let digest = digest.try_into().map_err(|_| StoreError::unreadable("no digest"))?;
        let size = u64::try_from(size).map_err(StoreError::unreadable)?;
        Ok((ContentDigest(digest), Content { size, md5, kind: parse_json(&kind)? }))
    }
}

/// Returns the number of a content that is stored completely.
pub async fn find(
    connection: &mut SqliteConnection,
    digest: ContentDigest,
) -> Result<Option<i64>, StoreError> {
    Ok(sqlx::query_scalar("SELECT id FROM contents WHERE digest = $1 AND complete = 1")
        .bind(&digest.0[..])
        .fetch_optional(connection)
        .await?)
}

/// Adds to a file what is known of its content.
pub async fn describe(tx: &mut Transaction, file: &mut StoredFile) -> Result<(), StoreError> {
    let row: Option<(Vec<u8>, i64, String, String)> = sqlx::query_as(
        "SELECT digest, size, md5, kind FROM contents WHERE digest = $1 AND complete = 1",
    )
    .bind(&file.digest.0[..])
    .fetch_optional(&mut **tx)
    .await?;
    let row = row.ok_or_else(|| StoreError::unreadable("it is not stored"));
    let read =
        row.and_then(|(digest, size, md5, kind)| ContentRow::new(digest, size, md5, kind).read());
    let (_, content) = read.in_row("contents", file.digest.to_string())?;
    file.content = Arc::new(content);
    Ok(())
}

/// Begins to store a content. Returns its number.
pub async fn begin(
    tx: &mut Transaction,
    digest: ContentDigest,
    content: &Content,
) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(
        "INSERT INTO contents (digest, size, md5, kind, complete) VALUES ($1, $2, $3, $4, 0) \
         RETURNING id",
    )
    .bind(&digest.0[..])
    .bind(i64::try_from(content.size).unwrap_or(i64::MAX))
    .bind(&content.md5)
    .bind(serde_json::to_string(&content.kind).map_err(StoreError::unreadable)?)
    .fetch_one(&mut **tx)
    .await?)
}

/// Stores a chunk of a content.
pub async fn add_chunk(
    tx: &mut Transaction,
    content: i64,
    number: i64,
    bytes: &[u8],
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO chunks (content_id, number, bytes) VALUES ($1, $2, $3)")
        .bind(content)
        .bind(number)
        .bind(bytes)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Marks a content as complete.
pub async fn complete(tx: &mut Transaction, content: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE contents SET complete = 1 WHERE id = $1")
        .bind(content)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Returns a chunk of a content, by its number from 0.
pub async fn read_chunk(
    database: &Database,
    digest: ContentDigest,
    number: u64,
) -> Result<Vec<u8>, StoreError> {
    let chunk: Option<Vec<u8>> = sqlx::query_scalar(
        "SELECT bytes FROM contents JOIN chunks ON content_id = id \
         WHERE digest = $1 AND complete = 1 AND number = $2",
    )
    .bind(&digest.0[..])
    .bind(i64::try_from(number).unwrap_or(i64::MAX))
    .fetch_optional(database.readers())
    .await?;
    let missing = || StoreError::unreadable("the chunk is not stored");
    chunk.ok_or_else(missing).in_row("chunks", (digest.to_string(), number))
}

/// What refers to a content: executions, uploads, and the definitions of builds.
const UNUSED: &str = "
    UPDATE contents SET complete = 0
    WHERE complete = 1
        AND NOT EXISTS (SELECT 1 FROM plan_contents WHERE content_id = contents.id)
        AND NOT EXISTS (SELECT 1 FROM uploads WHERE content_id = contents.id)
        AND NOT EXISTS (
            SELECT 1 FROM repositories JOIN json_each(repositories.outputs) AS output
            WHERE output.value ->> '$.file.digest' = lower(hex(contents.digest)))
        AND NOT EXISTS (
            SELECT 1 FROM scenarios JOIN json_each(scenarios.steps) AS step
            JOIN json_each(step.value, '$.builds') AS output
            WHERE output.value ->> 'sha256' = lower(hex(contents.digest)))";

/// Removes at most `most` chunks of contents that nothing refers to, or that are incomplete. Returns
/// whether there may be more. Nobody may store contents meanwhile.
pub async fn purge(tx: &mut Transaction, most: u32) -> Result<bool, StoreError> {
    sqlx::query(UNUSED).execute(&mut **tx).await?;
    let removed = sqlx::query(
        "DELETE FROM chunks WHERE rowid IN ( \
             SELECT chunks.rowid FROM contents CROSS JOIN chunks ON content_id = id \
             WHERE complete = 0 LIMIT $1)",
    )
    .bind(most)
    .execute(&mut **tx)
    .await?;
    if removed.rows_affected() > 0 {
        return Ok(true);
    }
    sqlx::query("DELETE FROM contents WHERE complete = 0").execute(&mut **tx).await?;
    Ok(false)
}

/// Returns whether any content is stored.
pub async fn are_any(database: &Database) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM contents)")
        .fetch_one(database.readers())
        .await?)
}

/// Reads every complete content, so that what is damaged or missing is found now.
pub async fn check_all(database: &Database) -> Result<(), StoreError> {
    let rows: Vec<(i64, Vec<u8>, i64, String, String)> =
        sqlx::query_as("SELECT id, digest, size, md5, kind FROM contents WHERE complete = 1")
            .fetch_all(database.readers())
            .await?;
    for (id, digest, size, md5, kind) in rows {
        let read = ContentRow::new(digest, size, md5, kind).read().in_row("contents", id);
        let (digest, Content { size, .. }) = read?;
        check_chunks(database, digest, size).await.in_row("contents", id)?;
    }
    let missing: Option<String> = sqlx::query_scalar(
        "SELECT output.value ->> '$.file.digest' AS digest \
         FROM repositories JOIN json_each(repositories.outputs) AS output \
         WHERE digest IS NOT NULL AND NOT EXISTS ( \
             SELECT 1 FROM contents WHERE complete = 1 AND lower(hex(contents.digest)) = digest) \
         LIMIT 1",
    )
    .fetch_optional(database.readers())
    .await?;
    match missing {
        Some(digest) => {
            Err(StoreError::unreadable("its content is not stored")).in_row("repositories", digest)
        }
        None => Ok(()),
    }
}

async fn check_chunks(
    database: &Database,
    digest: ContentDigest,
    size: u64,
) -> Result<(), StoreError> {
    let mut sha256 = Sha256::new();
    let mut left = size;
    let mut number = 0;
    while left > 0 {
        let chunk = read_chunk(database, digest, number).await?;
        let expected = left.min(CHUNK as u64);
        if chunk.len() as u64 != expected {
            return Err(StoreError::unreadable(format!("the chunk {number} has a wrong length")));
        }
        sha256.update(&chunk);
        left -= expected;
        number += 1;
    }
    if ContentDigest(sha256.finalize().into()) != digest {
        return Err(StoreError::unreadable("its digest is not that of its chunks"));
    }
    Ok(())
}
