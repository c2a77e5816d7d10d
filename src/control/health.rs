//! Whether the emulator is ready, and what it is.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Control;
use crate::access::Auth;
use crate::domain::pace::Pace;
use crate::http::problem::Problem;

/// The version of the program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The emulator is ready.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    status: HealthStatus,
    version: &'static str,
    /// What is wrong; absent if nothing is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
}

/// Whether everything is as it should be.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum HealthStatus {
    /// Nothing is wrong.
    Ok,
    /// Some requests fail; what can be read is answered.
    Degraded,
}

/// What the emulator is and holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct Info {
    version: &'static str,
    options: OptionsInForce,
    counts: Counts,
}

/// The options in force.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OptionsInForce {
    pace: Pace,
    clock_rate: f64,
    auth: Auth,
}

/// How many of each there are.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Counts {
    tenants: usize,
    programs: usize,
    pipelines: usize,
    executions: i64,
    running_executions: i64,
}

/// Answers once the emulator is ready; tells what keeps it from working as it should, such as a full
/// disk.
#[utoipa::path(get, path = "/_emulator/health", operation_id = "getHealth", tag = "Emulator",
    responses((status = 200, description = "The emulator is ready", body = Health)))]
pub async fn get_health(State(control): State<Control>) -> Json<Health> {
    let problems: Vec<_> = control.engine.trouble().into_iter().collect();
    let status = if problems.is_empty() { HealthStatus::Ok } else { HealthStatus::Degraded };
    Json(Health { status, version: VERSION, problems })
}

/// Returns version, options in force and counts.
#[utoipa::path(get, path = "/_emulator/info", operation_id = "getInfo", tag = "Emulator",
    responses((status = 200, description = "What the emulator is and holds", body = Info)))]
pub async fn get_info(State(control): State<Control>) -> Result<Json<Info>, Problem> {
    let engine = &control.engine;
    let (tenants, programs, pipelines) = engine.catalog().counts();
    let (executions, running_executions) = engine.count_executions().await?;
    Ok(Json(Info {
        version: VERSION,
        options: OptionsInForce {
            pace: engine.pace(),
            clock_rate: engine.clock_rate(),
            auth: control.auth,
        },
        counts: Counts { tenants, programs, pipelines, executions, running_executions },
    }))
}
