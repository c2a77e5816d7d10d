//! What environments remember: one row each.

use std::collections::{BTreeMap, BTreeSet};

use super::insert::insert_rows;
use super::{CHECKED_AT_ONCE, Database, InRow, StoreError, Transaction, parse_json};
use crate::domain::deployment::memory::EnvironmentMemory;
use crate::domain::id::{EnvironmentId, ExecutionId, ProgramId};
use crate::domain::time::Timestamp;

/// An environment and its program.
pub type EnvironmentKey = (ProgramId, EnvironmentId);

/// How many deployments are at least collected before they are put into a memory.
const COLLECTED: u32 = 64;

/// What an environment remembers, and the deployments that may not be in it completely.
#[derive(Clone, Debug)]
pub struct StoredMemory {
    /// Execution and position of the step: of deployments that are under way, or ended after the
    /// time of the memory.
    pub deployments: BTreeSet<(ExecutionId, usize)>,
    most: u32,
    updated_at: i64,
    instances: String,
}

impl Default for StoredMemory {
    /// Returns that of an environment that nothing was deployed to.
    fn default() -> Self {
        Self {
            deployments: BTreeSet::new(),
            most: COLLECTED,
            updated_at: Timestamp::MIN.as_millis(),
            instances: "{}".to_owned(),
        }
    }
}

impl StoredMemory {
    /// Returns whether there are so many deployments that they are to be put into the memory.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.deployments.len() > self.most as usize
    }

    /// Reads the memory.
    pub fn memory(&self) -> Result<EnvironmentMemory, StoreError> {
        let mut memory = parse_json::<EnvironmentMemory>(&self.instances)?;
        memory.until = Timestamp::from_millis(self.updated_at);
        match memory.find_fault() {
            None => Ok(memory),
            Some(fault) => Err(StoreError::unreadable(fault)),
        }
    }

    /// Replaces the memory. `deployments` are those that are under way.
    pub fn set(
        &mut self,
        memory: &EnvironmentMemory,
        deployments: BTreeSet<(ExecutionId, usize)>,
    ) -> Result<(), StoreError> {
        self.instances = serde_json::to_string(memory).map_err(StoreError::unreadable)?;
        self.updated_at = memory.until.as_millis();
        // They are read again when there are four times as many: so on average, a deployment is
        // read a few times, however many are under way.
        let count = u32::try_from(deployments.len()).unwrap_or(u32::MAX);
        self.most = count.saturating_mul(4).max(COLLECTED);
        self.deployments = deployments;
        Ok(())
    }
}

type MemoryRow = (i64, i64, i64, String, String, u32);

fn read(row: MemoryRow) -> Result<(EnvironmentKey, StoredMemory), StoreError> {
    let (program, environment, updated_at, instances, deployments, most) = row;
    let deployments =
        parse_json(&deployments).in_row("environment_memories", (program, environment))?;
    let key = (ProgramId::new(program), EnvironmentId::new(environment));
    Ok((key, StoredMemory { deployments, most, updated_at, instances }))
}

/// Returns what an environment remembers.
pub async fn find(
    database: &Database,
    (program, environment): EnvironmentKey,
) -> Result<StoredMemory, StoreError> {
    let row: Option<MemoryRow> = sqlx::query_as(
        "SELECT program_id, environment_id, updated_at, instances, deployments, most \
         FROM environment_memories WHERE program_id = $1 AND environment_id = $2",
    )
    .bind(program.number())
    .bind(environment.number())
    .fetch_optional(database.readers())
    .await?;
    Ok(row.map(read).transpose()?.map_or_else(StoredMemory::default, |(_, stored)| stored))
}

/// Returns what these environments remember, inside a transaction that writes. Those to which
/// nothing was deployed are left out.
pub async fn list_for_update(
    tx: &mut Transaction,
    environments: &BTreeSet<EnvironmentKey>,
) -> Result<BTreeMap<EnvironmentKey, StoredMemory>, StoreError> {
    if environments.is_empty() {
        return Ok(BTreeMap::new());
    }
    let keys = serde_json::to_string(environments).map_err(StoreError::unreadable)?;
    let rows: Vec<MemoryRow> = sqlx::query_as(
        "SELECT program_id, environment_id, updated_at, instances, deployments, most \
         FROM json_each($1) AS key CROSS JOIN environment_memories \
         ON program_id = key.value ->> 0 AND environment_id = key.value ->> 1",
    )
    .bind(keys)
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter().map(read).collect()
}

/// Stores what environments remember.
pub async fn put(
    tx: &mut Transaction,
    memories: &BTreeMap<EnvironmentKey, StoredMemory>,
) -> Result<(), StoreError> {
    let rows = memories
        .iter()
        .map(|((program, environment), stored)| {
            let StoredMemory { deployments, most, updated_at, instances } = stored;
            let deployments = serde_json::to_string(deployments).map_err(StoreError::unreadable)?;
            Ok((program, environment, updated_at, instances, deployments, most))
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    insert_rows(
        tx,
        "INSERT OR REPLACE INTO environment_memories \
         (program_id, environment_id, updated_at, instances, deployments, most) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 \
         FROM json_each($1)",
        &rows,
    )
    .await
}

/// Deletes what the environments of a program remember: its executions are going to be removed.
pub async fn delete(tx: &mut Transaction, program: ProgramId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM environment_memories WHERE program_id = $1")
        .bind(program.number())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Returns why rows that can be read can't be used, or `None`.
pub async fn find_fault(database: &Database) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT CASE \
             WHEN EXISTS (SELECT 1 FROM environment_memories \
                     WHERE updated_at > (SELECT seen_at FROM emulator)) \
                 THEN 'an environment remembers what is still to come' \
             WHEN EXISTS (SELECT 1 FROM environment_memories, json_each(deployments) AS named \
                     WHERE named.value ->> 0 NOT IN (SELECT id FROM executions)) \
                 THEN 'an environment remembers an execution that is not there' \
         END",
    )
    .fetch_one(database.readers())
    .await?)
}

/// Reads every row, so that what can't be read is found now.
pub async fn check_all(database: &Database) -> Result<(), StoreError> {
    let mut last = (i64::MIN, i64::MIN);
    loop {
        let rows: Vec<MemoryRow> = sqlx::query_as(
            "SELECT program_id, environment_id, updated_at, instances, deployments, most \
             FROM environment_memories WHERE (program_id, environment_id) > ($1, $2) \
             ORDER BY program_id, environment_id LIMIT $3",
        )
        .bind(last.0)
        .bind(last.1)
        .bind(CHECKED_AT_ONCE)
        .fetch_all(database.readers())
        .await?;
        let Some((program, environment, ..)) = rows.last() else { return Ok(()) };
        last = (*program, *environment);
        for row in rows {
            let ((program, environment), stored) = read(row)?;
            let key = (program.number(), environment.number());
            stored.memory().in_row("environment_memories", key)?;
        }
    }
}
