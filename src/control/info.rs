//! What the emulator is and holds.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Control, VERSION};
use crate::access::Auth;
use crate::domain::pace::Pace;
use crate::http::problem::Problem;

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
