//! `PATCH /_emulator/program/{id}/environment/{id}`: the status of an environment.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Control;
use crate::domain::environment::{Environment, EnvironmentStatus, EnvironmentType};
use crate::engine::definitions::ChangeError;
use crate::extract::InEnvironment;
use crate::http::body::read_object;
use crate::http::problem::Problem;

/// The new status of an environment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentBody {
    /// `ready` if pipelines can deploy to the environment.
    status: EnvironmentStatus,
}

/// An environment with its status.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnvironmentSettings {
    id: String,
    name: String,
    #[serde(rename = "type")]
    environment_type: EnvironmentType,
    status: EnvironmentStatus,
}

/// Sets the status of an environment.
///
/// Unless it is `ready`, the validation of pipelines that deploy to the environment fails.
/// Executions that have already started are not affected.
#[utoipa::path(patch, path = "/_emulator/program/{programId}/environment/{environmentId}",
    operation_id = "patchEnvironment", tag = "Emulator", params(InEnvironment),
    request_body = EnvironmentBody,
    responses((status = 200, description = "The environment", body = EnvironmentSettings)))]
pub async fn patch_environment(
    State(control): State<Control>,
    InEnvironment { program, environment }: InEnvironment,
    body: Bytes,
) -> Result<Json<EnvironmentSettings>, Problem> {
    let EnvironmentBody { status } = read_object(&body)?;
    let set = control.engine.set_environment_status(program.id, environment.id, status).await;
    let environment = set.map_err(|error| match error {
        ChangeError::Store(error) => error.into(),
        _ => Problem::not_found("The environment"),
    })?;
    let Environment { id, name, environment_type, status, .. } = environment;
    Ok(Json(EnvironmentSettings { id: id.to_string(), name, environment_type, status }))
}
