//! The operations of IMS, Adobe's identity service: it issues access tokens and validates them.

mod account;
mod assertion;
mod error;
mod keys;
mod parameters;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::{Json, Router};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;

use super::access_token::DEFAULT_SCOPE;
use super::gateway::user_of_api_key;
use super::{Access, Auth};
use crate::domain::client::Client;
use crate::http::operations::{self, MakeEndpoint, Operations, routes};
use crate::http::problem::Problem;
use error::{ImsError, ImsFailure};
use parameters::{ExchangeRequest, TokenRequest};

/// The operations. The gateway does not check their credentials: a client has no token yet, or the
/// operation checks the token itself.
const OPERATIONS: &[MakeEndpoint<Access>] = &[
    || routes!(get_access_token),
    || routes!(get_access_token_v2),
    || routes!(get_access_token_v1),
    || routes!(exchange_jwt),
    || routes!(keys::get_keys),
    || routes!(keys::get_event_key),
    || routes!(account::get_user_info),
    || routes!(account::get_profile),
    || routes!(account::get_organizations),
    || routes!(account::validate_token, account::validate_token_by_form),
    || routes!(account::invalidate_token),
];

/// Answers the operations, and notes which they are.
pub fn router(operations: &mut Operations) -> Router<Access> {
    operations::serve(OPERATIONS.iter().map(|make| (*make, None)), operations)
}

/// Describes the operations.
#[must_use]
pub fn describe() -> OpenApi {
    operations::describe(OPERATIONS.iter().copied())
}

/// The lifetime of a token in responses, in seconds. Like in IMS, it is one second less than the
/// real lifetime.
const EXPIRES_IN: u32 = 86_399;

/// An access token.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessToken)]
pub struct TokenView {
    access_token: String,
    token_type: &'static str,
    /// Its lifetime in seconds; in milliseconds if it was exchanged for a JWT.
    expires_in: u32,
}

impl TokenView {
    /// Returns the response with a token and its lifetime in seconds.
    pub(crate) fn new(access_token: String) -> Self {
        Self { access_token, token_type: "bearer", expires_in: EXPIRES_IN }
    }
}

type TokenResponse = ([(HeaderName, &'static str); 1], Json<TokenView>);

/// Issues an access token for a client id and secret. The parameters may also be in the query
/// string.
#[utoipa::path(post, path = "/ims/token/v3", operation_id = "getAccessToken", tag = "IMS",
    request_body(content((TokenRequest = "application/x-www-form-urlencoded"), (TokenRequest = "multipart/form-data"))),
    responses((status = 200, description = "The token", body = TokenView),
        (status = 400, description = "Unknown client, wrong client secret, or invalid request",
            content((ImsError = "application/json"), (Problem = "application/problem+json")))))]
pub async fn get_access_token(
    State(access): State<Access>,
    request: TokenRequest,
) -> Result<TokenResponse, ImsFailure> {
    let TokenRequest { client_id, client_secret, scope, .. } = &request;
    let client = authenticate(&access, client_id, client_secret, StatusCode::BAD_REQUEST)?;
    issue_token(&access, client.as_deref(), client_id, scope, EXPIRES_IN).await
}

/// Issues an access token, exactly as version 3 does.
#[utoipa::path(post, path = "/ims/token/v2", operation_id = "getAccessTokenV2", tag = "IMS",
    request_body(content((TokenRequest = "application/x-www-form-urlencoded"), (TokenRequest = "multipart/form-data"))),
    responses((status = 200, description = "The token", body = TokenView),
        (status = 400, description = "Unknown client, wrong client secret, or invalid request",
            content((ImsError = "application/json"), (Problem = "application/problem+json")))))]
pub async fn get_access_token_v2(
    access: State<Access>,
    request: TokenRequest,
) -> Result<TokenResponse, ImsFailure> {
    get_access_token(access, request).await
}

/// Issues an access token, exactly as version 3 does.
#[utoipa::path(post, path = "/ims/token/v1", operation_id = "getAccessTokenV1", tag = "IMS",
    request_body(content((TokenRequest = "application/x-www-form-urlencoded"), (TokenRequest = "multipart/form-data"))),
    responses((status = 200, description = "The token", body = TokenView),
        (status = 400, description = "Unknown client, wrong client secret, or invalid request",
            content((ImsError = "application/json"), (Problem = "application/problem+json")))))]
pub async fn get_access_token_v1(
    access: State<Access>,
    request: TokenRequest,
) -> Result<TokenResponse, ImsFailure> {
    get_access_token(access, request).await
}

/// Exchanges the JWT of a service account for an access token. The parameters may also be in the
/// query string.
#[utoipa::path(post, path = "/ims/exchange/jwt", operation_id = "exchangeJwt", tag = "IMS",
    request_body(content((ExchangeRequest = "application/x-www-form-urlencoded"), (ExchangeRequest = "multipart/form-data"))),
    responses((status = 200, description = "The token", body = TokenView),
        (status = 400, description = "Unknown client, invalid request, or invalid JWT",
            content((ImsError = "application/json"), (Problem = "application/problem+json"))),
        (status = 401, description = "Wrong client secret", body = ImsError)))]
pub async fn exchange_jwt(
    State(access): State<Access>,
    request: ExchangeRequest,
) -> Result<TokenResponse, ImsFailure> {
    let ExchangeRequest { client_id, client_secret, jwt_token } = &request;
    let client = authenticate(&access, client_id, client_secret, StatusCode::UNAUTHORIZED)?;
    if let (Auth::Strict, Some(client)) = (access.auth, &client) {
        let catalog = access.engine.catalog();
        let tenant = catalog.find_tenant(client.tenant_id).ok_or_else(wrong_client)?;
        assertion::check(jwt_token, client, &tenant.ims_org_id, access.engine.now())?;
    }
    issue_token(&access, client.as_deref(), client_id, DEFAULT_SCOPE, EXPIRES_IN * 1000).await
}

fn wrong_client() -> ImsError {
    ImsError::new("invalid_client", "invalid client_id parameter")
}

/// Checks a client's secret and returns the client. With `--auth open`, an unknown client is
/// accepted and `None` is returned. The status for a wrong secret depends on the operation.
fn authenticate(
    access: &Access,
    id: &str,
    secret: &str,
    wrong_secret: StatusCode,
) -> Result<Option<Arc<Client>>, ImsError> {
    match (access.engine.catalog().find_client(id), access.auth) {
        (Some(client), _) if access.tokens.is_same_secret(&client.client_secret, secret) => {
            Ok(Some(client.clone()))
        }
        (Some(_), _) => {
            let refusal = ImsError::new("invalid_client", "invalid client_secret parameter");
            Err(refusal.with_status(wrong_secret))
        }
        (None, Auth::Open) => Ok(None),
        (None, Auth::Strict) => Err(wrong_client()),
    }
}

async fn issue_token(
    access: &Access,
    client: Option<&Client>,
    id: &str,
    scope: &str,
    expires_in: u32,
) -> Result<TokenResponse, ImsFailure> {
    let user =
        client.map_or_else(|| user_of_api_key(id), |client| client.technical_account_id.clone());
    let access_token = access.tokens.issue(id, &user, scope).await?;
    let token = TokenView { expires_in, ..TokenView::new(access_token) };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(token)))
}
