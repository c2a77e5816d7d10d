//! Plans: stored once for all executions that would go alike.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use sqlx::{Executor, Sqlite};

use super::{Database, InRow, StoreError, Transaction, parse_json};
use crate::domain::execution::plan::Plan;

/// The number of the plan, which is stored if no execution had it before.
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
        // It has been committed: what this transaction inserts may yet be rolled back.
        database.plan_ids.insert(digest, id);
        return Ok(id);
    }
    Ok(sqlx::query_scalar("INSERT INTO plans (digest, body) VALUES ($1, $2) RETURNING id")
        .bind(&digest[..])
        .bind(body)
        .fetch_one(&mut **tx)
        .await?)
}

/// The plan with this number.
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
