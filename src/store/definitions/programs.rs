//! Programs, with what is in them.

use std::collections::BTreeMap;

use sqlx::SqliteConnection;

use super::known::Programs;
use super::{environments, pipelines, repositories, variables};
use crate::domain::id::{ProgramId, TenantId};
use crate::domain::program::{Kpis, Program};
use crate::domain::time::Timestamp;
use crate::store::insert::insert_rows;
use crate::store::{InRow, StoreError, Transaction, parse_word};

/// Stores programs with their environments, repositories and pipelines.
pub async fn insert(tx: &mut Transaction, programs: &[Program]) -> Result<(), StoreError> {
    let mut program_rows = Vec::new();
    for program in programs {
        let Program {
            id,
            tenant_id,
            name,
            program_type,
            emergency_mode,
            kpis: Kpis { response_time, page_views_per_minute },
            created_at,
            updated_at,
            // `insert_parts` stores these.
            environments: _,
            repositories: _,
            pipelines: _,
        } = program;
        program_rows.push((
            id,
            tenant_id,
            name,
            program_type.as_str(),
            i64::from(*emergency_mode),
            response_time,
            page_views_per_minute,
            created_at,
            updated_at,
        ));
    }
    insert_rows(
        tx,
        "INSERT INTO programs (id, tenant_id, name, type, emergency_mode, kpi_response_time, \
         kpi_page_views_per_minute, created_at, updated_at) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, \
         value ->> 6, value ->> 7, value ->> 8 FROM json_each($1)",
        &program_rows,
    )
    .await?;
    insert_parts(tx, programs).await
}

/// Stores the environments, repositories and pipelines of programs that are stored.
pub async fn insert_parts(tx: &mut Transaction, programs: &[Program]) -> Result<(), StoreError> {
    environments::insert(tx, programs).await?;
    repositories::insert(tx, programs).await?;
    pipelines::insert(tx, programs.iter().flat_map(|program| program.pipelines.values())).await
}

type ProgramRow = (i64, i64, String, String, bool, f64, f64, i64, i64, bool);

/// Returns all programs, with everything that is defined in them.
pub async fn list(connection: &mut SqliteConnection) -> Result<Vec<Program>, StoreError> {
    let mut programs = load(connection).await?;
    let mut variables = variables::list(connection).await?;
    environments::read_into(connection, &mut programs, &mut variables).await?;
    repositories::read_into(connection, &mut programs).await?;
    pipelines::read_into(connection, &mut programs, &mut variables).await?;
    Ok(programs.found.into_values().collect())
}

/// Returns all programs, with nothing in them yet.
async fn load(connection: &mut SqliteConnection) -> Result<Programs, StoreError> {
    let rows: Vec<ProgramRow> = sqlx::query_as(
        "SELECT id, tenant_id, name, type, emergency_mode, kpi_response_time, \
         kpi_page_views_per_minute, created_at, updated_at, deleted_at IS NOT NULL FROM programs",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut programs = Programs::default();
    for row in rows {
        let (id, tenant_id, name, kind, emergency_mode, ..) = row;
        let (.., response_time, page_views_per_minute, created, updated, deleted) = row;
        if deleted {
            programs.deleted.insert(id);
            continue;
        }
        let program = Program {
            id: ProgramId::new(id),
            tenant_id: TenantId::new(tenant_id),
            name,
            program_type: parse_word(&kind).in_row("programs", id)?,
            emergency_mode,
            kpis: Kpis { response_time, page_views_per_minute },
            created_at: Timestamp::from_millis(created),
            updated_at: Timestamp::from_millis(updated),
            environments: BTreeMap::new(),
            repositories: BTreeMap::new(),
            pipelines: BTreeMap::new(),
        };
        programs.found.insert(id, program);
    }
    Ok(programs)
}

/// Stores what Customer Success Engineers have set for a program.
pub async fn update(tx: &mut Transaction, program: &Program) -> Result<(), StoreError> {
    let Kpis { response_time, page_views_per_minute } = program.kpis;
    sqlx::query(
        "UPDATE programs SET emergency_mode = $2, kpi_response_time = $3, \
         kpi_page_views_per_minute = $4, updated_at = $5 WHERE id = $1",
    )
    .bind(program.id.number())
    .bind(program.emergency_mode)
    .bind(response_time)
    .bind(page_views_per_minute)
    .bind(program.updated_at.as_millis())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Deletes a program with everything in it, as [`pipelines::delete`] does.
pub async fn delete(tx: &mut Transaction, id: ProgramId, now: Timestamp) -> Result<(), StoreError> {
    for statement in [
        "UPDATE programs SET deleted_at = $2 WHERE id = $1",
        "UPDATE pipelines SET deleted_at = $2 WHERE program_id = $1",
    ] {
        sqlx::query(statement).bind(id.number()).bind(now.as_millis()).execute(&mut **tx).await?;
    }
    Ok(())
}
