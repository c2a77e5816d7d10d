//! Repositories that live in git: their heads, their tags, and their bundles in exported states.

pub(super) mod bundles;
mod heads;
mod tags;

use std::sync::Arc;

use super::{Engine, outcome_of};
use crate::domain::id::RepositoryKey;
use crate::git::{Git, GitError, GitRepository};
use crate::store::StoreError;

/// Why a repository could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// It is not there any more, or it is one of an earlier state.
    #[error("the repository was deleted or replaced in the meantime")]
    Gone,
    /// `git` can't do it.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Returns `git` and its repositories.
    #[must_use]
    pub fn git(&self) -> &Git {
        &self.git
    }

    /// Returns a repository of the current state, which may not be on disk.
    #[must_use]
    pub fn repository(&self, key: RepositoryKey) -> GitRepository {
        GitRepository::new(&self.git, &self.git.current(), key)
    }

    /// Removes what killed processes have left, and reads the heads of all repositories in git: a
    /// push may have ended while nobody could store them.
    pub(super) async fn open_repositories(self: &Arc<Self>) -> Result<(), StoreError> {
        let generation = self.git.current();
        let swept = tokio::task::spawn_blocking(move || generation.sweep());
        outcome_of(swept.await)?;
        self.remove_deleted_repositories().await;
        for key in self.git.current().list().unwrap_or_default() {
            match self.read_heads(self.repository(key)).await {
                Ok(_) | Err(RepositoryError::Gone) => {}
                Err(RepositoryError::Store(error)) => return Err(error),
                Err(RepositoryError::Git(error)) => {
                    tracing::warn!("the git repository of {key:?} can't be read: {error}");
                }
            }
        }
        Ok(())
    }

    /// Removes from the disk the repositories that were deleted.
    pub(super) async fn remove_deleted_repositories(self: &Arc<Self>) {
        let generation = self.git.current();
        let listed = generation.clone();
        let listed = tokio::task::spawn_blocking(move || listed.list()).await;
        // What can't be removed now is tried again at the next start.
        let Ok(Ok(keys)) = listed else { return };
        let catalog = self.catalog();
        if self.git.current().number() != generation.number() {
            return;
        }
        for key in keys {
            let program = catalog.find_program(key.program_id);
            if !program.is_some_and(|it| it.repositories.contains_key(&key.repository_id)) {
                let _ = GitRepository::new(&self.git, &generation, key).remove().await;
            }
        }
    }
}
