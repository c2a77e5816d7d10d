//! Tags: a finished stage or production execution leaves one for its commit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::RepositoryError;
use crate::domain::environment::EnvironmentType;
use crate::domain::execution::Execution;
use crate::domain::id::RepositoryKey;
use crate::engine::Engine;
use crate::engine::write::Write;
use crate::git::GitError;
use crate::store::git::EarnedTag;
use crate::store::{StoreError, git};

/// How long after a failure the tags are tried again, in real time.
const RECOVERY: Duration = Duration::from_mins(1);

impl Write {
    /// Stores that a finished execution has earned a tag, if its code lives in git. The tag itself
    /// is made after the commit.
    pub async fn earn_tag(&mut self, execution: &Execution) -> Result<(), StoreError> {
        let code = &execution.plan.code;
        let targets = execution.plan.steps.iter().filter_map(|step| step.target.as_ref());
        let mut types = targets.map(|target| target.environment_type);
        let is_tagged =
            types.any(|it| matches!(it, EnvironmentType::Stage | EnvironmentType::Prod));
        let (true, Some(commit)) = (is_tagged, &code.commit) else { return Ok(()) };
        let program_id = execution.pipeline.program_id;
        let program = self.catalog.find_program(program_id);
        let mut repositories =
            program.into_iter().flat_map(|program| program.repositories.values());
        let found = repositories.find(|it| it.in_git && it.name == code.repository);
        let Some(repository_id) = found.map(|repository| repository.id) else { return Ok(()) };
        let tag = EarnedTag {
            repository: RepositoryKey { program_id, repository_id },
            name: execution.artifacts_version(),
            commit: commit.clone(),
        };
        git::add_tag(&mut self.tx, &tag).await?;
        self.wake_tagger();
        Ok(())
    }
}

impl Engine {
    /// Makes tags until the engine stops: at the start those that are missing, then whenever
    /// executions have earned some.
    pub async fn run_tagger(self: &Arc<Self>) {
        while !self.is_stopping() {
            let made = self.make_tags(None).await;
            if let Err(error) = &made {
                tracing::warn!("tags can't be made now: {error}");
            }
            tokio::select! {
                () = self.tagging.notified() => {}
                () = tokio::time::sleep(RECOVERY), if made.is_err() => {}
                () = self.wait_for_stop() => {}
            }
        }
    }

    /// Makes the tags that executions have earned, in one repository or in all.
    pub async fn make_tags(
        self: &Arc<Self>,
        only: Option<RepositoryKey>,
    ) -> Result<(), RepositoryError> {
        let mut earned = BTreeMap::<_, Vec<_>>::new();
        for EarnedTag { repository, name, commit } in git::list_tags(&self.database).await? {
            if only.is_none_or(|only| only == repository) {
                earned.entry(repository).or_default().push((name, commit));
            }
        }
        let mut outcome = Ok(());
        for (key, tags) in earned {
            let repository = self.repository(key);
            for (name, commit) in &tags {
                match repository.tag(name, commit).await {
                    Ok(()) => {}
                    // Somebody has made the tag already, or removed the commit.
                    Err(GitError::Failed(reason)) => {
                        tracing::debug!("the tag {name} is not made: {reason}");
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            let names = tags.into_iter().map(|(name, _)| name).collect();
            match self.read_heads_with(repository, names).await {
                // Its rows are gone, too.
                Ok(_) | Err(RepositoryError::Gone) => {}
                // The tags of other repositories must not wait for this one.
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }
}
