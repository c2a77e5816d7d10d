//! What the emulator is and holds.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Control, VERSION};
use crate::access::Auth;
use crate::domain::pace::Pace;
use crate::http::problem::Problem;

/// The version, the options and the contents of the emulator.
#[derive(Debug, Serialize, ToSchema)]
pub struct Info {
    version: &'static str,
    options: OptionsInForce,
    /// The organisations, as in `x-gw-ims-org-id`.
    organisations: Vec<String>,
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

/// The number of objects of each kind.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Counts {
    tenants: usize,
    programs: usize,
    pipelines: usize,
    executions: i64,
    running_executions: i64,
}

/// Returns the version, the options in force and the number of objects of each kind.
#[utoipa::path(get, path = "/_emulator/info", operation_id = "getInfo", tag = "Emulator",
    responses((status = 200, description = "The version, the options and the contents", body = Info)))]
pub async fn get_info(State(control): State<Control>) -> Result<Json<Info>, Problem> {
    let engine = &control.engine;
    let catalog = engine.catalog();
    let (tenants, programs, pipelines) = catalog.counts();
    let organisations = catalog.list_tenants().map(|it| it.ims_org_id.clone()).collect();
    let (executions, running_executions) = engine.count_executions().await?;
    Ok(Json(Info {
        version: VERSION,
        options: OptionsInForce {
            pace: engine.pace(),
            clock_rate: engine.clock_rate(),
            auth: control.access.auth(),
        },
        organisations,
        counts: Counts { tenants, programs, pipelines, executions, running_executions },
    }))
}
