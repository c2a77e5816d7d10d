//! The emulator's own row: clock, counter of executions, signing key.

use super::{Database, StoreError, Transaction};
use crate::domain::id::ExecutionId;
use crate::domain::time::Timestamp;

/// The line on which emulated time runs: `base` at the wall-clock time `wall_base`, from there
/// `rate` emulated milliseconds for each real one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockLine {
    /// Emulated time.
    pub base: Timestamp,
    /// Wall-clock time, milliseconds since the Unix epoch.
    pub wall_base: i64,
    /// Emulated milliseconds for each real one, not negative.
    pub rate: f64,
}

/// What the emulator's own row holds.
#[derive(Clone, Debug, PartialEq)]
pub struct EmulatorRow {
    /// Its clock.
    pub clock: ClockLine,
    /// The latest emulated time at which anything was written.
    pub seen_at: Timestamp,
    /// The end of the clock's lease: no later time was shown to anybody.
    pub lease_end: Timestamp,
    /// The key of all signatures.
    pub signing_key: Vec<u8>,
    /// The number of the directory with the git repositories of the state.
    pub git_generation: i64,
}

impl EmulatorRow {
    /// Returns the row of an emulator whose clock begins on `clock`.
    #[must_use]
    pub fn new(clock: ClockLine, signing_key: Vec<u8>) -> Self {
        let (seen_at, lease_end) = (clock.base, clock.base);
        Self { clock, seen_at, lease_end, signing_key, git_generation: 1 }
    }
}

/// Writes the emulator's row of a new database.
pub async fn insert(
    tx: &mut Transaction,
    clock: ClockLine,
    next_execution_id: ExecutionId,
    signing_key: &[u8],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO emulator (id, clock_base, clock_wall_base, clock_rate, seen_at, \
         next_execution_id, signing_key) VALUES (1, $1, $2, $3, $1, $4, $5)",
    )
    .bind(clock.base.as_millis())
    .bind(clock.wall_base)
    .bind(clock.rate)
    .bind(next_execution_id.number())
    .bind(signing_key)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

type EmulatorColumns = (i64, i64, f64, i64, i64, Vec<u8>, i64);

/// Returns the emulator's row, or `None` in a new database.
pub async fn find(database: &Database) -> Result<Option<EmulatorRow>, StoreError> {
    let row: Option<EmulatorColumns> = sqlx::query_as(
        "SELECT clock_base, clock_wall_base, clock_rate, seen_at, told_until, signing_key, \
         git_generation FROM emulator",
    )
    .fetch_optional(database.readers())
    .await?;
    Ok(row.map(|(base, wall_base, rate, seen_at, lease_end, signing_key, git_generation)| {
        EmulatorRow {
            clock: ClockLine { base: Timestamp::from_millis(base), wall_base, rate },
            seen_at: Timestamp::from_millis(seen_at),
            lease_end: Timestamp::from_millis(lease_end),
            signing_key,
            git_generation,
        }
    }))
}

/// Replaces the line on which emulated time runs.
pub async fn set_clock(tx: &mut Transaction, clock: ClockLine) -> Result<(), StoreError> {
    sqlx::query("UPDATE emulator SET clock_base = $1, clock_wall_base = $2, clock_rate = $3")
        .bind(clock.base.as_millis())
        .bind(clock.wall_base)
        .bind(clock.rate)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Stores that something is written at `now`, and the new end of the clock's lease: so no restart
/// shows an earlier time. `max`, because neither may become earlier.
pub async fn record_time(
    tx: &mut Transaction,
    now: Timestamp,
    lease_end: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE emulator SET seen_at = max(seen_at, $1), told_until = max(told_until, $2)")
        .bind(now.as_millis())
        .bind(lease_end.as_millis())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Stores the end of the clock's lease, which may be earlier than before.
pub async fn set_lease_end(tx: &mut Transaction, until: Timestamp) -> Result<(), StoreError> {
    sqlx::query("UPDATE emulator SET told_until = $1")
        .bind(until.as_millis())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Takes the next `count` execution identifiers and returns the first of them. The same statement
/// does what [`record_time`] does, so that a start needs one statement less.
pub async fn take_execution_ids(
    tx: &mut Transaction,
    count: u32,
    now: Timestamp,
    lease_end: Timestamp,
) -> Result<ExecutionId, StoreError> {
    let first: i64 = sqlx::query_scalar(
        "UPDATE emulator SET next_execution_id = next_execution_id + $1, \
         seen_at = max(seen_at, $2), told_until = max(told_until, $3) \
         RETURNING next_execution_id - $1",
    )
    .bind(count)
    .bind(now.as_millis())
    .bind(lease_end.as_millis())
    .fetch_one(&mut **tx)
    .await?;
    Ok(ExecutionId::new(first))
}

/// Raises the next execution identifier to `next`, if it is less.
pub async fn raise_execution_id(tx: &mut Transaction, next: ExecutionId) -> Result<(), StoreError> {
    sqlx::query("UPDATE emulator SET next_execution_id = max(next_execution_id, $1)")
        .bind(next.number())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Replaces the key of all signatures.
pub async fn set_signing_key(tx: &mut Transaction, key: &[u8]) -> Result<(), StoreError> {
    sqlx::query("UPDATE emulator SET signing_key = $1").bind(key).execute(&mut **tx).await?;
    Ok(())
}

/// Replaces the number of the directory with the git repositories.
pub async fn set_git_generation(tx: &mut Transaction, number: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE emulator SET git_generation = $1").bind(number).execute(&mut **tx).await?;
    Ok(())
}
