//! Reading definitions.

use std::collections::{BTreeMap, HashSet};
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
use crate::store::{InRow, StoreError, parse_json, parse_word, variables};

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
        let roles = parse_json(&roles).in_row("clients", &client_id)?;
        clients.push(Client {
            client_id,
            client_secret,
            technical_account_id,
            tenant_id: TenantId::new(tenant_id),
            roles,
        });
    }
    Ok(clients)
}

type ProgramRow = (i64, i64, String, String, bool, f64, f64, i64, i64, bool);
type EnvironmentRow = (i64, i64, String, Option<String>, String, String, u32, u32, bool);
type PipelineRow = (i64, i64, String, String, String, i64, i64, Option<i64>);
type PhaseRow =
    (i64, i64, i64, i64, String, String, Option<i64>, Option<String>, Option<i64>, Option<String>);

/// The programs by their number, while what is in them is read.
#[derive(Default)]
struct Programs {
    found: BTreeMap<i64, Program>,
    /// What is in them is no longer of interest.
    deleted: HashSet<i64>,
}

impl Programs {
    /// The program that a row belongs to; none if it is deleted.
    fn find(&mut self, id: i64) -> Result<Option<&mut Program>, StoreError> {
        match self.found.get_mut(&id) {
            None if !self.deleted.contains(&id) => {
                Err(StoreError::unreadable(format!("there is no program {id}")))
            }
            found => Ok(found),
        }
    }
}

/// All programs, with everything that is defined in them.
pub async fn list_programs(connection: &mut SqliteConnection) -> Result<Vec<Program>, StoreError> {
    let mut programs = load_programs(connection).await?;
    let mut variables = variables::list(connection).await?;
    add_environments(connection, &mut programs, &mut variables).await?;
    add_repositories(connection, &mut programs).await?;
    add_pipelines(connection, &mut programs, &mut variables).await?;
    Ok(programs.found.into_values().collect())
}

/// All programs, with nothing in them yet.
async fn load_programs(connection: &mut SqliteConnection) -> Result<Programs, StoreError> {
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

async fn add_environments(
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
        let environment = Environment {
            id,
            name,
            description,
            environment_type: parse_word(&kind).in_row("environments", key)?,
            status: parse_word(&status).in_row("environments", key)?,
            topology: Topology { authors, pairs, cold_standby },
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

async fn add_repositories(
    connection: &mut SqliteConnection,
    programs: &mut Programs,
) -> Result<(), StoreError> {
    let rows: Vec<(i64, i64, String, Option<String>)> =
        sqlx::query_as("SELECT program_id, id, name, description FROM repositories")
            .fetch_all(&mut *connection)
            .await?;
    for (program_id, id, name, description) in rows {
        let key = (program_id, id);
        let id = RepositoryId::new(id);
        if let Some(program) = programs.find(program_id).in_row("repositories", key)? {
            let heads = BTreeMap::new();
            program.repositories.insert(id, Repository { id, name, description, heads });
        }
    }
    let heads: Vec<(i64, i64, String, String)> =
        sqlx::query_as("SELECT program_id, repository_id, name, commit_id FROM heads")
            .fetch_all(&mut *connection)
            .await?;
    for (program_id, repository_id, name, commit) in heads {
        let key = (program_id, repository_id, &name);
        let Some(program) = programs.find(program_id).in_row("heads", key)? else { continue };
        let repository = program.repositories.get_mut(&RepositoryId::new(repository_id));
        let missing = || StoreError::unreadable("there is no such repository");
        repository.ok_or_else(missing).in_row("heads", key)?.heads.insert(name, commit);
    }
    Ok(())
}

async fn add_pipelines(
    connection: &mut SqliteConnection,
    programs: &mut Programs,
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
        let row = (program_id, id);
        let phases = phases.remove(&row).ok_or_else(|| StoreError::unreadable("no phases"));
        let key = PipelineKey {
            program_id: ProgramId::new(program_id),
            pipeline_id: PipelineId::new(id),
        };
        let pipeline = Pipeline {
            id: key.pipeline_id,
            program_id: key.program_id,
            name,
            trigger: parse_word(&trigger).in_row("pipelines", row)?,
            important_failures: parse_word(&important_failures).in_row("pipelines", row)?,
            created_at: Timestamp::from_millis(created),
            updated_at: Timestamp::from_millis(updated),
            phases: phases.in_row("pipelines", row)?,
            variables: variables.remove(&Owner::Pipeline(key)).unwrap_or_default(),
            cache_invalidated_at: invalidated.map(Timestamp::from_millis),
        };
        if let Some(program) = programs.find(program_id).in_row("pipelines", row)? {
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
        "SELECT program_id, pipeline_id, position, id, name, type, repository_id, branch, \
         environment_id, environment_type FROM phases ORDER BY program_id, pipeline_id, position",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut phases: BTreeMap<(i64, i64), Vec<Phase>> = BTreeMap::new();
    for row in rows {
        let (program_id, pipeline_id, position, ..) = row;
        let phases = phases.entry((program_id, pipeline_id)).or_default();
        let key = (program_id, pipeline_id, position);
        if usize::try_from(position) != Ok(phases.len()) {
            return Err(StoreError::unreadable("the phase before is missing"))
                .in_row("phases", key);
        }
        phases.push(read_phase(row).in_row("phases", key)?);
    }
    add_steps(connection, &mut phases).await?;
    Ok(phases)
}

/// A phase without its steps.
fn read_phase(row: PhaseRow) -> Result<Phase, StoreError> {
    let (_, _, _, id, name, kind, repository, branch, environment, environment_type) = row;
    let kind = match (kind.as_str(), repository, branch, environment, environment_type) {
        ("VALIDATE", None, None, None, None) => PhaseKind::Validate,
        ("BUILD", Some(repository), Some(branch), None, None) => {
            PhaseKind::Build { repository_id: RepositoryId::new(repository), branch }
        }
        ("DEPLOY", None, None, Some(environment), Some(environment_type)) => PhaseKind::Deploy {
            environment_id: EnvironmentId::new(environment),
            environment_type: parse_word(&environment_type)?,
        },
        _ => return Err(StoreError::unreadable(format!("type {kind} does not fit its columns"))),
    };
    Ok(Phase { id: PhaseId::new(id), name, kind, steps: Vec::new() })
}

/// Adds the steps to the phases that they belong to, in order.
async fn add_steps(
    connection: &mut SqliteConnection,
    phases: &mut BTreeMap<(i64, i64), Vec<Phase>>,
) -> Result<(), StoreError> {
    let rows: Vec<(i64, i64, i64, i64, i64, String, String)> = sqlx::query_as(
        "SELECT program_id, pipeline_id, phase_position, position, id, action, options FROM steps \
         ORDER BY program_id, pipeline_id, phase_position, position",
    )
    .fetch_all(&mut *connection)
    .await?;
    for (program_id, pipeline_id, phase_position, position, id, action, options) in rows {
        let key = (program_id, pipeline_id, phase_position, position);
        let step = Step {
            id: StepId::new(id),
            action: parse_word(&action).in_row("steps", key)?,
            options: parse_json(&options).in_row("steps", key)?,
        };
        let phase = phases.get_mut(&(program_id, pipeline_id)).and_then(|phases| {
            usize::try_from(phase_position).ok().and_then(|position| phases.get_mut(position))
        });
        let missing = || StoreError::unreadable("there is no such phase");
        phase.ok_or_else(missing).in_row("steps", key)?.steps.push(step);
    }
    Ok(())
}
