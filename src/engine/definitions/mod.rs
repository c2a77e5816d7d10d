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
    /// An execution that is not over needs it as it is.
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
    /// Refuses if the pipeline has an execution that is not over. Overdue changes happen first: the
    /// execution may have ended a moment ago.
    async fn check_idle(&mut self, key: PipelineKey) -> Result<(), ChangeError> {
        let last = self.settle_last(key).await?;
        match last.map(|last| last.execution.progress) {
            None | Some(Progress::Ended { .. }) => Ok(()),
            Some(_) => Err(ChangeError::InUse(key.pipeline_id)),
        }
    }

    /// Like [`Self::check_idle`], for a pipeline that is to be deleted: its last execution may be one
    /// that can't be read. Nothing else would ever end that one.
    async fn check_deletable(&mut self, key: PipelineKey) -> Result<(), ChangeError> {
        match self.check_idle(key).await {
            Err(ChangeError::Store(StoreError::Unreadable(_))) => Ok(()),
            checked => checked,
        }
    }
}
