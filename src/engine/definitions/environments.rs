//! Environments.

use std::sync::Arc;

use super::ChangeError;
use crate::domain::environment::{Environment, EnvironmentStatus};
use crate::domain::id::{EnvironmentId, ProgramId};
use crate::engine::Engine;
use crate::engine::changes::Change;
use crate::store::definitions::environments;

impl Engine {
    /// Sets the status of an environment, which decides whether it can be deployed to. Returns the
    /// changed environment.
    pub async fn set_environment_status(
        self: &Arc<Self>,
        program_id: ProgramId,
        id: EnvironmentId,
        status: EnvironmentStatus,
    ) -> Result<Environment, ChangeError> {
        self.write(async move |mut write| {
            let mut program = write.find_program(program_id).ok_or(ChangeError::NotFound)?;
            let environment = program.environments.get_mut(&id).ok_or(ChangeError::NotFound)?;
            environment.status = status;
            let changed = environment.clone();
            environments::set_status(&mut write.tx, program_id, id, status).await?;
            write.set_part(program, Change::Environment(program_id, id));
            write.commit().await?;
            Ok(changed)
        })
        .await
    }

    /// Deletes an environment to which no execution deploys now.
    pub async fn delete_environment(
        self: &Arc<Self>,
        program_id: ProgramId,
        id: EnvironmentId,
    ) -> Result<(), ChangeError> {
        self.write(async move |mut write| {
            let mut program = write.find_program(program_id).ok_or(ChangeError::NotFound)?;
            program.environments.remove(&id).ok_or(ChangeError::NotFound)?;
            for pipeline in program.pipelines.values().filter(|it| it.deploys_to(id)) {
                write.check_idle(pipeline.key()).await?;
            }
            environments::delete(&mut write.tx, program_id, id).await?;
            write.set_part(program, Change::Environment(program_id, id));
            Ok(write.commit().await?)
        })
        .await
    }
}
