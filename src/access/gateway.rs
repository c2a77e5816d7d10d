//! The gateway: who is calling, and for which organisation.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access_token::TokenError;
use super::jwt::Jwt;
use super::{Access, Auth};
use crate::domain::client::Client;
use crate::domain::id::TenantId;
use crate::domain::role::{Role, RoleNeeded, check_operation};
use crate::http::operations::{Operation, is_api};
use crate::http::problem::Problem;
use crate::store::StoreError;

/// The organisation that a caller names.
pub const X_GW_IMS_ORG_ID: HeaderName = HeaderName::from_static("x-gw-ims-org-id");

/// The api key that a caller sends.
pub const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The tenant of the organisation that the caller names.
    pub tenant_id: TenantId,
    /// The client that the token was issued to; `None` with `--auth open`.
    client: Option<Arc<Client>>,
}

impl Caller {
    /// What the caller may do.
    #[must_use]
    pub fn roles(&self) -> &BTreeSet<Role> {
        self.client.as_ref().map_or(&ALL_ROLES, |client| &client.roles)
    }

    /// The name by which executions remember the caller, from the headers of the request.
    #[must_use]
    pub fn user(&self, headers: &HeaderMap) -> String {
        if let Some(client) = &self.client {
            return client.technical_account_id.clone();
        }
        let user = token_of(headers).and_then(user_of);
        user.unwrap_or_else(|| user_of_api_key(text(headers, X_API_KEY).unwrap_or_default()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // [`check`] has inserted it for every path under `/api`; so this fails only if a handler
        // of another path asks for a caller.
        parts.extensions.get().cloned().ok_or_else(|| Problem::not_found("This resource"))
    }
}

/// An error of the gateway: invalid credentials, or no role that allows the operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct GatewayError {
    #[serde(skip)]
    status: StatusCode,
    /// The error code.
    error_code: &'static str,
    /// What is wrong.
    message: Cow<'static, str>,
}

impl IntoResponse for GatewayError {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        // Without a charset: a client compares the whole value.
        (self.status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}

/// Why a request is not let in.
#[derive(Debug)]
pub enum GatewayFailure {
    /// The credentials are invalid, or no role of the caller allows the operation.
    Gateway(GatewayError),
    /// The database failed.
    Store(StoreError),
}

impl From<GatewayError> for GatewayFailure {
    fn from(refusal: GatewayError) -> Self {
        Self::Gateway(refusal)
    }
}

impl IntoResponse for GatewayFailure {
    fn into_response(self) -> Response {
        match self {
            Self::Gateway(refusal) => refusal.into_response(),
            Self::Store(error) => Problem::from(error).into_response(),
        }
    }
}

impl From<RoleNeeded> for GatewayError {
    fn from(needed: RoleNeeded) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            error_code: PROFILE_NOT_VALID,
            message: needed.to_string().into(),
        }
    }
}

static ALL_ROLES: LazyLock<BTreeSet<Role>> = LazyLock::new(|| Role::ALL.into());

/// The answer to a missing token.
const NO_TOKEN: GatewayError = GatewayError {
    status: StatusCode::FORBIDDEN,
    error_code: "403010",
    message: Cow::Borrowed(
        "Oauth token is missing. Send the header Authorization with Bearer and an access token.",
    ),
};

/// The answer to a bad token.
pub const BAD_TOKEN: GatewayError = GatewayError {
    status: StatusCode::UNAUTHORIZED,
    error_code: "401013",
    message: Cow::Borrowed(
        "Oauth token is not valid. Send the header Authorization with Bearer and an access token \
         that has not expired.",
    ),
};

/// The answer to a missing api key.
const NO_API_KEY: GatewayError = GatewayError {
    status: StatusCode::FORBIDDEN,
    error_code: "403000",
    message: Cow::Borrowed(
        "Api Key is required. Send the header x-api-key with the client id of the token.",
    ),
};

/// The answer to a bad api key.
pub const BAD_API_KEY: GatewayError = GatewayError {
    status: StatusCode::FORBIDDEN,
    error_code: "403003",
    message: Cow::Borrowed(
        "Api Key is invalid. The header x-api-key must be the client id that the token was given to.",
    ),
};

/// The answer to a missing organisation.
const NO_ORGANISATION: GatewayError = GatewayError {
    status: StatusCode::BAD_REQUEST,
    error_code: "400003",
    message: Cow::Borrowed(
        "The organization is missing. Send the header x-gw-ims-org-id with the id of your \
         organization, which ends with @AdobeOrg.",
    ),
};

/// The answer to an organisation that is unknown or not the token's.
const UNKNOWN_ORGANISATION: GatewayError = GatewayError {
    status: StatusCode::FORBIDDEN,
    error_code: PROFILE_NOT_VALID,
    message: Cow::Borrowed(
        "Profile is not valid. The header x-gw-ims-org-id must name an organization that exists and \
         that the token belongs to.",
    ),
};

/// The longest name of a user, in bytes.
const LONGEST_USER: usize = 255;

/// How the names of technical accounts end.
const ACCOUNTS: &str = "@techacct.adobe.com";

/// The code for organisations and roles that do not allow a call.
const PROFILE_NOT_VALID: &str = "403025";

/// Checks the token, api key and organisation of a request under `/api`, even if its path does not
/// exist, and that the caller's roles allow the operation. Puts the [`Caller`] into the request's
/// extensions, where handlers find it. Other requests need no credentials.
pub async fn check(
    access: &Access,
    operation: Option<&Operation>,
    request: &mut Request,
) -> Result<(), GatewayFailure> {
    if !is_api(request.uri().path()) {
        return Ok(());
    }
    let caller = identify(access, request.headers()).await?;
    // Where there is no operation, the answer is 404 or 405 to everybody.
    if let Some(operation) = operation {
        check_operation(caller.roles(), &operation.id, operation.callers)
            .map_err(GatewayError::from)?;
    }
    request.extensions_mut().insert(caller);
    Ok(())
}

async fn identify(access: &Access, headers: &HeaderMap) -> Result<Caller, GatewayFailure> {
    let token = token_of(headers).ok_or_else(|| {
        let sent = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes().trim_ascii());
        if matches!(sent, None | Some(b"" | b"Bearer")) { NO_TOKEN } else { BAD_TOKEN }
    })?;
    let client = match access.auth {
        Auth::Open => None,
        Auth::Strict => Some(find_client_of(access, token).await?),
    };
    let given = |name| text(headers, name).filter(|value| !value.is_empty());
    let api_key = given(X_API_KEY).ok_or(NO_API_KEY)?;
    if client.as_ref().is_some_and(|client| client.client_id != api_key) {
        return Err(BAD_API_KEY.into());
    }
    let organisation = given(X_GW_IMS_ORG_ID).ok_or(NO_ORGANISATION)?;
    let catalog = access.engine.catalog();
    let tenant = catalog
        .find_tenant_of(organisation)
        .filter(|tenant| client.as_ref().is_none_or(|client| client.tenant_id == tenant.id))
        .ok_or(UNKNOWN_ORGANISATION)?;
    Ok(Caller { tenant_id: tenant.id, client })
}

/// The value of a header.
fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// The bearer token of a request.
pub(super) fn token_of(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = text(headers, header::AUTHORIZATION)?.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    Some(token.trim()).filter(|token| is_bearer && !token.is_empty())
}

/// Returns the client that a token was issued to, if the token is valid and the client exists.
async fn find_client_of(access: &Access, token: &str) -> Result<Arc<Client>, GatewayFailure> {
    let claims = access.tokens.read(token).await.map_err(|error| match error {
        TokenError::Bad(_) => BAD_TOKEN.into(),
        TokenError::Store(error) => GatewayFailure::Store(error),
    })?;
    let client = access.engine.catalog().find_client(&claims.client_id).cloned();
    Ok(client.ok_or(BAD_TOKEN)?)
}

/// The `user_id` that a JWT claims.
pub(super) fn user_of(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        user_id: String,
    }
    let claims: Claims = Jwt::split(token)?.claims()?;
    Some(claims.user_id).filter(|user| !user.is_empty() && user.len() <= LONGEST_USER)
}

/// Returns the user that an api key, or the beginning of a long one, stands for.
pub(super) fn user_of_api_key(api_key: &str) -> String {
    let end = api_key.floor_char_boundary(LONGEST_USER - ACCOUNTS.len());
    format!("{}{ACCOUNTS}", &api_key[..end])
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn the_user_is_what_a_jwt_claims() {
        let token = |claims: &str| format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims));
        assert_eq!(user_of(&token(r#"{"user_id":"A@AdobeID"}"#)).as_deref(), Some("A@AdobeID"));
        for token in ["abc", "a.b.c", &token("{}"), &token(r#"{"user_id":5}"#), "..", ""] {
            assert_eq!(user_of(token), None, "{token}");
        }
    }

    #[test]
    fn the_user_of_a_long_api_key_is_cut() {
        assert_eq!(user_of_api_key("ci"), "ci@techacct.adobe.com");
        let user = user_of_api_key(&"k".repeat(60_000));
        assert!(user.len() == LONGEST_USER && user.ends_with("k@techacct.adobe.com"), "{user}");
    }
}
