//! Plans: equal plans are stored once.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use sqlx::{Executor, Sqlite};

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
        // Only found plans enter the cache. One that is inserted below could still be rolled back,
        // and its number given to another.
        database.plan_ids.insert(digest, id);
        return Ok(id);
    }
    Ok(sqlx::query_scalar("INSERT INTO plans (digest, body) VALUES ($1, $2) RETURNING id")
        .bind(&digest[..])
        .bind(body)
        .fetch_one(&mut **tx)
        .await?)
}

/// Returns the plan with this number.
pub(super) async fn load(
    database: &Database,
    connection: impl Executor<'_, Database = Sqlite>,
    id: i64,
) -> Result<Arc<Plan>, StoreError> {
    if let Some(plan) = database.plans.get(&id) {
        return Ok(plan);
    }
    let body: String = sqlx::query_scalar("SELECT body FROM plans WHERE id = $1")
        .bind(id)
        .fetch_one(connection)
        .await?;
    let plan = Arc::new(parse_json::<Plan>(&body).in_row("plans", id)?);
    database.plans.insert(id, plan.clone());
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
