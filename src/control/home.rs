//! What a browser shows first, and the description of all operations.

use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse};

use super::Control;

/// A page of links.
const PAGE: &str = include_str!("home.html");

/// Returns a page of links to what the emulator offers.
#[utoipa::path(get, path = "/", operation_id = "getHome", tag = "Emulator",
    responses((status = 200, description = "The page", body = String, content_type = "text/html")))]
pub async fn get_home() -> Html<&'static str> {
    Html(PAGE)
}

/// Returns the description of all operations.
#[utoipa::path(get, path = "/openapi.yaml", operation_id = "getDescription", tag = "Emulator",
    responses((status = 200, description = "The description", body = serde_json::Value,
        content_type = "application/yaml")))]
pub async fn get_description(State(control): State<Control>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/yaml")], (control.describe)())
}
