//! Changing definitions.

mod commits;
mod environments;
mod pipelines;
mod programs;
mod scenarios;
mod variables;

use crate::domain::execution::Progress;
use crate::domain::id::{PipelineId, PipelineKey};
use crate::domain::invalid::InvalidFields;
use crate::engine::write::Write;
use crate::store::StoreError;
pub use commits::{Push, Pushed};

/// Why a definition was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// It does not exist any more.
    #[error("no such definition")]
    NotFound,
    /// The repository has no such branch.
    #[error("no such branch")]
    NoSuchBranch,
    /// The repository lives in git, where its commits come from.
    #[error("the repository lives in git")]
    InGit,
    /// A pipeline that uses the definition has an unfinished execution.
    #[error("the pipeline {0} has an unfinished execution")]
    InUse(PipelineId),
    /// The request has mistakes.
    #[error("invalid: {0:?}")]
    Invalid(InvalidFields),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Write {
    /// Returns an error if the pipeline has an unfinished execution. Applies overdue changes first:
    /// they may end the execution.
    async fn check_idle(&mut self, key: PipelineKey) -> Result<(), ChangeError> {
        let last = self.settle_last(key).await?;
        match last.map(|last| last.execution.progress) {
            None | Some(Progress::Ended { .. }) => Ok(()),
            Some(_) => Err(ChangeError::InUse(key.pipeline_id)),
        }
    }

    /// Like [`Self::check_idle`], but also accepts a pipeline whose last execution can't be read:
    /// such an execution never ends, and deleting the pipeline is the only way to remove it.
    async fn check_deletable(&mut self, key: PipelineKey) -> Result<(), ChangeError> {
        match self.check_idle(key).await {
            Err(ChangeError::Store(StoreError::Unreadable(_))) => Ok(()),
            checked => checked,
        }
    }
}
