//! Whether the emulator is ready, and whether anything is wrong with it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Control, VERSION};
use crate::store::Condition;

/// The health of the emulator.
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

/// Returns whether the emulator is ready and its database is sound.
///
/// The database file is checked for damage after the start. Every call checks that it still exists.
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
