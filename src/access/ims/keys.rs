//! The public key of access tokens.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::Access;
use crate::access::jwt::{key_id, public_parts};
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
