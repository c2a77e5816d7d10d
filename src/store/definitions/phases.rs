//! The phases of pipelines, with their steps.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::SqliteConnection;

use crate::domain::id::{EnvironmentId, PhaseId, RepositoryId, StepId};
use crate::domain::pipeline::{Phase, PhaseKind, PhaseType, Pipeline, Step};
use crate::store::insert::insert_rows;
use crate::store::{InRow, StoreError, Transaction, parse_json, parse_word};

/// Stores the phases and steps of pipelines.
pub(super) async fn insert(
    tx: &mut Transaction,
    pipelines: impl Iterator<Item = &Arc<Pipeline>>,
) -> Result<(), StoreError> {
    let mut phase_rows = Vec::new();
    let mut step_rows = Vec::new();
    for pipeline in pipelines {
        let Pipeline { id, program_id, phases, .. } = &**pipeline;
        for (position, Phase { id: phase_id, name, kind, steps }) in phases.iter().enumerate() {
            let (repository_id, branch, environment_id, environment_type) = match kind {
                PhaseKind::Validate => (None, None, None, None),
                PhaseKind::Build { repository_id, branch } => {
                    (Some(repository_id), Some(branch), None, None)
                }
                PhaseKind::Deploy { environment_id, environment_type } => {
                    (None, None, Some(environment_id), Some(environment_type.as_str()))
                }
            };
            phase_rows.push((
                (program_id, id, position, phase_id, name, kind.phase_type().as_str()),
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

type PhaseRow =
    (i64, i64, i64, i64, String, String, Option<i64>, Option<String>, Option<i64>, Option<String>);

/// Returns the phases of every pipeline, by program and pipeline, in order.
pub(super) async fn list(
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

/// Returns a phase without its steps.
fn read_phase(row: PhaseRow) -> Result<Phase, StoreError> {
    let (_, _, _, id, name, kind, repository, branch, environment, environment_type) = row;
    let kind = match (kind.parse().ok(), repository, branch, environment, environment_type) {
        (Some(PhaseType::Validate), None, None, None, None) => PhaseKind::Validate,
        (Some(PhaseType::Build), Some(repository), Some(branch), None, None) => {
            PhaseKind::Build { repository_id: RepositoryId::new(repository), branch }
        }
        (Some(PhaseType::Deploy), None, None, Some(environment), Some(environment_type)) => {
            PhaseKind::Deploy {
                environment_id: EnvironmentId::new(environment),
                environment_type: parse_word(&environment_type)?,
            }
        }
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
