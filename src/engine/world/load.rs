//! Filling an empty database from a seed.

use std::sync::Arc;

use crate::domain::program::Program;
use crate::domain::time::Timestamp;
use crate::engine::EngineOptions;
use crate::engine::clock::wall_millis;
use crate::engine::write::Write;
use crate::git::Generation;
use crate::seed::Seed;
use crate::store::definitions::{clients, programs, scenarios, tenants, variables};
use crate::store::emulator::{self, ClockLine, EmulatorRow};
use crate::store::{StoreError, webhooks};

/// Returns the clock line of a new database.
pub(in crate::engine) fn new_line(options: &EngineOptions) -> ClockLine {
    let wall_base = wall_millis();
    let base = options.clock_start.unwrap_or(Timestamp::from_millis(wall_base));
    ClockLine { base, wall_base, rate: options.clock_rate.unwrap_or(1.0) }
}

impl Write {
    /// Fills an empty database with the emulator's row and a seed, and memory after the commit. The
    /// repositories in git are those of a generation.
    pub async fn fill(
        &mut self,
        row: EmulatorRow,
        seed: Seed,
        repositories: Arc<Generation>,
    ) -> Result<(), StoreError> {
        let EmulatorRow { clock, seen_at: now, signing_key, .. } = &row;
        let seed = seed.created_at(*now);
        emulator::insert(&mut self.tx, *clock, seed.next_execution_id, signing_key).await?;
        self.store(&seed, &[]).await?;
        self.replace_everything(row, repositories).await
    }

    /// Stores what a seed defines, and the new parts of the `known` programs, which exist already.
    pub async fn store(&mut self, seed: &Seed, known: &[Program]) -> Result<(), StoreError> {
        let Seed {
            tenants,
            clients,
            programs,
            variables,
            scenarios,
            webhooks,
            files,
            next_execution_id: _,
        } = seed;
        for zip in files {
            self.store_zip(zip).await?;
        }
        let tx = &mut self.tx;
        tenants::insert(tx, tenants).await?;
        clients::insert(tx, clients).await?;
        programs::insert(tx, programs).await?;
        programs::insert_parts(tx, known).await?;
        for (owner, changes) in variables {
            variables::change(&self.engine.database, tx, *owner, changes).await?;
        }
        scenarios::put(tx, scenarios).await?;
        webhooks::insert(tx, webhooks).await
    }
}
