//! Reading definitions.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::SqliteConnection;

use crate::domain::client::Client;
use crate::domain::environment::{Environment, Topology};
use crate::domain::id::{
    EnvironmentId, PhaseId, PipelineId, PipelineKey, ProgramId, RepositoryId, StepId, TenantId,
};
use crate::domain::pipeline::{Phase, PhaseKind, Pipeline, Step};
use crate::domain::program::{Kpis, Program, Tenant};
use crate::domain::repository::Repository;
use crate::domain::time::Timestamp;
use crate::domain::variable::{Owner, Variable};
use crate::store::{StoreError, parse_word, variables};

/// All tenants.
pub async fn list_tenants(connection: &mut SqliteConnection) -> Result<Vec<Tenant>, StoreError> {
    let rows: Vec<(i64, String, String)> =
        sqlx::query_as("SELECT id, ims_org_id, ims_tenant_id FROM tenants")
            .fetch_all(&mut *connection)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(id, ims_org_id, ims_tenant_id)| Tenant {
            id: TenantId::new(id),
            ims_org_id,
            ims_tenant_id,
        })
        .collect())
}

/// All clients.
pub async fn list_clients(connection: &mut SqliteConnection) -> Result<Vec<Client>, StoreError> {
    let rows: Vec<(String, String, String, i64, String)> = sqlx::query_as(
        "SELECT client_id, client_secret, technical_account_id, tenant_id, roles FROM clients",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut clients = Vec::with_capacity(rows.len());
    for (client_id, client_secret, technical_account_id, tenant_id, roles) in rows {
        clients.push(Client {
            client_id,
            client_secret,
            technical_account_id,
            tenant_id: TenantId::new(tenant_id),
            roles: serde_json::from_str(&roles).map_err(StoreError::unreadable)?,
        });
    }
    Ok(clients)
}

type ProgramRow = (i64, i64, String, String, bool, f64, f64, i64, i64);
type EnvironmentRow = (i64, i64, String, Option<String>, String, String, u32, u32, bool);
type PipelineRow = (i64, i64, String, String, String, i64, i64, Option<i64>);
type PhaseRow =
    (i64, i64, i64, String, String, Option<i64>, Option<String>, Option<i64>, Option<String>);

/// All programs, with everything that is defined in them.
pub async fn list_programs(connection: &mut SqliteConnection) -> Result<Vec<Program>, StoreError> {
    let rows: Vec<ProgramRow> = sqlx::query_as(
        "SELECT id, tenant_id, name, type, emergency_mode, kpi_response_time, \
         kpi_page_views_per_minute, created_at, updated_at FROM programs \
         WHERE deleted_at IS NULL",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut programs = BTreeMap::new();
    for (id, tenant_id, name, kind, emergency_mode, response_time, page_views, created, updated) in
        rows
    {
        let program = Program {
            id: ProgramId::new(id),
            tenant_id: TenantId::new(tenant_id),
            name,
            program_type: parse_word(&kind)?,
            emergency_mode,
            kpis: Kpis { response_time, page_views_per_minute: page_views },
            created_at: Timestamp::from_millis(created),
            updated_at: Timestamp::from_millis(updated),
            environments: BTreeMap::new(),
            repositories: BTreeMap::new(),
            pipelines: BTreeMap::new(),
        };
        programs.insert(id, program);
    }
    let mut variables = variables::list(connection).await?;
    add_environments(connection, &mut programs, &mut variables).await?;
    add_repositories(connection, &mut programs).await?;
    add_pipelines(connection, &mut programs, &mut variables).await?;
    Ok(programs.into_values().collect())
}

async fn add_environments(
    connection: &mut SqliteConnection,
    programs: &mut BTreeMap<i64, Program>,
    variables: &mut BTreeMap<Owner, Vec<Variable>>,
) -> Result<(), StoreError> {
    let rows: Vec<EnvironmentRow> = sqlx::query_as(
        "SELECT program_id, id, name, description, type, status, authors, pairs, cold_standby \
         FROM environments",
    )
    .fetch_all(&mut *connection)
    .await?;
    for (program_id, id, name, description, kind, status, authors, pairs, cold_standby) in rows {
        let id = EnvironmentId::new(id);
        let environment = Environment {
            id,
            name,
            description,
            environment_type: parse_word(&kind)?,
            status: parse_word(&status)?,
            topology: Topology { authors, pairs, cold_standby },
            variables: variables
                .remove(&Owner::Environment(ProgramId::new(program_id), id))
                .unwrap_or_default(),
        };
        if let Some(program) = programs.get_mut(&program_id) {
            program.environments.insert(id, environment);
        }
    }
    Ok(())
}

async fn add_repositories(
    connection: &mut SqliteConnection,
    programs: &mut BTreeMap<i64, Program>,
) -> Result<(), StoreError> {
    let rows: Vec<(i64, i64, String, Option<String>)> =
        sqlx::query_as("SELECT program_id, id, name, description FROM repositories")
            .fetch_all(&mut *connection)
            .await?;
    for (program_id, id, name, description) in rows {
        let id = RepositoryId::new(id);
        if let Some(program) = programs.get_mut(&program_id) {
            let heads = BTreeMap::new();
            program.repositories.insert(id, Repository { id, name, description, heads });
        }
    }
    let heads: Vec<(i64, i64, String, String)> =
        sqlx::query_as("SELECT program_id, repository_id, name, commit_id FROM heads")
            .fetch_all(&mut *connection)
            .await?;
    for (program_id, repository_id, name, commit) in heads {
        let repository = programs
            .get_mut(&program_id)
            .and_then(|program| program.repositories.get_mut(&RepositoryId::new(repository_id)));
        if let Some(repository) = repository {
            repository.heads.insert(name, commit);
        }
    }
    Ok(())
}

async fn add_pipelines(
    connection: &mut SqliteConnection,
    programs: &mut BTreeMap<i64, Program>,
    variables: &mut BTreeMap<Owner, Vec<Variable>>,
) -> Result<(), StoreError> {
    let mut phases = load_phases(connection).await?;
    let rows: Vec<PipelineRow> = sqlx::query_as(
        "SELECT program_id, id, name, trigger, important_failures, created_at, updated_at, \
         cache_invalidated_at FROM pipelines WHERE deleted_at IS NULL",
    )
    .fetch_all(&mut *connection)
    .await?;
    for (program_id, id, name, trigger, important_failures, created, updated, invalidated) in rows {
        let key = PipelineKey {
            program_id: ProgramId::new(program_id),
            pipeline_id: PipelineId::new(id),
        };
        let pipeline = Pipeline {
            id: key.pipeline_id,
            program_id: key.program_id,
            name,
            trigger: parse_word(&trigger)?,
            important_failures: parse_word(&important_failures)?,
            created_at: Timestamp::from_millis(created),
            updated_at: Timestamp::from_millis(updated),
            phases: phases.remove(&(program_id, id)).unwrap_or_default(),
            variables: variables.remove(&Owner::Pipeline(key)).unwrap_or_default(),
            cache_invalidated_at: invalidated.map(Timestamp::from_millis),
        };
        if let Some(program) = programs.get_mut(&program_id) {
            program.pipelines.insert(pipeline.id, Arc::new(pipeline));
        }
    }
    Ok(())
}

/// The phases of every pipeline, by program and pipeline, in order.
async fn load_phases(
    connection: &mut SqliteConnection,
) -> Result<BTreeMap<(i64, i64), Vec<Phase>>, StoreError> {
    let rows: Vec<PhaseRow> = sqlx::query_as(
        "SELECT program_id, pipeline_id, id, name, type, repository_id, branch, environment_id, \
         environment_type FROM phases ORDER BY program_id, pipeline_id, position",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut phases: BTreeMap<(i64, i64), Vec<Phase>> = BTreeMap::new();
    for (program_id, pipeline_id, id, name, kind, repository, branch, environment, env_type) in rows
    {
        let kind = match (kind.as_str(), repository, branch, environment, env_type) {
            ("BUILD", Some(repository), Some(branch), _, _) => {
                PhaseKind::Build { repository_id: RepositoryId::new(repository), branch }
            }
            ("DEPLOY", _, _, Some(environment), Some(environment_type)) => PhaseKind::Deploy {
                environment_id: EnvironmentId::new(environment),
                environment_type: parse_word(&environment_type)?,
            },
            _ => PhaseKind::Validate,
        };
        let phase = Phase { id: PhaseId::new(id), name, kind, steps: Vec::new() };
        phases.entry((program_id, pipeline_id)).or_default().push(phase);
    }
    let steps: Vec<(i64, i64, i64, i64, String, String)> = sqlx::query_as(
        "SELECT program_id, pipeline_id, phase_position, id, action, options FROM steps \
         ORDER BY program_id, pipeline_id, phase_position, position",
    )
    .fetch_all(&mut *connection)
    .await?;
    for (program_id, pipeline_id, phase_position, id, action, options) in steps {
        let step = Step {
            id: StepId::new(id),
            action: parse_word(&action)?,
            options: serde_json::from_str(&options).map_err(StoreError::unreadable)?,
        };
        let phase = phases
            .get_mut(&(program_id, pipeline_id))
            .and_then(|phases| phases.get_mut(usize::try_from(phase_position).ok()?));
        if let Some(phase) = phase {
            phase.steps.push(step);
        }
    }
    Ok(phases)
}
