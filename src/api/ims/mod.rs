//! What IMS does for clients: it gives them access tokens.

mod assertion;
mod parameters;
mod token;

use std::borrow::Cow;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::gateway::Auth;
use crate::domain::client::Client;
use crate::http::problem::Problem;
use parameters::{ExchangeRequest, TokenRequest, USUAL_SCOPE};
pub use token::AccessTokens;

/// How long a token is good, in seconds, as its receiver is told: a second less than it is, as by
/// IMS.
const EXPIRES_IN: u32 = 86_399;

/// A token.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessToken)]
pub struct TokenView {
    access_token: String,
    token_type: &'static str,
    /// How long it is good: in seconds, and in milliseconds if it was exchanged for a JWT.
    expires_in: u32,
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImsError {
    #[serde(skip)]
    status: StatusCode,
    /// What kind of mistake.
    error: &'static str,
    /// What is wrong.
    error_description: Cow<'static, str>,
}

impl ImsError {
    fn new(error: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, error_description: description.into() }
    }

    fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new("invalid_request", description)
    }
}

impl IntoResponse for ImsError {
    fn into_response(self) -> Response {
        (self.status, Json(self)).into_response()
    }
}

type Given = ([(HeaderName, &'static str); 1], Json<TokenView>);

/// Gives a token to a client that knows its secret. The parameters may also come in the query string.
#[utoipa::path(post, path = "/ims/token/v3", operation_id = "getAccessToken", tag = "IMS",
    request_body(content((TokenRequest = "application/x-www-form-urlencoded"), (TokenRequest = "multipart/form-data"))),
    responses((status = 200, description = "The token", body = TokenView),
        (status = 400, description = "There is no such client, its secret is another, or the request does not fit",
            content((ImsError = "application/json"), (Problem = "application/problem+json")))))]
pub async fn get_access_token(
    State(api): State<Api>,
    request: TokenRequest,
) -> Result<Given, ImsError> {
    let TokenRequest { client_id, client_secret, scope, .. } = &request;
    let client = authenticate(&api, client_id, client_secret, StatusCode::BAD_REQUEST)?;
    Ok(give(&api, client.as_deref(), client_id, scope, EXPIRES_IN))
}

/// As version 3 does.
#[utoipa::path(post, path = "/ims/token/v2", operation_id = "getAccessTokenV2", tag = "IMS",
    request_body(content((TokenRequest = "application/x-www-form-urlencoded"), (TokenRequest = "multipart/form-data"))),
    responses((status = 200, description = "The token", body = TokenView),
        (status = 400, description = "There is no such client, its secret is another, or the request does not fit",
            content((ImsError = "application/json"), (Problem = "application/problem+json")))))]
pub async fn get_access_token_v2(
    api: State<Api>,
    request: TokenRequest,
) -> Result<Given, ImsError> {
    get_access_token(api, request).await
}

/// Gives a token to a service account that shows a JWT. The parameters may also come in the query
/// string.
#[utoipa::path(post, path = "/ims/exchange/jwt", operation_id = "exchangeJwt", tag = "IMS",
    request_body(content((ExchangeRequest = "application/x-www-form-urlencoded"), (ExchangeRequest = "multipart/form-data"))),
    responses((status = 200, description = "The token", body = TokenView),
        (status = 400, description = "There is no such client, or the request or its JWT does not fit",
            content((ImsError = "application/json"), (Problem = "application/problem+json"))),
        (status = 401, description = "The client's secret is another", body = ImsError)))]
pub async fn exchange_jwt(
    State(api): State<Api>,
    request: ExchangeRequest,
) -> Result<Given, ImsError> {
    let ExchangeRequest { client_id, client_secret, jwt_token } = &request;
    let client = authenticate(&api, client_id, client_secret, StatusCode::UNAUTHORIZED)?;
    if let (Auth::Strict, Some(client)) = (api.auth, &client) {
        let catalog = api.engine.catalog();
        let tenant = catalog.find_tenant(client.tenant_id).ok_or_else(wrong_client)?;
        assertion::check(jwt_token, client, &tenant.ims_org_id, api.engine.now())?;
    }
    Ok(give(&api, client.as_deref(), client_id, USUAL_SCOPE, EXPIRES_IN * 1000))
}

fn wrong_client() -> ImsError {
    ImsError::new("invalid_client", "invalid client_id parameter")
}

/// The client whose secret this is; none if everybody is let in and there is no such client. Which
/// status a wrong secret has depends on the operation.
fn authenticate(
    api: &Api,
    id: &str,
    secret: &str,
    wrong_secret: StatusCode,
) -> Result<Option<Arc<Client>>, ImsError> {
    match (api.engine.catalog().find_client(id), api.auth) {
        (Some(client), _) if api.access_tokens.is_same_secret(&client.client_secret, secret) => {
            Ok(Some(client.clone()))
        }
        (Some(_), _) => {
            let refusal = ImsError::new("invalid_client", "invalid client_secret parameter");
            Err(ImsError { status: wrong_secret, ..refusal })
        }
        (None, Auth::Open) => Ok(None),
        (None, Auth::Strict) => Err(wrong_client()),
    }
}

fn give(api: &Api, client: Option<&Client>, id: &str, scope: &str, expires_in: u32) -> Given {
    let user = client.map_or_else(
        || format!("{id}@techacct.adobe.com"),
        |client| client.technical_account_id.clone(),
    );
    let access_token = api.access_tokens.issue(id, &user, scope, api.engine.now());
    let token = TokenView { access_token, token_type: "bearer", expires_in };
    ([(header::CACHE_CONTROL, "no-store")], Json(token))
}
