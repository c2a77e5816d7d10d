//! Environments.

use std::collections::BTreeMap;

use sqlx::SqliteConnection;

use super::known::Programs;
use super::variables;
use crate::domain::environment::{Environment, EnvironmentStatus, Topology};
use crate::domain::id::{EnvironmentId, ProgramId};
use crate::domain::program::Program;
use crate::domain::variable::{Owner, Variable};
use crate::store::insert::insert_rows;
use crate::store::{InRow, StoreError, Transaction, parse_word};

/// Stores the environments of programs.
pub(super) async fn insert(tx: &mut Transaction, programs: &[Program]) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for program in programs {
        for environment in program.environments.values() {
            let Environment {
                id,
                name,
                description,
                environment_type,
                status,
                topology,
                variables: _,
            } = environment;
            let Topology { authors, pairs, cold_standby } = topology;
            rows.push((
                program.id,
                id,
                name,
                description,
                environment_type.as_str(),
                status.as_str(),
                authors,
                pairs,
                i64::from(*cold_standby),
            ));
        }
    }
    insert_rows(
        tx,
        "INSERT INTO environments (program_id, id, name, description, type, status, authors, \
         pairs, cold_standby) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, \
         value ->> 6, value ->> 7, value ->> 8 FROM json_each($1)",
        &rows,
    )
    .await
}

type EnvironmentRow = (i64, i64, String, Option<String>, String, String, u32, u32, bool);

/// Reads all environments into their programs.
pub(super) async fn read_into(
    connection: &mut SqliteConnection,
    programs: &mut Programs,
    variables: &mut BTreeMap<Owner, Vec<Variable>>,
) -> Result<(), StoreError> {
    let rows: Vec<EnvironmentRow> = sqlx::query_as(
        "SELECT program_id, id, name, description, type, status, authors, pairs, cold_standby \
         FROM environments",
    )
    .fetch_all(&mut *connection)
    .await?;
    for (program_id, id, name, description, kind, status, authors, pairs, cold_standby) in rows {
        let key = (program_id, id);
        let id = EnvironmentId::new(id);
        let topology = Topology { authors, pairs, cold_standby };
        if !topology.is_sound() {
            let reason = "authors and pairs must be from 1 to 100";
            return Err(StoreError::unreadable(reason)).in_row("environments", key);
        }
        let environment = Environment {
            id,
            name,
            description,
            environment_type: parse_word(&kind).in_row("environments", key)?,
            status: parse_word(&status).in_row("environments", key)?,
            topology,
            variables: variables
                .remove(&Owner::Environment(ProgramId::new(program_id), id))
                .unwrap_or_default(),
        };
        if let Some(program) = programs.find(program_id).in_row("environments", key)? {
            program.environments.insert(id, environment);
        }
    }
    Ok(())
}

/// Stores the status of an environment.
pub async fn set_status(
    tx: &mut Transaction,
    program: ProgramId,
    id: EnvironmentId,
    status: EnvironmentStatus,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE environments SET status = $3 WHERE program_id = $1 AND id = $2")
        .bind(program.number())
        .bind(id.number())
        .bind(status.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Deletes an environment with its variables.
pub async fn delete(
    tx: &mut Transaction,
    program: ProgramId,
    id: EnvironmentId,
) -> Result<(), StoreError> {
    variables::delete_all(tx, Owner::Environment(program, id)).await?;
    sqlx::query("DELETE FROM environments WHERE program_id = $1 AND id = $2")
        .bind(program.number())
        .bind(id.number())
        .execute(&mut **tx)
        .await?;
    Ok(())
}
