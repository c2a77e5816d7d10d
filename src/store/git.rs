//! What is stored for git: the bundles of an exported state, and the tags that are to be made.

use std::path::Path;

use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, SqliteConnection};

use super::database::untrusted_file_options;
use super::definitions::repositories;
use super::{Database, StoreError, Transaction};
use crate::domain::id::{ProgramId, RepositoryId, RepositoryKey};

/// The length of all pieces of a bundle but the last, in bytes.
pub const PIECE: usize = 64 * 1024;

/// A tag that an execution has earned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EarnedTag {
    /// In which repository.
    pub repository: RepositoryKey,
    /// Its name, without `refs/tags/`.
    pub name: String,
    /// The commit that it is for.
    pub commit: String,
}

const IN_GIT: &str = "SELECT program_id, id FROM repositories WHERE in_git = 1 ORDER BY 1, 2";

fn keys(rows: Vec<(i64, i64)>) -> Vec<RepositoryKey> {
    let key = |(program, repository)| RepositoryKey {
        program_id: ProgramId::new(program),
        repository_id: RepositoryId::new(repository),
    };
    rows.into_iter().map(key).collect()
}

/// An exported state, before it is sent.
pub struct ExportedState(SqliteConnection);

impl ExportedState {
    /// Opens the file of a state, which nobody else uses.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = untrusted_file_options(path)
            .journal_mode(SqliteJournalMode::Memory)
            .synchronous(SqliteSynchronous::Off);
        Ok(Self(SqliteConnection::connect_with(&options).await?))
    }

    /// Returns the generation of the repositories at the moment of the export.
    pub async fn generation(&mut self) -> Result<i64, StoreError> {
        let number = sqlx::query_scalar("SELECT git_generation FROM emulator");
        Ok(number.fetch_one(&mut self.0).await?)
    }

    /// Returns the repositories that live in git.
    pub async fn list_in_git(&mut self) -> Result<Vec<RepositoryKey>, StoreError> {
        Ok(keys(sqlx::query_as(IN_GIT).fetch_all(&mut self.0).await?))
    }

    /// Adds a piece of the bundle of a repository.
    pub async fn add_piece(
        &mut self,
        key: RepositoryKey,
        number: i64,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let insert = "INSERT INTO bundle_chunks (program_id, repository_id, number, bytes) \
            VALUES ($1, $2, $3, $4)";
        sqlx::query(insert)
            .bind(key.program_id.number())
            .bind(key.repository_id.number())
            .bind(number)
            .bind(bytes)
            .execute(&mut self.0)
            .await?;
        Ok(())
    }

    /// Writes everything into the file.
    pub async fn close(self) -> Result<(), StoreError> {
        Ok(self.0.close().await?)
    }
}

/// Returns the repositories that live in git.
pub async fn list_in_git(database: &Database) -> Result<Vec<RepositoryKey>, StoreError> {
    Ok(keys(sqlx::query_as(IN_GIT).fetch_all(database.readers()).await?))
}

/// Returns whether the database is an exported state whose bundles nobody has unpacked.
pub async fn has_bundles(database: &Database) -> Result<bool, StoreError> {
    let exists = "SELECT EXISTS (SELECT 1 FROM bundle_chunks)";
    Ok(sqlx::query_scalar(exists).fetch_one(database.readers()).await?)
}

/// Returns a piece of the bundle of a repository by its number, or `None` after the last one.
pub async fn read_piece(
    database: &Database,
    key: RepositoryKey,
    number: i64,
) -> Result<Option<Vec<u8>>, StoreError> {
    // A longer piece is not one that an export has written, and need not fit into memory.
    let piece: Option<Option<Vec<u8>>> = sqlx::query_scalar(
        "SELECT iif(length(bytes) <= $4, bytes, NULL) FROM bundle_chunks \
         WHERE program_id = $1 AND repository_id = $2 AND number = $3",
    )
    .bind(key.program_id.number())
    .bind(key.repository_id.number())
    .bind(number)
    .bind(i64::try_from(PIECE).unwrap_or(i64::MAX))
    .fetch_optional(database.readers())
    .await?;
    match piece {
        Some(None) => Err(StoreError::unreadable("a piece of a bundle is too long")),
        piece => Ok(piece.flatten()),
    }
}

/// Returns whether a repository has heads.
pub async fn has_heads(database: &Database, key: RepositoryKey) -> Result<bool, StoreError> {
    let exists = "SELECT EXISTS (SELECT 1 FROM heads WHERE program_id = $1 AND repository_id = $2)";
    let exists = sqlx::query_scalar(exists);
    let exists = exists.bind(key.program_id.number()).bind(key.repository_id.number());
    Ok(exists.fetch_one(database.readers()).await?)
}

/// Stores the heads of the repositories whose bundles were unpacked, and removes all bundles.
#[allow(clippy::disallowed_methods, reason = "no memory follows this database yet")]
pub async fn finish_unpacking<'h, H>(
    database: &Database,
    unpacked: impl IntoIterator<Item = (RepositoryKey, H)>,
) -> Result<(), StoreError>
where
    H: IntoIterator<Item = (&'h String, &'h String)>,
{
    let mut tx = Database::begin(database).await?;
    for (key, heads) in unpacked {
        let delete = "DELETE FROM heads WHERE program_id = $1 AND repository_id = $2";
        sqlx::query(delete)
            .bind(key.program_id.number())
            .bind(key.repository_id.number())
            .execute(&mut *tx)
            .await?;
        let set: Vec<_> = heads.into_iter().collect();
        repositories::change_heads(&mut tx, key, &[], &set).await?;
    }
    sqlx::query("DELETE FROM bundle_chunks").execute(&mut *tx).await?;
    tx.commit().await.map(drop)
}

/// Stores that a tag is to be made.
pub async fn add_tag(tx: &mut Transaction, tag: &EarnedTag) -> Result<(), StoreError> {
    let insert = "INSERT INTO git_tags (program_id, repository_id, name, commit_id) \
        VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    sqlx::query(insert)
        .bind(tag.repository.program_id.number())
        .bind(tag.repository.repository_id.number())
        .bind(&tag.name)
        .bind(&tag.commit)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Returns the tags that are to be made.
pub async fn list_tags(database: &Database) -> Result<Vec<EarnedTag>, StoreError> {
    let select = "SELECT program_id, repository_id, name, commit_id FROM git_tags ORDER BY 1, 2, 3";
    let rows: Vec<(i64, i64, String, String)> =
        sqlx::query_as(select).fetch_all(database.readers()).await?;
    let tag = |(program, repository, name, commit)| EarnedTag {
        repository: RepositoryKey {
            program_id: ProgramId::new(program),
            repository_id: RepositoryId::new(repository),
        },
        name,
        commit,
    };
    Ok(rows.into_iter().map(tag).collect())
}

/// Stores that tags of a repository need not be made any more.
pub async fn remove_tags(
    tx: &mut Transaction,
    key: RepositoryKey,
    names: &[String],
) -> Result<(), StoreError> {
    let delete = "DELETE FROM git_tags \
        WHERE program_id = $1 AND repository_id = $2 AND name IN (SELECT value FROM json_each($3))";
    sqlx::query(delete)
        .bind(key.program_id.number())
        .bind(key.repository_id.number())
        .bind(serde_json::to_string(names).map_err(StoreError::unreadable)?)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
