//! Loading a seed into an empty database.

use uuid::Uuid;

use crate::domain::time::Timestamp;
use crate::engine::EngineOptions;
use crate::engine::clock::wall_millis;
use crate::seed::Seed;
use crate::store::emulator::{self, ClockLine, EmulatorRow};
use crate::store::{
    Database, StoreError, Transaction, definitions, scenarios, variables, webhooks,
};

/// Starts the clock and stores the seed, all in one transaction.
pub(in crate::engine) async fn into_new_database(
    database: &Database,
    options: &EngineOptions,
    seed: Seed,
) -> Result<EmulatorRow, StoreError> {
    // Two random identifiers: 244 random bits.
    let signing_key = [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat();
    let mut writer = database.writer().await;
    let mut tx = writer.begin().await?;
    let row = fill(database, &mut tx, options, seed, signing_key).await?;
    tx.commit().await?;
    Ok(row)
}

/// Starts the clock and stores a seed where nothing is.
pub(in crate::engine) async fn fill(
    database: &Database,
    tx: &mut Transaction<'_>,
    options: &EngineOptions,
    seed: Seed,
    signing_key: Vec<u8>,
) -> Result<EmulatorRow, StoreError> {
    let wall_base = wall_millis();
    let now = options.clock_start.unwrap_or(Timestamp::from_millis(wall_base));
    let clock = ClockLine { base: now, wall_base, rate: options.clock_rate.unwrap_or(1.0) };
    let seed = seed.created_at(now);
    emulator::insert(tx, clock, seed.next_execution_id, &signing_key).await?;
    definitions::insert_tenants(tx, &seed.tenants).await?;
    definitions::insert_clients(tx, &seed.clients).await?;
    definitions::insert_programs(tx, &seed.programs).await?;
    for (owner, changes) in &seed.variables {
        variables::change(database, tx, *owner, changes).await?;
    }
    scenarios::put(tx, &seed.scenarios).await?;
    webhooks::insert(tx, &seed.webhooks).await?;
    Ok(EmulatorRow { clock, seen_at: now, signing_key })
}
