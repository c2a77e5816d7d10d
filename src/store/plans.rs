//! Plans: equal plans are stored once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use sqlx::{Executor, Sqlite};

use super::insert::insert_rows;
use super::plan_cache::CachedPlan;
use super::{Database, InRow, StoreError, Transaction, parse_json};
use crate::domain::build::{self, Content, ContentDigest, ContentKind, Output};
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
    let id = sqlx::query_scalar("INSERT INTO plans (digest, body) VALUES ($1, $2) RETURNING id")
        .bind(&digest[..])
        .bind(body)
        .fetch_one(&mut **tx)
        .await?;
    insert_contents(tx, id, plan).await?;
    Ok(id)
}

/// Stores which contents a plan names.
async fn insert_contents(tx: &mut Transaction, id: i64, plan: &Plan) -> Result<(), StoreError> {
    let files = build::stored_files(plan.code.outputs.as_deref());
    let rows: Vec<_> = files.map(|file| (id, file.digest)).collect();
    insert_rows(
        tx,
        "INSERT INTO plan_contents (plan_id, content_id) \
         SELECT DISTINCT value ->> 0, contents.id FROM json_each($1) \
         JOIN contents ON contents.digest = unhex(value ->> 1) AND contents.complete = 1",
        &rows,
    )
    .await
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
    let found: Option<(String, String)> = sqlx::query_as(LOAD)
        .bind(id)
        .fetch_optional(connection)
        .await
        .map_err(StoreError::from)
        .in_row("plans", id)?;
    let (body, contents) =
        found.ok_or_else(|| StoreError::unreadable(format!("there is no plan {id}")))?;
    let plan = read(&body, &contents).in_row("plans", id)?;
    let (plan, length) = (Arc::new(plan), body.len() + contents.len());
    database.plans.insert(id, CachedPlan { plan: plan.clone(), length });
    Ok(plan)
}

/// A plan, and as JSON what is known of the contents that it names.
const LOAD: &str = "
    SELECT body, (
        SELECT json_group_array(json_array(lower(hex(digest)), size, md5, json(kind)))
        FROM plan_contents JOIN contents ON contents.id = content_id
        WHERE plan_id = plans.id AND complete = 1)
    FROM plans WHERE id = $1";

/// Reads a plan, and adds to its files what is known of their contents.
fn read(body: &str, contents: &str) -> Result<Plan, StoreError> {
    let mut plan = parse_json::<Plan>(body)?;
    if build::stored_files(plan.code.outputs.as_deref()).next().is_none() {
        return Ok(plan);
    }
    let rows: Vec<(ContentDigest, u64, String, ContentKind)> = parse_json(contents)?;
    let contents: BTreeMap<_, _> = rows
        .into_iter()
        .map(|(digest, size, md5, kind)| (digest, Arc::new(Content { size, md5, kind })))
        .collect();
    for output in plan.code.outputs.iter_mut().flatten() {
        if let Output::File(file) = output {
            let missing = || StoreError::unreadable(format!("{} is not stored", file.file));
            file.content = contents.get(&file.digest).cloned().ok_or_else(missing)?;
        }
    }
    Ok(plan)
}

/// Reads every plan, so that what can't be read is found now.
pub async fn check_all(database: &Database) -> Result<(), StoreError> {
    let mut last = i64::MIN;
    loop {
        let row: Option<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT id, digest FROM plans WHERE id > $1 ORDER BY id LIMIT 1")
                .bind(last)
                .fetch_optional(database.readers())
                .await?;
        let Some((id, digest)) = row else { return Ok(()) };
        last = id;
        let (body, contents): (String, String) =
            sqlx::query_as(LOAD).bind(id).fetch_one(database.readers()).await?;
        let plan = read(&body, &contents).in_row("plans", id)?;
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
