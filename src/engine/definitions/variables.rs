//! Variables of pipelines and environments.

use std::sync::Arc;

use super::ChangeError;
use crate::domain::variable::{self, Owner, VariableUpdate};
use crate::engine::Engine;
use crate::engine::changes::Change;
use crate::store::definitions::variables;

impl Engine {
    /// Changes variables, all or none of them.
    pub async fn change_variables(
        self: &Arc<Self>,
        owner: Owner,
        updates: Vec<VariableUpdate>,
    ) -> Result<(), ChangeError> {
        self.write(async move |mut write| {
            let program = write.find_program(owner.program_id());
            let mut program = program.ok_or(ChangeError::NotFound)?;
            let current = program.variables_mut(owner).ok_or(ChangeError::NotFound)?;
            let changes =
                variable::changes(owner, current, updates).map_err(ChangeError::Invalid)?;
            *current = variable::changed(current, &changes);
            variables::change(&write.engine.database, &mut write.tx, owner, &changes).await?;
            write.set_part(
                program,
                match owner {
                    Owner::Pipeline(key) => Change::Pipeline(key),
                    Owner::Environment(program, id) => Change::Environment(program, id),
                },
            );
            Ok(write.commit().await?)
        })
        .await
    }
}
