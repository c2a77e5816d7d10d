//! The description of all operations.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::Control;

/// Returns the description of all operations.
#[utoipa::path(get, path = "/openapi.yaml", operation_id = "getDescription", tag = "Emulator",
    responses((status = 200, description = "The description", body = serde_json::Value,
        content_type = "application/yaml")))]
pub async fn get_description(State(control): State<Control>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/yaml")], (control.describe)())
}
