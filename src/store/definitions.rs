//! Definitions: tenants, clients, programs and what is in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::insert::insert_rows;
use super::{Database, StoreError, Transaction, parse_word, word};
use crate::domain::environment::{Environment, Topology};
use crate::domain::id::{
    EnvironmentId, PhaseId, PipelineId, ProgramId, RepositoryId, StepId, TenantId,
};
use crate::domain::pipeline::{Phase, PhaseKind, Pipeline, Step};
use crate::domain::program::{Kpis, Program, Tenant};
use crate::domain::repository::Repository;
use crate::domain::time::Timestamp;

/// A technical account that may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its api key.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Its account.
    pub technical_account_id: String,
    /// The tenant that it belongs to.
    pub tenant_id: TenantId,
    /// Names of its roles.
    pub roles: Vec<String>,
}

/// Stores tenants.
pub async fn insert_tenants(
    tx: &mut Transaction<'_>,
    tenants: &[Tenant],
) -> Result<(), StoreError> {
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

/// Stores clients.
pub async fn insert_clients(
    tx: &mut Transaction<'_>,
    clients: &[Client],
) -> Result<(), StoreError> {
    let rows: Vec<_> = clients
        .iter()
        .map(|Client { client_id, client_secret, technical_account_id, tenant_id, roles }| {
            (client_id, client_secret, technical_account_id, tenant_id, roles)
        })
        .collect();
    insert_rows(
        tx,
        "INSERT INTO clients (client_id, client_secret, technical_account_id, tenant_id, roles) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value -> 4 FROM json_each($1)",
        &rows,
    )
    .await
}

/// Stores programs with their environments, repositories and pipelines.
pub async fn insert_programs(
    tx: &mut Transaction<'_>,
    programs: &[Program],
) -> Result<(), StoreError> {
    let mut program_rows = Vec::new();
    for program in programs {
        let Kpis { response_time, page_views_per_minute } = program.kpis;
        program_rows.push((
            program.id,
            program.tenant_id,
            &program.name,
            word(program.program_type)?,
            i64::from(program.emergency_mode),
            response_time,
            page_views_per_minute,
            program.created_at,
            program.updated_at,
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
    insert_environments(tx, programs).await?;
    insert_repositories(tx, programs).await?;
    insert_pipelines(tx, programs.iter().flat_map(|program| program.pipelines.values())).await
}

async fn insert_environments(
    tx: &mut Transaction<'_>,
    programs: &[Program],
) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for program in programs {
        for environment in program.environments.values() {
            let Environment { id, name, description, environment_type, status, topology } =
                environment;
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

async fn insert_repositories(
    tx: &mut Transaction<'_>,
    programs: &[Program],
) -> Result<(), StoreError> {
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
    tx: &mut Transaction<'_>,
    pipelines: impl Iterator<Item = &Arc<Pipeline>>,
) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    let mut phase_rows = Vec::new();
    let mut step_rows = Vec::new();
    for pipeline in pipelines {
        let Pipeline {
            id,
            program_id,
            name,
            trigger,
            important_failures,
            created_at,
            updated_at,
            phases,
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
        "INSERT INTO pipelines (program_id, id, name, trigger, important_failures, created_at, \
         updated_at) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, \
         value ->> 6 FROM json_each($1)",
        &rows,
    )
    .await?;
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

/// Stores what Customer Success Engineers have set for a program.
pub async fn update_program(tx: &mut Transaction<'_>, program: &Program) -> Result<(), StoreError> {
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

/// All tenants.
pub async fn list_tenants(database: &Database) -> Result<Vec<Tenant>, StoreError> {
    let rows: Vec<(i64, String, String)> =
        sqlx::query_as("SELECT id, ims_org_id, ims_tenant_id FROM tenants")
            .fetch_all(database.readers())
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

type ProgramRow = (i64, i64, String, String, bool, f64, f64, i64, i64);
type EnvironmentRow = (i64, i64, String, Option<String>, String, String, u32, u32, bool);
type PhaseRow =
    (i64, i64, i64, String, String, Option<i64>, Option<String>, Option<i64>, Option<String>);

/// All programs, with everything that is defined in them.
pub async fn list_programs(database: &Database) -> Result<Vec<Program>, StoreError> {
    let rows: Vec<ProgramRow> = sqlx::query_as(
        "SELECT id, tenant_id, name, type, emergency_mode, kpi_response_time, \
         kpi_page_views_per_minute, created_at, updated_at FROM programs",
    )
    .fetch_all(database.readers())
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
    add_environments(database, &mut programs).await?;
    add_repositories(database, &mut programs).await?;
    add_pipelines(database, &mut programs).await?;
    Ok(programs.into_values().collect())
}

async fn add_environments(
    database: &Database,
    programs: &mut BTreeMap<i64, Program>,
) -> Result<(), StoreError> {
    let rows: Vec<EnvironmentRow> = sqlx::query_as(
        "SELECT program_id, id, name, description, type, status, authors, pairs, cold_standby \
         FROM environments",
    )
    .fetch_all(database.readers())
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
        };
        if let Some(program) = programs.get_mut(&program_id) {
            program.environments.insert(id, environment);
        }
    }
    Ok(())
}

async fn add_repositories(
    database: &Database,
    programs: &mut BTreeMap<i64, Program>,
) -> Result<(), StoreError> {
    let rows: Vec<(i64, i64, String, Option<String>)> =
        sqlx::query_as("SELECT program_id, id, name, description FROM repositories")
            .fetch_all(database.readers())
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
            .fetch_all(database.readers())
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
    database: &Database,
    programs: &mut BTreeMap<i64, Program>,
) -> Result<(), StoreError> {
    let mut phases = load_phases(database).await?;
    let rows: Vec<(i64, i64, String, String, String, i64, i64)> = sqlx::query_as(
        "SELECT program_id, id, name, trigger, important_failures, created_at, updated_at \
         FROM pipelines",
    )
    .fetch_all(database.readers())
    .await?;
    for (program_id, id, name, trigger, important_failures, created, updated) in rows {
        let pipeline = Pipeline {
            id: PipelineId::new(id),
            program_id: ProgramId::new(program_id),
            name,
            trigger: parse_word(&trigger)?,
            important_failures: parse_word(&important_failures)?,
            created_at: Timestamp::from_millis(created),
            updated_at: Timestamp::from_millis(updated),
            phases: phases.remove(&(program_id, id)).unwrap_or_default(),
        };
        if let Some(program) = programs.get_mut(&program_id) {
            program.pipelines.insert(pipeline.id, Arc::new(pipeline));
        }
    }
    Ok(())
}

/// The phases of every pipeline, by program and pipeline, in order.
async fn load_phases(database: &Database) -> Result<BTreeMap<(i64, i64), Vec<Phase>>, StoreError> {
    let rows: Vec<PhaseRow> = sqlx::query_as(
        "SELECT program_id, pipeline_id, id, name, type, repository_id, branch, environment_id, \
         environment_type FROM phases ORDER BY program_id, pipeline_id, position",
    )
    .fetch_all(database.readers())
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
    .fetch_all(database.readers())
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
