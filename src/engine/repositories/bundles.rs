//! Bundles: how repositories travel in an exported state.

use std::path::Path;
use std::sync::Arc;

use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use crate::domain::id::RepositoryKey;
use crate::engine::Engine;
use crate::git::{Generation, Git, GitError, GitRepository, Heads};
use crate::store::git::{ExportedState, PIECE};
use crate::store::{CopyPlaceError, Database, StoreError, git, with_causes};

impl From<GitError> for StoreError {
    fn from(error: GitError) -> Self {
        Self::Git(with_causes(&error))
    }
}

impl From<CopyPlaceError> for StoreError {
    fn from(error: CopyPlaceError) -> Self {
        match error {
            CopyPlaceError::Closed => Self::Closed,
            error => Self::Git(with_causes(&error)),
        }
    }
}

impl Engine {
    /// Adds the repositories to the copy of the state in a file, which was made while `before` or
    /// its successor was the current generation.
    pub(in crate::engine) async fn add_bundles(
        &self,
        path: &Path,
        before: Arc<Generation>,
    ) -> Result<(), StoreError> {
        let mut state = ExportedState::open(path).await?;
        let keys = state.list_in_git().await?;
        let number = state.generation().await?;
        let mut generations = [before, self.git.current()].into_iter();
        let generation = generations.find(|generation| generation.number() == number);
        for key in keys {
            let gone = || StoreError::Git("the state was replaced meanwhile".to_owned());
            let generation = generation.as_ref().ok_or_else(gone)?;
            let repository = GitRepository::new(&self.git, generation, key);
            let Some(mut bundle) = repository.bundle().await? else { continue };
            let mut number = 0;
            while let Some(piece) = bundle.next(PIECE).await? {
                state.add_piece(key, number, &piece).await?;
                number += 1;
            }
        }
        state.close().await
    }
}

/// Unpacks the bundles of an exported state into a generation, checks them, and stores the heads.
pub(in crate::engine) async fn unpack(
    git: &Git,
    generation: &Arc<Generation>,
    database: &Database,
) -> Result<(), StoreError> {
    let mut unpacked = Vec::new();
    for key in git::list_in_git(database).await? {
        let heads =
            unpack_one(git, generation, database, key).await.map_err(|error| match error {
                StoreError::Git(reason) => StoreError::Git(format!(
                    "the repository {} of the program {}: {reason}",
                    key.repository_id, key.program_id
                )),
                error => error,
            })?;
        unpacked.push((key, heads));
    }
    git::finish_unpacking(database, unpacked.iter().map(|(key, heads)| (*key, heads))).await
}

async fn unpack_one(
    git: &Git,
    generation: &Arc<Generation>,
    database: &Database,
    key: RepositoryKey,
) -> Result<Heads, StoreError> {
    let repository = GitRepository::new(git, generation, key);
    // There may be one from an attempt that was killed.
    repository.remove().await.map_err(GitError::from)?;
    repository.make().await?;
    let place = database.place_for_copy().await?;
    let bundle = place.path().join("bundle");
    if write_bundle(database, key, &bundle).await? > 0 {
        repository.restore(&bundle).await?;
    } else if git::has_heads(database, key).await? {
        return Err(StoreError::Git("its bundle is missing".to_owned()));
    }
    let heads = repository.read_heads().await?;
    repository.choose_branch(&heads).await?;
    Ok(heads)
}

/// Writes the pieces of a bundle into a file. Returns how many there are.
async fn write_bundle(
    database: &Database,
    key: RepositoryKey,
    path: &Path,
) -> Result<i64, StoreError> {
    let mut file = File::create(path).await.map_err(GitError::from)?;
    let mut number = 0;
    while let Some(piece) = git::read_piece(database, key, number).await? {
        file.write_all(&piece).await.map_err(GitError::from)?;
        number += 1;
    }
    file.flush().await.map_err(GitError::from)?;
    Ok(number)
}

/// Unpacks the bundles where the database is an exported state that is started as it is.
pub(in crate::engine) async fn unpack_at_start(
    git: &Git,
    database: &Database,
) -> Result<(), StoreError> {
    if git::has_bundles(database).await? {
        unpack(git, &git.current(), database).await?;
    }
    Ok(())
}
