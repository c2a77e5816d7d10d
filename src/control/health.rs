//! Whether the emulator is ready, and whether anything is wrong with it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Control, VERSION};
use crate::store::Condition;

/// How the emulator is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    status: Status,
    version: &'static str,
    database: DatabaseHealth,
}

/// Whether the emulator can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum Status {
    /// It is ready, and nothing is known to be wrong.
    Ok,
    /// It answers, but something is wrong.
    Failing,
}

/// How the database is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum DatabaseHealth {
    /// It can be used; its file is still being checked for damage.
    Checking,
    /// Nothing is wrong.
    Ok,
    /// It is damaged or can't be used; the text says why.
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

/// Answers once the emulator is ready, and tells if something is wrong with its database.
///
/// The database file is checked for damage after the start. Whether it is still there is looked at
/// for each answer.
#[utoipa::path(get, path = "/_emulator/health", operation_id = "getHealth", tag = "Emulator",
    responses((status = 200, description = "The emulator is ready", body = Health),
        (status = 503, description = "Something is wrong with the database", body = Health)))]
pub async fn get_health(State(control): State<Control>) -> (StatusCode, Json<Health>) {
    let database = DatabaseHealth::from(control.engine.condition());
    let (code, status) = match &database {
        DatabaseHealth::Checking | DatabaseHealth::Ok => (StatusCode::OK, Status::Ok),
        DatabaseHealth::Problem(_) => (StatusCode::SERVICE_UNAVAILABLE, Status::Failing),
    };
    (code, Json(Health { status, version: VERSION, database }))
}
