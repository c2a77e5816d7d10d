//! The public keys of access tokens and events.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::Access;
use crate::access::event_signature::key_file;
use crate::access::jwt::{key_id, public_parts};
use crate::http::pem;
use crate::http::problem::Problem;

/// Public keys, as a JSON Web Key Set (RFC 7517).
#[derive(Serialize, ToSchema)]
#[schema(as = KeySet)]
pub struct KeySetView {
    keys: [KeyView; 1],
}

/// The public key of access tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
struct KeyView {
    kty: &'static str,
    alg: &'static str,
    r#use: &'static str,
    /// The identifier of the key; the header of each token contains it.
    kid: String,
    /// The modulus.
    n: String,
    /// The exponent.
    e: String,
}

/// Returns the public key of access tokens.
#[utoipa::path(get, path = "/ims/keys", operation_id = "getKeys", tag = "IMS",
    responses((status = 200, description = "The key", body = KeySetView)))]
pub async fn get_keys(State(access): State<Access>) -> Result<Json<KeySetView>, Problem> {
    let key = access.engine.token_key().await?;
    let [n, e] = public_parts(&key);
    let key = KeyView { kty: "RSA", alg: "RS256", r#use: "sig", kid: key_id(&key), n, e };
    Ok(Json(KeySetView { keys: [key] }))
}

/// Returns a public key of events, as PEM. Deliveries name its path. On the internet it is at
/// `static.adobeioevents.com`.
#[utoipa::path(get, path = "/prod/keys/{file}", operation_id = "getEventKey", tag = "Emulator",
    params(("file" = String, Path, description = "The name of the key's file")),
    responses((status = 200, description = "The key", body = String, content_type = "application/x-pem-file"),
        (status = 404, description = "There is no such key", body = Problem,
            content_type = "application/problem+json")))]
pub async fn get_event_key(
    State(access): State<Access>,
    file: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(file) = file.map_err(|_| Problem::not_found("The key"))?;
    let keys = access.engine.event_keys().await?;
    let key = keys.iter().find(|key| key_file(key) == file);
    let der = key.ok_or_else(|| Problem::not_found("The key"))?.public_der()?;
    let text = pem::encode("PUBLIC KEY", &der);
    Ok(([(header::CONTENT_TYPE, "application/x-pem-file")], text).into_response())
}
