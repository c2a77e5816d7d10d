//! Plans: equal plans are stored once.

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use sqlx::{Executor, Sqlite};

use super::insert::insert_rows;
use super::plan_cache::CachedPlan;
use super::{Database, InRow, StoreError, Transaction, parse_json};
use crate::domain::execution::plan::Plan;

/// Returns the number of the plan, which is stored if no execution had it before.
pub async fn intern(
    database: &Database,
    tx: &mut Transaction,
    plan: &Plan,
) -> Result<i64, StoreError> {
    let body = serde_json::to_string(plan).map_err(StoreError::unreadable)?;
    let digest: [u8; 32] = Sha256::digest(body.as_bytes()).into();
    if let Some(id) = database.plan_ids.get(&digest) {
        return Ok(id);
    }
    let known: Option<i64> = sqlx::query_scalar("SELECT id FROM plans WHERE digest = $1")
        .bind(&digest[..])
        .fetch_optional(&mut **tx)
        .await?;
    if let Some(id) = known {
        // Only committed plans enter the cache, which are those that readers find. One of this
        // transaction could still be rolled back, and its number given to another.
        if is_committed(database, id, &digest).await? {
            database.plan_ids.insert(digest, id);
        }
        return Ok(id);
    }
    Ok(sqlx::query_scalar("INSERT INTO plans (digest, body) VALUES ($1, $2) RETURNING id")
        .bind(&digest[..])
        .bind(body)
        .fetch_one(&mut **tx)
        .await?)
}

async fn is_committed(database: &Database, id: i64, digest: &[u8; 32]) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM plans WHERE id = $1 AND digest = $2)")
        .bind(id)
        .bind(&digest[..])
        .fetch_one(database.readers())
        .await?)
}

/// Returns those of the given plans that no execution uses.
pub async fn list_unused(
    tx: &mut Transaction,
    plans: &BTreeSet<i64>,
) -> Result<Vec<i64>, StoreError> {
    let ids = serde_json::to_string(plans).map_err(StoreError::unreadable)?;
    Ok(sqlx::query_scalar(
        "SELECT value FROM json_each($1) \
         WHERE NOT EXISTS (SELECT 1 FROM executions WHERE plan_id = value)",
    )
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?)
}

/// Removes plans that no execution uses. `SQLite` may give their numbers to new plans: the plans in
/// memory must be cleared before executions are read again.
pub async fn delete(tx: &mut Transaction, plans: &[i64]) -> Result<(), StoreError> {
    insert_rows(tx, "DELETE FROM plans WHERE id IN (SELECT value FROM json_each($1))", plans).await
}

/// Returns the plan with this number.
pub(super) async fn load(
    database: &Database,
    connection: impl Executor<'_, Database = Sqlite>,
    id: i64,
) -> Result<Arc<Plan>, StoreError> {
    if let Some(CachedPlan { plan, length: _ }) = database.plans.get(&id) {
        return Ok(plan);
    }
    let found: Option<String> = sqlx::query_scalar("SELECT body FROM plans WHERE id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await
        .map_err(StoreError::from)
        .in_row("plans", id)?;
    let body = found.ok_or_else(|| StoreError::unreadable(format!("there is no plan {id}")))?;
    let plan = Arc::new(parse_json::<Plan>(&body).in_row("plans", id)?);
    database.plans.insert(id, CachedPlan { plan: plan.clone(), length: body.len() });
    Ok(plan)
}

/// Reads every plan, so that what can't be read is found now.
pub async fn check_all(database: &Database) -> Result<(), StoreError> {
    let mut last = i64::MIN;
    loop {
        let row: Option<(i64, Vec<u8>, String)> =
            sqlx::query_as("SELECT id, digest, body FROM plans WHERE id > $1 ORDER BY id LIMIT 1")
                .bind(last)
                .fetch_optional(database.readers())
                .await?;
        let Some((id, digest, body)) = row else { return Ok(()) };
        last = id;
        let plan = parse_json::<Plan>(&body).in_row("plans", id)?;
        let fault = if plan.steps.is_empty() {
            "no steps"
        } else if digest != Sha256::digest(body.as_bytes())[..] {
            "the digest is not that of the body"
        } else {
            continue;
        };
        return Err(StoreError::unreadable(fault)).in_row("plans", id);
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn plan(branch: &str) -> Plan {
        let body = r#"{"kind": "CodeQuality", "important_failures": "ASK", "cancelling": 1000,
            "kpis": {"response_time": 3.0, "page_views_per_minute": 100.0}, "steps": [],
            "code": {"repository": "r", "branch": "main", "commit": null}}"#;
        serde_json::from_str(&body.replace("main", branch)).unwrap()
    }

    #[tokio::test]
    #[allow(clippy::disallowed_methods, reason = "memory has nothing of this database")]
    async fn the_number_of_a_plan_that_was_rolled_back_is_forgotten() {
        let directory = TempDir::new().unwrap();
        let database = Database::open(&directory.path().join("a.db"), None).await.unwrap();
        let mut tx = Database::begin(&database).await.unwrap();
        let id = intern(&database, &mut tx, &plan("main")).await.unwrap();
        assert_eq!(intern(&database, &mut tx, &plan("main")).await.unwrap(), id);
        drop(tx);
        let mut tx = Database::begin(&database).await.unwrap();
        assert_eq!(intern(&database, &mut tx, &plan("develop")).await.unwrap(), id);
        assert_ne!(intern(&database, &mut tx, &plan("main")).await.unwrap(), id);
    }
}
