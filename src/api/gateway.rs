//! The gateway: who is calling, and for which organisation.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Api;
use crate::domain::id::TenantId;

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The tenant of the organisation that the caller names.
    pub tenant_id: TenantId,
    /// The name by which executions remember the caller.
    pub user: String,
}

/// A refusal by the gateway, before the API is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct GatewayError {
    #[serde(skip)]
    status: StatusCode,
    /// What kind of refusal.
    error_code: &'static str,
    /// What is wrong.
    message: &'static str,
}

impl IntoResponse for GatewayError {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        // Without a charset: a client compares the whole value.
        (self.status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}

/// The answer to a missing or bad token.
pub const BAD_TOKEN: GatewayError = GatewayError {
    status: StatusCode::UNAUTHORIZED,
    error_code: "401013",
    message: "Oauth token is not valid",
};

/// The answer to a missing or bad api key.
pub const BAD_API_KEY: GatewayError = GatewayError {
    status: StatusCode::FORBIDDEN,
    error_code: "403003",
    message: "Api Key is invalid",
};
const UNKNOWN_ORGANISATION: GatewayError = GatewayError {
    status: StatusCode::FORBIDDEN,
    error_code: "403000",
    message: "The organization in x-gw-ims-org-id is unknown",
};

/// Lets a request through to the API if its token, api key and organisation are good, whether or
/// not there is something at its path. Other requests need no credentials.
pub async fn check(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path != "/api" && !path.starts_with("/api/") {
        return next.run(request).await;
    }
    match identify(&api, request.headers()) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refusal) => refusal.into_response(),
    }
}

fn identify(api: &Api, headers: &HeaderMap) -> Result<Caller, GatewayError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let token = text("authorization")
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty())
        .ok_or(BAD_TOKEN)?;
    let api_key = text("x-api-key").filter(|key| !key.is_empty()).ok_or(BAD_API_KEY)?;
    let organisation = text("x-gw-ims-org-id").ok_or(UNKNOWN_ORGANISATION)?;
    let catalog = api.engine.catalog();
    let tenant = catalog.find_tenant_of(organisation).ok_or(UNKNOWN_ORGANISATION)?;
    let user = user_of(token).unwrap_or_else(|| format!("{api_key}@techacct.adobe.com"));
    Ok(Caller { tenant_id: tenant.id, user })
}

/// The `user_id` that a JWT claims.
fn user_of(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        user_id: String,
    }
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    Some(claims.user_id).filter(|user| !user.is_empty() && user.len() <= 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_what_a_jwt_claims() {
        let token = |claims: &str| format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims));
        assert_eq!(user_of(&token(r#"{"user_id":"A@AdobeID"}"#)).as_deref(), Some("A@AdobeID"));
        for token in ["abc", "a.b.c", &token("{}"), &token(r#"{"user_id":5}"#), "..", ""] {
            assert_eq!(user_of(token), None, "{token}");
        }
    }
}
