//! Filling an empty database from a seed.

use crate::domain::time::Timestamp;
use crate::engine::EngineOptions;
use crate::engine::clock::wall_millis;
use crate::engine::write::Write;
use crate::seed::Seed;
use crate::store::emulator::{self, ClockLine, EmulatorRow};
use crate::store::{StoreError, definitions, scenarios, variables, webhooks};

/// The line on which the clock of a new database runs.
pub(in crate::engine) fn new_line(options: &EngineOptions) -> ClockLine {
    let wall_base = wall_millis();
    let base = options.clock_start.unwrap_or(Timestamp::from_millis(wall_base));
    ClockLine { base, wall_base, rate: options.clock_rate.unwrap_or(1.0) }
}

impl Write {
    /// Stores the emulator's row and a seed where nothing is, and lets memory have them.
    pub async fn fill(&mut self, row: EmulatorRow, seed: Seed) -> Result<(), StoreError> {
        let EmulatorRow { clock, seen_at: now, signing_key } = &row;
        let seed = seed.created_at(*now);
        let tx = &mut self.tx;
        emulator::insert(tx, *clock, seed.next_execution_id, signing_key).await?;
        definitions::insert_tenants(tx, &seed.tenants).await?;
        definitions::insert_clients(tx, &seed.clients).await?;
        definitions::insert_programs(tx, &seed.programs).await?;
        self.add_details(&seed).await?;
        self.replace_everything(row).await
    }

    /// Stores what belongs to the programs and tenants of a seed.
    pub async fn add_details(&mut self, seed: &Seed) -> Result<(), StoreError> {
        let tx = &mut self.tx;
        for (owner, changes) in &seed.variables {
            variables::change(&self.engine.database, tx, *owner, changes).await?;
        }
        scenarios::put(tx, &seed.scenarios).await?;
        webhooks::insert(tx, &seed.webhooks).await
    }
}
