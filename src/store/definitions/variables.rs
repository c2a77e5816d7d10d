//! Variables of pipelines and environments.

use std::collections::BTreeMap;

use sqlx::SqliteConnection;

use crate::domain::id::{EnvironmentId, PipelineId, PipelineKey, ProgramId};
use crate::domain::variable::{Owner, Variable, VariableChange, VariableType};
use crate::store::insert::insert_rows;
use crate::store::{Database, InRow, StoreError, Transaction, parse_word};

/// Returns the kind and the number of an owner, as they are stored.
fn stored(owner: Owner) -> (&'static str, i64) {
    match owner {
        Owner::Pipeline(key) => ("pipeline", key.pipeline_id.number()),
        Owner::Environment(_, id) => ("environment", id.number()),
    }
}

/// Returns the place to which a secret is bound, so that it can't be decrypted in another one.
fn place(owner: Owner, name: &str, service: &str) -> String {
    let (kind, id) = stored(owner);
    format!("{}/{kind}/{id}/{service}/{name}", owner.program_id())
}

/// Changes the variables of an owner.
pub async fn change(
    database: &Database,
    tx: &mut Transaction,
    owner: Owner,
    changes: &[VariableChange],
) -> Result<(), StoreError> {
    let program_id = owner.program_id();
    let (kind, id) = stored(owner);
    let mut set = Vec::new();
    let mut deleted = Vec::new();
    for change in changes {
        match change {
            VariableChange::Set { variable, value } => {
                let Variable { name, service, value: _ } = variable;
                let service = service.as_deref().unwrap_or_default();
                let variable_type = variable.variable_type();
                let value = match variable_type {
                    VariableType::String => value.clone(),
                    VariableType::SecretString => {
                        database.secrets.seal(value, &place(owner, name, service))?
                    }
                };
                set.push((program_id, kind, id, name, service, variable_type.as_str(), value));
            }
            VariableChange::Delete { name, service } => {
                let service = service.as_deref().unwrap_or_default();
                deleted.push((program_id, kind, id, name, service));
            }
        }
    }
    insert_rows(
        tx,
        "DELETE FROM variables WHERE (program_id, owner, owner_id, name, service) IN ( \
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 \
             FROM json_each($1))",
        &deleted,
    )
    .await?;
    insert_rows(
        tx,
        "INSERT INTO variables (program_id, owner, owner_id, name, service, type, value) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, \
         value ->> 6 FROM json_each($1) WHERE true \
         ON CONFLICT (program_id, owner, owner_id, name, service) \
         DO UPDATE SET type = excluded.type, value = excluded.value",
        &set,
    )
    .await
}

/// Deletes all variables of an owner.
pub async fn delete_all(tx: &mut Transaction, owner: Owner) -> Result<(), StoreError> {
    let (kind, id) = stored(owner);
    sqlx::query("DELETE FROM variables WHERE program_id = $1 AND owner = $2 AND owner_id = $3")
        .bind(owner.program_id().number())
        .bind(kind)
        .bind(id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Returns all variables by owner, those of each by name and service; secrets without their values.
pub async fn list(
    connection: &mut SqliteConnection,
) -> Result<BTreeMap<Owner, Vec<Variable>>, StoreError> {
    let rows: Vec<(i64, String, i64, String, String, String, String)> = sqlx::query_as(
        "SELECT program_id, owner, owner_id, name, service, type, value FROM variables \
         ORDER BY program_id, owner, owner_id, name, service",
    )
    .fetch_all(connection)
    .await?;
    let mut variables: BTreeMap<Owner, Vec<Variable>> = BTreeMap::new();
    for (program_id, kind, id, name, service, variable_type, value) in rows {
        let program_id = ProgramId::new(program_id);
        let key = (program_id.number(), &kind, id, &name, &service);
        let owner = match kind.as_str() {
            "pipeline" => {
                Owner::Pipeline(PipelineKey { program_id, pipeline_id: PipelineId::new(id) })
            }
            "environment" => Owner::Environment(program_id, EnvironmentId::new(id)),
            _ => return Err(StoreError::unreadable("unknown owner")).in_row("variables", key),
        };
        let variable_type: VariableType = parse_word(&variable_type).in_row("variables", key)?;
        let shown = variable_type == VariableType::String;
        let service = Some(service).filter(|service| !service.is_empty());
        let variable = Variable { name, service, value: shown.then_some(value) };
        variables.entry(owner).or_default().push(variable);
    }
    Ok(variables)
}

/// Returns the value in clear of a pipeline's variable as a build sees it, inside a transaction
/// that writes.
pub async fn find_build_value(
    database: &Database,
    tx: &mut Transaction,
    pipeline: PipelineKey,
    name: &str,
) -> Result<Option<String>, StoreError> {
    let owner = Owner::Pipeline(pipeline);
    let (kind, id) = stored(owner);
    let row: Option<(String, String, String)> = sqlx::query_as(
        "SELECT type, value, service FROM variables \
         WHERE program_id = $1 AND owner = $2 AND owner_id = $3 AND name = $4 \
         AND service IN ('', 'build') ORDER BY service DESC LIMIT 1",
    )
    .bind(pipeline.program_id.number())
    .bind(kind)
    .bind(id)
    .bind(name)
    .fetch_optional(&mut **tx)
    .await?;
    let Some((variable_type, value, service)) = row else { return Ok(None) };
    let variable_type = parse_word(&variable_type)
        .in_row("variables", (pipeline.program_id.number(), kind, id, name, &service))?;
    Ok(match variable_type {
        VariableType::String => Some(value),
        VariableType::SecretString => {
            database.secrets.reveal(&value, &place(owner, name, &service))
        }
    })
}
