//! The heads of repositories in git: read there, and stored with what they start.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::RepositoryError;
use crate::domain::id::ExecutionId;
use crate::engine::write::Write;
use crate::engine::{Engine, run_to_the_end};
use crate::git::{GitRepository, Heads};
use crate::store::definitions::repositories;
use crate::store::git;

impl Engine {
    /// Reads the heads of a repository in git and stores them. Returns the executions that the
    /// changed ones have started. A repository without any stays as it is until somebody pushes.
    ///
    /// It runs to its end even if the caller leaves.
    pub async fn read_heads(
        self: &Arc<Self>,
        repository: GitRepository,
    ) -> Result<Vec<ExecutionId>, RepositoryError> {
        self.read_heads_with(repository, Vec::new()).await
    }

    /// The same where these tags were made before.
    pub(super) async fn read_heads_with(
        self: &Arc<Self>,
        repository: GitRepository,
        made: Vec<String>,
    ) -> Result<Vec<ExecutionId>, RepositoryError> {
        let engine = self.clone();
        run_to_the_end(self, async move {
            let key = repository.key();
            let changed = {
                // Whoever reads later also stores later.
                let _turn = repository.lock().await;
                let heads = repository.read_heads().await?;
                repository.choose_branch(&heads).await?;
                Write::begin(&engine).await?.store_heads(&repository, heads, &made).await?
            };
            Ok(engine.start_on_commit(key, &changed).await?)
        })
        .await
    }
}

impl Write {
    /// Stores the heads of a repository, and that these tags were made. Returns the names of those
    /// that are new or have moved.
    async fn store_heads(
        mut self,
        repository: &GitRepository,
        heads: Heads,
        made: &[String],
    ) -> Result<BTreeSet<String>, RepositoryError> {
        let key = repository.key();
        if self.engine.git.current().number() != repository.generation().number() {
            return Err(RepositoryError::Gone);
        }
        let mut program = self.find_program(key.program_id).ok_or(RepositoryError::Gone)?;
        let known = program.repositories.get_mut(&key.repository_id);
        let known = known.ok_or(RepositoryError::Gone)?;
        let is_new = !known.in_git && !heads.is_empty();
        let removed: Vec<_> =
            known.heads.keys().filter(|name| !heads.contains_key(*name)).collect();
        let is_set = |(name, commit): &(&String, &String)| known.heads.get(*name) == Some(*commit);
        let changed: Vec<_> = heads.iter().filter(|head| !is_set(head)).collect();
        let is_same = removed.is_empty() && changed.is_empty();
        if !made.is_empty() {
            git::remove_tags(&mut self.tx, key, made).await?;
        }
        if !is_new && (is_same || !known.in_git) {
            if !made.is_empty() {
                self.commit().await?;
            }
            return Ok(BTreeSet::new());
        }
        let names: BTreeSet<_> = changed.iter().map(|(name, _)| (*name).clone()).collect();
        repositories::change_heads(&mut self.tx, key, &removed, &changed).await?;
        known.in_git = true;
        known.heads = heads;
        self.set_program(program);
        self.commit().await?;
        Ok(names)
    }
}
