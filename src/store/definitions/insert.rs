//! Storing new definitions.

use std::sync::Arc;

use crate::domain::client::Client;
use crate::domain::environment::{Environment, Topology};
use crate::domain::pipeline::{Phase, PhaseKind, Pipeline, Step};
use crate::domain::program::{Kpis, Program, Tenant};
use crate::domain::repository::Repository;
use crate::store::insert::insert_rows;
use crate::store::{StoreError, Transaction, word};

/// Stores tenants.
pub async fn insert_tenants(tx: &mut Transaction, tenants: &[Tenant]) -> Result<(), StoreError> {
    let rows: Vec<_> = tenants
        .iter()
        .map(|Tenant { id, ims_org_id, ims_tenant_id }| (id, ims_org_id, ims_tenant_id))
        .collect();
    insert_rows(
        tx,
        "INSERT INTO tenants (id, ims_org_id, ims_tenant_id) \
         SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each($1)",
        &rows,
    )
    .await
}

/// Stores clients; those that are there stay as they are.
pub async fn insert_clients(tx: &mut Transaction, clients: &[Client]) -> Result<(), StoreError> {
    let rows: Vec<_> = clients
        .iter()
        .map(|Client { client_id, client_secret, technical_account_id, tenant_id, roles }| {
            (client_id, client_secret, technical_account_id, tenant_id, roles)
        })
        .collect();
    insert_rows(
        tx,
        "INSERT INTO clients (client_id, client_secret, technical_account_id, tenant_id, roles) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value -> 4 \
         FROM json_each($1) WHERE true ON CONFLICT (client_id) DO NOTHING",
        &rows,
    )
    .await
}

/// Stores programs with their environments, repositories and pipelines.
pub async fn insert_programs(tx: &mut Transaction, programs: &[Program]) -> Result<(), StoreError> {
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
            word(program_type)?,
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
    insert_environments(tx, programs).await?;
    insert_repositories(tx, programs).await?;
    insert_pipelines(tx, programs.iter().flat_map(|program| program.pipelines.values())).await
}

async fn insert_environments(tx: &mut Transaction, programs: &[Program]) -> Result<(), StoreError> {
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
                word(environment_type)?,
                word(status)?,
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

async fn insert_repositories(tx: &mut Transaction, programs: &[Program]) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    let mut heads = Vec::new();
    for program in programs {
        for Repository { id, name, description, heads: commits } in program.repositories.values() {
            rows.push((program.id, id, name, description));
            heads.extend(commits.iter().map(|(head, commit)| (program.id, id, head, commit)));
        }
    }
    insert_rows(
        tx,
        "INSERT INTO repositories (program_id, id, name, description) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each($1)",
        &rows,
    )
    .await?;
    insert_rows(
        tx,
        "INSERT INTO heads (program_id, repository_id, name, commit_id) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each($1)",
        &heads,
    )
    .await
}

async fn insert_pipelines(
    tx: &mut Transaction,
    pipelines: impl Iterator<Item = &Arc<Pipeline>> + Clone,
) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for pipeline in pipelines.clone() {
        let Pipeline {
            id,
            program_id,
            name,
            trigger,
            important_failures,
            created_at,
            updated_at,
            phases: _,
            variables: _,
            cache_invalidated_at: _,
        } = &**pipeline;
        rows.push((
            program_id,
            id,
            name,
            word(trigger)?,
            word(important_failures)?,
            created_at,
            updated_at,
        ));
    }
    insert_rows(
        tx,
        "INSERT INTO pipelines (program_id, id, name, trigger, important_failures, created_at, \
         updated_at) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, \
         value ->> 6 FROM json_each($1)",
        &rows,
    )
    .await?;
    insert_phases(tx, pipelines).await
}

pub(super) async fn insert_phases(
    tx: &mut Transaction,
    pipelines: impl Iterator<Item = &Arc<Pipeline>>,
) -> Result<(), StoreError> {
    let mut phase_rows = Vec::new();
    let mut step_rows = Vec::new();
    for pipeline in pipelines {
        let Pipeline { id, program_id, phases, .. } = &**pipeline;
        for (position, Phase { id: phase_id, name, kind, steps }) in phases.iter().enumerate() {
            let (kind, repository_id, branch, environment_id, environment_type) = match kind {
                PhaseKind::Validate => ("VALIDATE", None, None, None, None),
                PhaseKind::Build { repository_id, branch } => {
                    ("BUILD", Some(repository_id), Some(branch), None, None)
                }
                PhaseKind::Deploy { environment_id, environment_type } => {
                    ("DEPLOY", None, None, Some(environment_id), Some(word(environment_type)?))
                }
            };
            phase_rows.push((
                (program_id, id, position, phase_id, name, kind),
                (repository_id, branch, environment_id, environment_type),
            ));
            for (step_position, Step { id: step_id, action, options }) in steps.iter().enumerate() {
                let options = serde_json::to_string(options).map_err(StoreError::unreadable)?;
                step_rows.push((
                    program_id,
                    id,
                    position,
                    step_position,
                    step_id,
                    action.as_str(),
                    options,
                ));
            }
        }
    }
    insert_rows(
        tx,
        "INSERT INTO phases (program_id, pipeline_id, position, id, name, type, repository_id, \
         branch, environment_id, environment_type) \
         SELECT value ->> '$[0][0]', value ->> '$[0][1]', value ->> '$[0][2]', \
         value ->> '$[0][3]', value ->> '$[0][4]', value ->> '$[0][5]', value ->> '$[1][0]', \
         value ->> '$[1][1]', value ->> '$[1][2]', value ->> '$[1][3]' FROM json_each($1)",
        &phase_rows,
    )
    .await?;
    insert_rows(
        tx,
        "INSERT INTO steps (program_id, pipeline_id, phase_position, position, id, action, \
         options) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, \
         value ->> 6 FROM json_each($1)",
        &step_rows,
    )
    .await
}
