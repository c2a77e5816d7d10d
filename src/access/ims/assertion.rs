//! The JWT by which a service account asks for a token.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::ImsError;
use crate::access::jwt::Jwt;
use crate::domain::certificate::Certificate;
use crate::domain::client::Client;
use crate::domain::time::Timestamp;

#[derive(Deserialize)]
struct AssertionClaims {
    exp: Value,
    iss: Value,
    sub: Value,
    aud: Value,
}

/// Checks that a JWT identifies a client of an organisation and has not expired. The signature is
/// checked if the client's certificate is known.
pub(super) fn check(
    token: &str,
    client: &Client,
    organisation: &str,
    now: Timestamp,
) -> Result<(), ImsError> {
    let unreadable = || ImsError::new("invalid_token", "the jwt_token can't be decoded");
    let jwt = Jwt::split(token).ok_or_else(unreadable)?;
    let AssertionClaims { exp, iss, sub, aud } = read(&jwt).ok_or_else(unreadable)?;
    if client.certificate.as_ref().is_some_and(|it| !is_signed(&jwt, it)) {
        let description = "Could not match JWT signature to any of the bindings";
        return Err(ImsError::new("invalid_token", description));
    }
    let not_a_number = || ImsError::new("invalid_token", "the claim exp is not a whole number");
    let exp = exp.as_i64().ok_or_else(not_a_number)?;
    if exp.saturating_mul(1000) <= now.as_millis() {
        let description = format!("the jwt_token has expired: its exp is {exp}, and it is {now}");
        return Err(ImsError::new("invalid_token", description));
    }
    let meant_for = format!("/c/{}", client.client_id);
    let is_meant = |audience: &Value| audience.as_str().is_some_and(|a| a.ends_with(&meant_for));
    if !is_meant(&aud) && !aud.as_array().is_some_and(|several| several.iter().any(is_meant)) {
        let description = "the claim aud does not match the client_id parameter";
        return Err(ImsError::new("invalid_client", description));
    }
    if iss != organisation {
        return Err(ImsError::new("bad_request", "the claim iss is not the client's organization"));
    }
    if sub != client.technical_account_id.as_str() {
        let description = "the claim sub is not the client's technical account";
        return Err(ImsError::new("bad_request", description));
    }
    Ok(())
}

/// Returns whether the key of a certificate has signed a JWT. Service accounts sign with RS256.
fn is_signed(jwt: &Jwt<'_>, certificate: &Certificate) -> bool {
    let signature = jwt.signature().unwrap_or_default();
    algorithm(jwt).as_deref() == Some("RS256")
        && certificate.has_signed(jwt.signed.as_bytes(), &signature)
}

fn algorithm(jwt: &Jwt<'_>) -> Option<String> {
    let header: Map<String, Value> = jwt.header()?;
    Some(header.get("alg")?.as_str()?.to_owned())
}

/// Returns the claims of a JWT, or `None` if it is malformed or unsigned. The signature is not
/// checked here.
fn read(jwt: &Jwt<'_>) -> Option<AssertionClaims> {
    let algorithm = algorithm(jwt)?;
    if algorithm.eq_ignore_ascii_case("none") || jwt.signature()?.is_empty() {
        return None;
    }
    // Read as a map first: serde would also accept an array for a struct.
    let claims: Map<String, Value> = jwt.claims()?;
    serde_json::from_value(claims.into()).ok()
}
