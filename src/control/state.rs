//! The whole state: download it, restore it, reset it.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use tokio::io::AsyncReadExt;
use utoipa::ToSchema;

use super::Control;
use crate::engine::state::{ImportError, ResetTo};
use crate::http::body::read_object;
use crate::http::problem::Problem;
use crate::http::temporary::TemporaryFile;

/// The largest state that can be restored, in bytes.
const LARGEST: u64 = 1024 * 1024 * 1024;

/// The media type of a state.
const SQLITE: &str = "application/vnd.sqlite3";

/// How much of a state is in memory at a time, in bytes.
const CHUNK: usize = 256 * 1024;

/// Downloads a consistent snapshot of the state as one SQLite file.
#[utoipa::path(get, path = "/_emulator/state", operation_id = "getState", tag = "Emulator",
    responses((status = 200, description = "The state", body = String,
        content_type = "application/vnd.sqlite3")))]
pub async fn get_state(State(control): State<Control>) -> Result<Response, Problem> {
    let file = TemporaryFile::new(control.engine.place_for_copy().await)?;
    let temporary = control.engine.export(file).await?;
    let (file, length) = temporary.open().await?;
    // The temporary file goes away when the last byte is sent, or the caller leaves.
    let body = stream::unfold((file, temporary), |(mut file, temporary)| async move {
        let mut chunk = Vec::with_capacity(CHUNK);
        match (&mut file).take(CHUNK as u64).read_to_end(&mut chunk).await {
            Ok(0) => None,
            Ok(_) => Some((Ok(chunk), (file, temporary))),
            Err(error) => Some((Err(error), (file, temporary))),
        }
    });
    let headers =
        [(header::CONTENT_TYPE, SQLITE.to_owned()), (header::CONTENT_LENGTH, length.to_string())];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// Replaces the state with a downloaded one, from this version or an older one.
#[utoipa::path(put, path = "/_emulator/state", operation_id = "putState", tag = "Emulator",
    request_body(content = String, content_type = "application/vnd.sqlite3"),
    responses((status = 204, description = "The state was restored")))]
pub async fn put_state(State(control): State<Control>, body: Body) -> Result<StatusCode, Problem> {
    let place = control.engine.place_for_copy().await;
    let received = TemporaryFile::receive(place, body, LARGEST).await?;
    control.engine.import(received).await.map_err(|error| match error {
        ImportError::Refused(reason) => {
            Problem::bad_request(format!("The body is not a state that can be restored: {reason}."))
        }
        ImportError::Store(error) => error.into(),
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// What to reset to.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetBody {
    /// `seed` if absent.
    #[serde(default)]
    to: ResetTarget,
}

/// What an emulator is reset to.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ResetTarget {
    /// The seed with which it was started.
    #[default]
    Seed,
    /// No data at all.
    Empty,
}

/// Resets the data, the counters and the clock to their initial values, and deletes the request
/// journal and the fault rules.
#[utoipa::path(post, path = "/_emulator/reset", operation_id = "reset", tag = "Emulator",
    request_body = Option<ResetBody>,
    responses((status = 204, description = "The emulator was reset"),
        (status = 409, description = "A zip file of the seed is missing, has changed or can't be read", body = Problem,
            content_type = "application/problem+json")))]
pub async fn reset(State(control): State<Control>, body: Bytes) -> Result<StatusCode, Problem> {
    let ResetBody { to } = if body.is_empty() { ResetBody::default() } else { read_object(&body)? };
    control
        .engine
        .reset(match to {
            ResetTarget::Seed => ResetTo::Seed,
            ResetTarget::Empty => ResetTo::Empty,
        })
        .await?;
    control.traffic.faults().clear();
    control.traffic.clear_journal();
    Ok(StatusCode::NO_CONTENT)
}
