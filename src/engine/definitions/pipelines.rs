//! Pipelines.

use std::sync::Arc;

use super::ChangeError;
use crate::domain::id::PipelineKey;
use crate::domain::pipeline::Pipeline;
use crate::domain::pipeline_update::PipelineUpdate;
use crate::engine::Engine;
use crate::engine::changes::Change;
use crate::store::definitions::{pipelines, scenarios};

impl Engine {
    /// Changes an idle pipeline and returns the new version.
    pub async fn update_pipeline(
        self: &Arc<Self>,
        key: PipelineKey,
        update: PipelineUpdate,
    ) -> Result<Arc<Pipeline>, ChangeError> {
        self.write(async move |mut write| {
            let mut program = write.find_program(key.program_id).ok_or(ChangeError::NotFound)?;
            let found = program.pipelines.get(&key.pipeline_id);
            let mut pipeline = Pipeline::clone(found.ok_or(ChangeError::NotFound)?);
            let updated = update.apply(&program, &mut pipeline, write.now);
            updated.map_err(ChangeError::Invalid)?;
            write.check_idle(key).await?;
            let pipeline = Arc::new(pipeline);
            pipelines::update(&mut write.tx, &pipeline).await?;
            program.pipelines.insert(pipeline.id, pipeline.clone());
            write.set_part(program, Change::Pipeline(key));
            write.commit().await?;
            Ok(pipeline)
        })
        .await
    }

    /// Empties the cache of a pipeline's builds.
    pub async fn invalidate_cache(self: &Arc<Self>, key: PipelineKey) -> Result<(), ChangeError> {
        self.write(async move |mut write| {
            let mut program = write.find_program(key.program_id).ok_or(ChangeError::NotFound)?;
            let pipeline = program.pipelines.get_mut(&key.pipeline_id);
            let pipeline = pipeline.ok_or(ChangeError::NotFound)?;
            Arc::make_mut(pipeline).cache_invalidated_at = Some(write.now);
            pipelines::update(&mut write.tx, pipeline).await?;
            write.set_part(program, Change::Pipeline(key));
            Ok(write.commit().await?)
        })
        .await
    }

    /// Deletes a pipeline that is idle, or whose last execution can't be read. Its executions are removed later, by the purge.
    pub async fn delete_pipeline(self: &Arc<Self>, key: PipelineKey) -> Result<(), ChangeError> {
        self.write(async move |mut write| {
            let (engine, now) = (write.engine.clone(), write.now);
            let mut program = write.find_program(key.program_id).ok_or(ChangeError::NotFound)?;
            program.pipelines.remove(&key.pipeline_id).ok_or(ChangeError::NotFound)?;
            write.check_deletable(key).await?;
            // Memories are computed from executions, so they must be brought up to date first.
            write.fold_all_changes(key.program_id).await?;
            scenarios::delete(&mut write.tx, key).await?;
            pipelines::delete(&mut write.tx, key, now).await?;
            write.set_part(program, Change::Pipeline(key));
            write.commit().await?;
            engine.purging.wake();
            Ok(())
        })
        .await
    }
}
