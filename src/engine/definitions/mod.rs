//! Changing definitions: each change is stored first, then the catalog follows.

mod edit;

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::domain::execution::answer::InvalidField;
use crate::domain::execution::machine::{self, Effects};
use crate::domain::execution::start::Request;
use crate::domain::execution::{ExecutionMode, Progress, Trigger};
use crate::domain::id::{
    EnvironmentId, ExecutionId, PipelineId, PipelineKey, ProgramId, RepositoryId,
};
use crate::domain::pipeline::{Pipeline, PipelineTrigger};
use crate::domain::pipeline_update::PipelineUpdate;
use crate::domain::program::Program;
use crate::domain::time::Timestamp;
use crate::domain::variable::{self, Owner, VariableUpdate};
use crate::engine::commands::StartError;
use crate::engine::executions::save::{Change, Commit};
use crate::engine::{Engine, run_to_the_end};
use crate::store::executions::{self, Stored};
use crate::store::scenarios::{self, StoredScenario};
use crate::store::{StoreError, Transaction, Writer, definitions, emulator, variables, webhooks};
use edit::Edit;

/// How many executions or deliveries a transaction takes away.
const PURGED: u32 = 10_000;

/// Why a definition was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is no such thing any more.
    #[error("no such definition")]
    NotFound,
    /// An execution that is not over needs it as it is.
    #[error("the pipeline {0} has an execution that is not over")]
    InUse(PipelineId),
    /// What was asked for has mistakes.
    #[error("invalid: {0:?}")]
    Invalid(Vec<InvalidField>),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
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
    /// Changes a program by what Customer Success Engineers set for it; the program as it is then,
    /// or none if there is no such program. `change` may refuse.
    pub async fn change_program<E>(
        self: &Arc<Self>,
        id: ProgramId,
        change: impl FnOnce(&mut Program) -> Result<(), E> + Send + 'static,
    ) -> Result<Option<Arc<Program>>, E>
    where
        E: From<StoreError> + Send + 'static,
    {
        let engine = self.clone();
        run_to_the_end(async move {
            let mut writer = engine.database.writer().await;
            let catalog = engine.catalog();
            let Some(program) = catalog.find_program(id) else { return Ok(None) };
            let mut program = Program::clone(program);
            change(&mut program)?;
            program.updated_at = engine.clock.now();
            let mut tx = writer.begin().await?;
            definitions::update_program(&mut tx, &program).await?;
            emulator::see(&mut tx, program.updated_at).await?;
            tx.commit().await.map_err(StoreError::from)?;
            engine.catalog.set(catalog.with_program(program));
            Ok(engine.catalog().find_program(id).cloned())
        })
        .await
    }

    /// Sets the scenario of a pipeline. The pipeline must exist.
    pub async fn put_scenario(
        &self,
        pipeline: PipelineKey,
        scenario: StoredScenario,
    ) -> Result<(), StoreError> {
        let mut writer = self.database.writer().await;
        let mut tx = writer.begin().await?;
        scenarios::put(&mut tx, &[(pipeline, scenario)]).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Deletes the scenario of a pipeline, if it has one.
    pub async fn delete_scenario(&self, pipeline: PipelineKey) -> Result<(), StoreError> {
        let mut writer = self.database.writer().await;
        let mut tx = writer.begin().await?;
        scenarios::delete(&mut tx, pipeline).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The last execution of a pipeline as it is now; what was overdue is saved.
    pub(in crate::engine) async fn settle_last(
        &self,
        tx: &mut Transaction<'_>,
        key: PipelineKey,
        now: Timestamp,
        commit: &mut Commit,
    ) -> Result<Option<Stored>, StoreError> {
        let last = executions::find_last_for_update(&self.database, tx, key).await?;
        let Some(Stored { mut execution, sequence }) = last else { return Ok(None) };
        let mut effects = Effects::default();
        machine::run_until(&mut execution, now, &mut effects);
        if effects != Effects::default() {
            let change = Change { execution: execution.clone(), effects };
            self.save(tx, vec![change], commit).await?;
        }
        Ok(Some(Stored { execution, sequence }))
    }

    async fn check_idle(&self, edit: &mut Edit<'_>, key: PipelineKey) -> Result<(), ChangeError> {
        let Edit { tx, now, commit, .. } = edit;
        let last = self.settle_last(tx, key, *now, commit).await?;
        match last.map(|last| last.execution.progress) {
            None | Some(Progress::Ended { .. }) => Ok(()),
            Some(_) => Err(ChangeError::InUse(key.pipeline_id)),
        }
    }

    /// Changes a pipeline that is idle; the pipeline as it is then.
    pub async fn update_pipeline(
        self: &Arc<Self>,
        key: PipelineKey,
        update: PipelineUpdate,
    ) -> Result<Arc<Pipeline>, ChangeError> {
        let engine = self.clone();
        run_to_the_end(async move {
            let mut writer = engine.database.writer().await;
            let mut edit = engine.begin_edit(&mut writer, key.program_id).await?;
            let found = edit.program.pipelines.get(&key.pipeline_id);
            let mut pipeline = Pipeline::clone(found.ok_or(ChangeError::NotFound)?);
            let updated = update.apply(&edit.program, &mut pipeline, edit.now);
            updated.map_err(ChangeError::Invalid)?;
            engine.check_idle(&mut edit, key).await?;
            let pipeline = Arc::new(pipeline);
            definitions::update_pipeline(&mut edit.tx, &pipeline).await?;
            edit.program.pipelines.insert(pipeline.id, pipeline.clone());
            engine.commit_edit(edit).await?;
            Ok(pipeline)
        })
        .await
    }

    /// Empties the cache of a pipeline's builds.
    pub async fn invalidate_cache(self: &Arc<Self>, key: PipelineKey) -> Result<(), ChangeError> {
        let engine = self.clone();
        run_to_the_end(async move {
            let mut writer = engine.database.writer().await;
            let mut edit = engine.begin_edit(&mut writer, key.program_id).await?;
            let pipeline = edit.program.pipelines.get_mut(&key.pipeline_id);
            let pipeline = pipeline.ok_or(ChangeError::NotFound)?;
            Arc::make_mut(pipeline).cache_invalidated_at = Some(edit.now);
            definitions::update_pipeline(&mut edit.tx, pipeline).await?;
            Ok(engine.commit_edit(edit).await?)
        })
        .await
    }

    /// Deletes a pipeline that is idle.
    pub async fn delete_pipeline(self: &Arc<Self>, key: PipelineKey) -> Result<(), ChangeError> {
        let engine = self.clone();
        run_to_the_end(async move {
            let mut writer = engine.database.writer().await;
            let mut edit = engine.begin_edit(&mut writer, key.program_id).await?;
            edit.program.pipelines.remove(&key.pipeline_id).ok_or(ChangeError::NotFound)?;
            engine.check_idle(&mut edit, key).await?;
            scenarios::delete(&mut edit.tx, key).await?;
            definitions::delete_pipeline(&mut edit.tx, key, edit.now).await?;
            edit.commit.pipelines.push(key);
            engine.commit_edit(edit).await?;
            engine.start_purging();
            Ok(())
        })
        .await
    }

    /// Deletes a program; the program as it was. Its executions that are not over are cancelled
    /// first.
    pub async fn delete_program(self: &Arc<Self>, id: ProgramId) -> Result<Program, ChangeError> {
        let engine = self.clone();
        run_to_the_end(async move {
            let mut writer = engine.database.writer().await;
            let mut edit = engine.begin_edit(&mut writer, id).await?;
            let Edit { tx, now, commit, program, .. } = &mut edit;
            let mut stopped = Vec::new();
            for pipeline in program.pipelines.values() {
                commit.pipelines.push(pipeline.key());
                let last = engine.settle_last(tx, pipeline.key(), *now, commit).await?;
                if let Some(Stored { mut execution, .. }) = last {
                    let mut effects = Effects::default();
                    machine::stop(&mut execution, *now, &mut effects);
                    stopped.push(Change { execution, effects });
                }
            }
            stopped.retain(|change| change.effects != Effects::default());
            engine.save(tx, stopped, commit).await?;
            definitions::delete_program(tx, id, *now).await?;
            let program = engine.commit_deletion(edit).await?;
            engine.start_purging();
            Ok(program)
        })
        .await
    }

    /// Deletes an environment to which no execution deploys now.
    pub async fn delete_environment(
        self: &Arc<Self>,
        program_id: ProgramId,
        id: EnvironmentId,
    ) -> Result<(), ChangeError> {
        let engine = self.clone();
        run_to_the_end(async move {
            let mut writer = engine.database.writer().await;
            let mut edit = engine.begin_edit(&mut writer, program_id).await?;
            edit.program.environments.remove(&id).ok_or(ChangeError::NotFound)?;
            let pipelines: Vec<_> = edit.program.pipelines.values().cloned().collect();
            for pipeline in pipelines.iter().filter(|pipeline| pipeline.deploys_to(id)) {
                engine.check_idle(&mut edit, pipeline.key()).await?;
            }
            definitions::delete_environment(&mut edit.tx, program_id, id).await?;
            Ok(engine.commit_edit(edit).await?)
        })
        .await
    }

    /// Changes variables, all or none of them.
    pub async fn change_variables(
        self: &Arc<Self>,
        owner: Owner,
        updates: Vec<VariableUpdate>,
    ) -> Result<(), ChangeError> {
        let engine = self.clone();
        run_to_the_end(async move {
            let mut writer = engine.database.writer().await;
            let mut edit = engine.begin_edit(&mut writer, owner.program_id()).await?;
            let current = edit.program.variables_mut(owner).ok_or(ChangeError::NotFound)?;
            let changes =
                variable::changes(owner, current, updates).map_err(ChangeError::Invalid)?;
            *current = variable::changed(current, &changes);
            variables::change(&engine.database, &mut edit.tx, owner, &changes).await?;
            Ok(engine.commit_edit(edit).await?)
        })
        .await
    }

    /// Sets a new head commit of a branch, a made-up one if none is given, and starts the idle
    /// pipelines that execute with each commit on it.
    pub async fn push_commit(
        self: &Arc<Self>,
        program_id: ProgramId,
        repository_id: RepositoryId,
        branch: String,
        commit: Option<String>,
    ) -> Result<Pushed, ChangeError> {
        let engine = self.clone();
        let of_branch = branch.clone();
        let (commit, pipelines) = run_to_the_end(async move {
            let mut writer = engine.database.writer().await;
            let mut edit = engine.begin_edit(&mut writer, program_id).await?;
            let repository = edit.program.repositories.get_mut(&repository_id);
            let heads = &mut repository.ok_or(ChangeError::NotFound)?.heads;
            let head = heads.entry(branch.clone()).or_default();
            *head = commit.unwrap_or_else(|| made_up_commit(head, edit.now));
            let commit = head.clone();
            definitions::set_head(&mut edit.tx, program_id, repository_id, &branch, &commit)
                .await?;
            let pipelines: Vec<_> = edit.program.pipelines.values().cloned().collect();
            engine.commit_edit(edit).await?;
            Ok::<_, ChangeError>((commit, pipelines))
        })
        .await?;
        let mut started = Vec::new();
        let follows = |pipeline: &Arc<Pipeline>| {
            pipeline.trigger == PipelineTrigger::OnCommit
                && pipeline.builds(repository_id, &of_branch)
        };
        for pipeline in pipelines.iter().filter(|pipeline| follows(pipeline)) {
            let request = Request::Whole(Trigger::OnCommit, ExecutionMode::Normal);
            match self.start(pipeline.key(), request, None).await {
                Ok(execution) => started.push(execution.id),
                // A pipeline that is busy, or was deleted just now, misses the commit.
                Err(StartError::Busy | StartError::NoSuchPipeline | StartError::Refused(_)) => {}
                Err(StartError::Store(error)) => return Err(error.into()),
            }
        }
        Ok(Pushed { commit, started })
    }

    /// Takes away what is deleted, a little at a time, while others go on.
    pub(in crate::engine) fn start_purging(self: &Arc<Self>) {
        let engine = self.clone();
        tokio::spawn(async move {
            match engine.purge().await {
                Ok(()) | Err(StoreError::Closed) => {}
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "what is deleted is not taken away");
                }
            }
        });
    }

    /// Takes away all that is deleted, a little at a time, while others go on.
    pub(in crate::engine) async fn purge(&self) -> Result<(), StoreError> {
        while purge_some(&mut self.database.writer().await).await? {}
        Ok(())
    }
}

/// Takes away some of what is deleted; whether there may be more.
pub(in crate::engine) async fn purge_some(writer: &mut Writer<'_>) -> Result<bool, StoreError> {
    let mut tx = writer.begin().await?;
    let more =
        definitions::purge(&mut tx, PURGED).await? || webhooks::purge(&mut tx, PURGED).await?;
    tx.commit().await?;
    Ok(more)
}

/// A commit that nobody has made yet.
fn made_up_commit(head: &str, now: Timestamp) -> String {
    let digits = format!("{:x}", Sha256::digest(format!("{head} {now}")));
    format!("{digits:.40}")
}
