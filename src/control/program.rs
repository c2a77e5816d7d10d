//! What Customer Success Engineers set for a program.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Control;
use crate::domain::invalid::InvalidFields;
use crate::domain::program::{Kpis, Program};
use crate::extract::InProgram;
use crate::http::body::{invalid, read_object};
use crate::http::problem::Problem;
use crate::seed::KpisDocument;

/// The changes; absent fields keep their values.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProgramBody {
    /// Whether pipelines may be executed in emergency mode.
    emergency_mode: Option<bool>,
    /// The performance targets.
    kpis: Option<KpisDocument>,
}

/// The settings of a program that Customer Success Engineers change.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProgramSettings {
    id: String,
    name: String,
    emergency_mode: bool,
    kpis: KpisView,
}

/// The performance targets of a program.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct KpisView {
    /// 95th percentile of the response time, in seconds.
    response_time: f64,
    /// Page views per minute.
    page_views_per_minute: f64,
}

impl ProgramSettings {
    fn new(program: &Program) -> Self {
        let Kpis { response_time, page_views_per_minute } = program.kpis;
        Self {
            id: program.id.to_string(),
            name: program.name.clone(),
            emergency_mode: program.emergency_mode,
            kpis: KpisView { response_time, page_views_per_minute },
        }
    }
}

/// Returns the settings of a program that Customer Success Engineers change.
#[utoipa::path(get, path = "/_emulator/program/{programId}", operation_id = "getProgramSettings",
    tag = "Emulator", params(InProgram),
    responses((status = 200, description = "The settings", body = ProgramSettings)))]
pub async fn get_program_settings(InProgram { program }: InProgram) -> Json<ProgramSettings> {
    Json(ProgramSettings::new(&program))
}

/// Sets the emergency mode and the performance targets of a program.
#[utoipa::path(patch, path = "/_emulator/program/{programId}", operation_id = "patchProgram",
    tag = "Emulator", params(InProgram),
    request_body = ProgramBody,
    responses((status = 200, description = "The new settings", body = ProgramSettings)))]
pub async fn patch_program(
    State(control): State<Control>,
    InProgram { program }: InProgram,
    body: Bytes,
) -> Result<Json<ProgramSettings>, Problem> {
    let ProgramBody { emergency_mode, kpis } = read_object(&body)?;
    let change = move |program: &mut Program| -> Result<(), Problem> {
        program.emergency_mode = emergency_mode.unwrap_or(program.emergency_mode);
        program.kpis = InvalidFields::collect(|place| {
            Some(kpis.unwrap_or_default().apply(program.kpis, &mut place.at("kpis")))
        })
        .map_err(|fields| invalid(fields, &body))?;
        Ok(())
    };
    let program = control.engine.change_program(program.id, change).await??;
    let program = program.ok_or_else(|| Problem::not_found("The program"))?;
    Ok(Json(ProgramSettings::new(&program)))
}
