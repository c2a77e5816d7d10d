//! Programs.

use std::sync::Arc;

use super::ChangeError;
use crate::domain::execution::machine::{self, Effects};
use crate::domain::id::ProgramId;
use crate::domain::program::Program;
use crate::engine::Engine;
use crate::engine::changes::Change;
use crate::engine::executions::save::Changed;
use crate::store::definitions::programs;
use crate::store::executions::Stored;
use crate::store::{StoreError, environment_memories};

impl Engine {
    /// Changes the settings of a program that Customer Success Engineers control. Returns the new
    /// version, `None` if there is no such program, or the error of `change`.
    pub async fn change_program<R: Send + 'static>(
        self: &Arc<Self>,
        id: ProgramId,
        change: impl FnOnce(&mut Program) -> Result<(), R> + Send + 'static,
    ) -> Result<Result<Option<Arc<Program>>, R>, StoreError> {
        self.write(async move |mut write| {
            let Some(mut program) = write.find_program(id) else { return Ok(Ok(None)) };
            if let Err(refusal) = change(&mut program) {
                return Ok(Err(refusal));
            }
            program.updated_at = write.now;
            programs::update(&mut write.tx, &program).await?;
            let program = write.set_program(program);
            write.commit().await?;
            Ok(Ok(Some(program)))
        })
        .await
    }

    /// Deletes a program, after cancelling its executions that are not over. Returns the program as
    /// it was.
    pub async fn delete_program(
        self: &Arc<Self>,
        id: ProgramId,
    ) -> Result<Arc<Program>, ChangeError> {
        self.write(async move |mut write| {
            let (engine, now) = (write.engine.clone(), write.now);
            let program = write.catalog.find_program(id).ok_or(ChangeError::NotFound)?.clone();
            let mut stopped = Vec::new();
            for pipeline in program.pipelines.values() {
                write.changes.add(Change::Pipeline(pipeline.key()));
                let last = match write.settle_last(pipeline.key()).await {
                    // What can't be read goes with the program.
                    Err(StoreError::Unreadable(_)) => None,
                    last => last?,
                };
                if let Some(Stored { mut execution, .. }) = last {
                    let mut effects = Effects::default();
                    machine::stop(&mut execution, now, &mut effects);
                    // Its environments are deleted, too: nobody asks what it left there.
                    stopped.push(Changed::by_time(execution, effects));
                }
            }
            stopped.retain(|changed| changed.effects != Effects::default());
            write.save(stopped, now).await?;
            programs::delete(&mut write.tx, id, now).await?;
            environment_memories::delete(&mut write.tx, id).await?;
            write.set_definitions(write.catalog.without_program(id));
            write.changes.add(Change::Program(id));
            write.commit().await?;
            engine.purging.wake();
            Ok(program)
        })
        .await
    }
}
