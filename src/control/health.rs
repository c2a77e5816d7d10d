//! Whether the emulator is ready, and whether anything is wrong with it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Control, VERSION};
use crate::engine::Engine;
use crate::store::Condition;
use crate::store::executions::InvalidExecution;

/// How many executions are listed.
const MOST_EXECUTIONS: usize = 100;

/// The health of the emulator.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    status: Status,
    version: &'static str,
    database: DatabaseHealth,
    /// The workers that failed last time and try again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    workers: Vec<FailingWorker>,
    /// Executions that can't be read, as far as is known; at most 100. They don't continue, and lists
    /// leave them out. Deleting the pipeline removes them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    invalid_executions: Vec<UnreadableExecution>,
}

/// A worker that failed.
#[derive(Debug, Serialize, ToSchema)]
struct FailingWorker {
    /// Its name.
    worker: String,
    /// Its last error.
    problem: String,
}

/// An execution that can't be read.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UnreadableExecution {
    program_id: String,
    pipeline_id: String,
    execution_id: String,
    /// What is wrong.
    problem: String,
}

/// Whether the emulator can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum Status {
    /// It is ready, and nothing is known to be wrong.
    Ok,
    /// It responds, but something is wrong.
    Failing,
}

/// The health of the database.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum DatabaseHealth {
    /// Usable; the file is still being checked for damage.
    Checking,
    /// Usable; no damage was found.
    Ok,
    /// Damaged or unusable; the string says why.
    Problem(String),
}

impl From<Condition> for DatabaseHealth {
    fn from(condition: Condition) -> Self {
        match condition {
            Condition::Checking => Self::Checking,
            Condition::Sound => Self::Ok,
            Condition::Failing(problem) => Self::Problem(problem),
        }
    }
}

/// Returns whether the emulator is ready, and any problems with its database or workers.
///
/// The database file is checked for damage after the start, and again if damage was found. Every
/// call checks that it still exists.
#[utoipa::path(get, path = "/_emulator/health", operation_id = "getHealth", tag = "Emulator",
    responses((status = 200, description = "The emulator is ready", body = Health),
        (status = 503, description = "Something is wrong with the database, a worker or an execution",
            body = Health)))]
pub async fn get_health(State(control): State<Control>) -> (StatusCode, Json<Health>) {
    let database = DatabaseHealth::from(control.engine.condition());
    let workers = list_workers(&control.engine);
    let invalid_executions = list_executions(&control.engine);
    let is_failing = matches!(database, DatabaseHealth::Problem(_))
        || !workers.is_empty()
        || !invalid_executions.is_empty();
    let (code, status) = if is_failing {
        (StatusCode::SERVICE_UNAVAILABLE, Status::Failing)
    } else {
        (StatusCode::OK, Status::Ok)
    };
    (code, Json(Health { status, version: VERSION, database, workers, invalid_executions }))
}

fn list_workers(engine: &Engine) -> Vec<FailingWorker> {
    let failing = engine.failing_workers().into_iter();
    failing.map(|(worker, problem)| FailingWorker { worker: worker.to_string(), problem }).collect()
}

fn list_executions(engine: &Engine) -> Vec<UnreadableExecution> {
    let invalid = engine.invalid_executions(MOST_EXECUTIONS).into_iter();
    invalid
        .map(|InvalidExecution { id, pipeline, problem }| UnreadableExecution {
            program_id: pipeline.program_id.to_string(),
            pipeline_id: pipeline.pipeline_id.to_string(),
            execution_id: id.to_string(),
            problem,
        })
        .collect()
}
