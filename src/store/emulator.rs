//! The emulator's own row: its clock, its counter, its key.

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
    /// The latest emulated time that may have been told.
    pub told_until: Timestamp,
    /// The key of all signatures.
    pub signing_key: Vec<u8>,
}

impl EmulatorRow {
    /// The row of an emulator whose clock begins on `clock`.
    #[must_use]
    pub fn new(clock: ClockLine, signing_key: Vec<u8>) -> Self {
        Self { clock, seen_at: clock.base, told_until: clock.base, signing_key }
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

/// The emulator's row; none in a new database.
pub async fn find(database: &Database) -> Result<Option<EmulatorRow>, StoreError> {
    let row: Option<(i64, i64, f64, i64, i64, Vec<u8>)> = sqlx::query_as(
        "SELECT clock_base, clock_wall_base, clock_rate, seen_at, told_until, signing_key \
         FROM emulator",
    )
    .fetch_optional(database.readers())
    .await?;
    Ok(row.map(|(base, wall_base, rate, seen_at, told_until, signing_key)| EmulatorRow {
        clock: ClockLine { base: Timestamp::from_millis(base), wall_base, rate },
        seen_at: Timestamp::from_millis(seen_at),
        told_until: Timestamp::from_millis(told_until),
        signing_key,
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

/// Notes that something is written at `now`, and that the time may be told up to another one, so that
/// no restart shows an earlier time.
pub async fn see(
    tx: &mut Transaction,
    now: Timestamp,
    told_until: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE emulator SET seen_at = max(seen_at, $1), told_until = max(told_until, $2)")
        .bind(now.as_millis())
        .bind(told_until.as_millis())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Notes up to which time it may be told from now on; that may be earlier than before.
pub async fn tell_until(tx: &mut Transaction, until: Timestamp) -> Result<(), StoreError> {
    sqlx::query("UPDATE emulator SET told_until = $1")
        .bind(until.as_millis())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Takes the next `count` execution identifiers, and notes what [`see`] does; the first of them.
pub async fn take_execution_ids(
    tx: &mut Transaction,
    count: u32,
    now: Timestamp,
    told_until: Timestamp,
) -> Result<ExecutionId, StoreError> {
    let first: i64 = sqlx::query_scalar(
        "UPDATE emulator SET next_execution_id = next_execution_id + $1, \
         seen_at = max(seen_at, $2), told_until = max(told_until, $3) \
         RETURNING next_execution_id - $1",
    )
    .bind(count)
    .bind(now.as_millis())
    .bind(told_until.as_millis())
    .fetch_one(&mut **tx)
    .await?;
    Ok(ExecutionId::new(first))
}

/// Sees to it that the next execution identifier is not less than `next`.
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
