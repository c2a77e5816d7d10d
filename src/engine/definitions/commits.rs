//! Commits that are pushed to branches.

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::ChangeError;
use crate::domain::execution::start::StartRequest;
use crate::domain::execution::{ExecutionMode, Trigger};
use crate::domain::id::{ExecutionId, ProgramId, RepositoryId, RepositoryKey};
use crate::domain::pipeline::{Pipeline, PipelineTrigger};
use crate::domain::time::Timestamp;
use crate::engine::Engine;
use crate::engine::commands::StartError;
use crate::store::StoreError;
use crate::store::definitions::repositories;

/// A commit that is to be pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// Where to.
    pub branch: String,
    /// The commit; a made-up one if none is given.
    pub commit: Option<String>,
    /// Whether a branch that does not exist is made.
    pub create: bool,
}

/// A commit that has been pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The commit.
    pub commit: String,
    /// The executions that it started.
    pub started: Vec<ExecutionId>,
}

impl Engine {
    /// Sets the head commit of a branch, to a generated one if none is given, and starts the idle
    /// pipelines whose trigger is a commit on this branch.
    pub async fn push_commit(
        self: &Arc<Self>,
        program_id: ProgramId,
        repository_id: RepositoryId,
        push: Push,
    ) -> Result<Pushed, ChangeError> {
        let branches = BTreeSet::from([push.branch.clone()]);
        let commit = self.set_head(program_id, repository_id, push).await?;
        let key = RepositoryKey { program_id, repository_id };
        let started = self.start_on_commit(key, &branches).await?;
        Ok(Pushed { commit, started })
    }

    /// Starts the idle pipelines whose trigger is a commit on one of these branches. Returns the
    /// executions.
    pub(in crate::engine) async fn start_on_commit(
        self: &Arc<Self>,
        key: RepositoryKey,
        branches: &BTreeSet<String>,
    ) -> Result<Vec<ExecutionId>, StoreError> {
        let catalog = self.catalog();
        let Some(program) = catalog.find_program(key.program_id) else { return Ok(Vec::new()) };
        let follows = |pipeline: &Pipeline| {
            let code = pipeline.code();
            let is_built = code.is_some_and(|(repository, branch)| {
                repository == key.repository_id && branches.contains(branch)
            });
            pipeline.trigger == PipelineTrigger::OnCommit && is_built
        };
        let mut started = Vec::new();
        for pipeline in program.pipelines.values().filter(|pipeline| follows(pipeline)) {
            let request = StartRequest::Whole(Trigger::OnCommit, ExecutionMode::Normal);
            match self.start(pipeline.key(), request, None).await {
                Ok(execution) => started.push(execution.id),
                Err(error @ StartError::Scenario(_)) => {
                    tracing::warn!(pipeline = %pipeline.id, "the commit starts nothing: {error}");
                }
                // A pipeline that is busy, or was deleted just now, ignores the commit: the commit
                // has been pushed in any case.
                Err(StartError::Busy | StartError::NoSuchPipeline | StartError::Refused(_)) => {}
                Err(StartError::Store(error)) => return Err(error),
            }
        }
        Ok(started)
    }

    /// Sets the head commit of a branch. Returns the commit.
    async fn set_head(
        self: &Arc<Self>,
        program_id: ProgramId,
        repository_id: RepositoryId,
        Push { branch, commit, create }: Push,
    ) -> Result<String, ChangeError> {
        self.write(async move |mut write| {
            let mut program = write.find_program(program_id).ok_or(ChangeError::NotFound)?;
            let repository = program.repositories.get_mut(&repository_id);
            let repository = repository.ok_or(ChangeError::NotFound)?;
            if repository.in_git {
                return Err(ChangeError::InGit);
            }
            let heads = &mut repository.heads;
            if !create && !heads.contains_key(&branch) {
                return Err(ChangeError::NoSuchBranch);
            }
            let head = heads.entry(branch.clone()).or_default();
            *head = commit.unwrap_or_else(|| made_up_commit(head, write.now));
            let commit = head.clone();
            repositories::set_head(&mut write.tx, program_id, repository_id, &branch, &commit)
                .await?;
            write.set_program(program);
            write.commit().await?;
            Ok(commit)
        })
        .await
    }
}

/// Returns a commit that follows from the current head and the time, so that it is a new one.
fn made_up_commit(head: &str, now: Timestamp) -> String {
    let digits = format!("{:x}", Sha256::digest(format!("{head} {now}")));
    format!("{digits:.40}")
}
