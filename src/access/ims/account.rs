//! The IMS operations that describe a token and its owner, validate it, and invalidate it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ImsError, ImsFailure};
use super::parameters::{InvalidateRequest, ValidateRequest};
use super::{authenticate, wrong_client};
use crate::access::access_token::{AccessClaims, InvalidToken, TokenError};
use crate::access::gateway::{token_of, user_of};
use crate::access::{Access, Auth};
use crate::domain::client::Client;
use crate::http::problem::Problem;

/// The user of a token without a readable `user_id`, with `--auth open`.
const ANYBODY: &str = "anybody@techacct.adobe.com";

/// The owner of the token in a request.
struct TokenOwner {
    user_id: String,
    /// The client that the token was issued to; `None` with `--auth open`.
    client: Option<Arc<Client>>,
}

impl TokenOwner {
    async fn of(access: &Access, headers: &HeaderMap) -> Result<Self, ImsFailure> {
        let missing = || bad_token("the Authorization header must be Bearer and an access token");
        let token = token_of(headers).ok_or_else(missing)?;
        if access.auth == Auth::Open {
            let user_id = user_of(token).unwrap_or_else(|| ANYBODY.into());
            return Ok(Self { user_id, client: None });
        }
        let claims = match access.tokens.read(token).await {
            Ok(claims) => claims,
            Err(TokenError::Bad(bad)) => return Err(bad_token(bad.as_str()).into()),
            Err(TokenError::Store(error)) => return Err(error.into()),
        };
        let client = access.engine.catalog().find_client(&claims.client_id).cloned();
        let client =
            client.ok_or_else(|| bad_token("the token's client does not exist any more"))?;
        Ok(Self { user_id: claims.user_id.clone(), client: Some(client) })
    }
}

fn bad_token(description: &'static str) -> ImsError {
    ImsError::new("invalid_token", description).with_status(StatusCode::UNAUTHORIZED)
}

/// The owner of the token, with the field names of OpenID Connect.
#[derive(Serialize, ToSchema)]
#[schema(as = UserInfo)]
pub struct UserInfoView {
    sub: String,
    account_type: &'static str,
    name: String,
    email: String,
    email_verified: bool,
}

/// Returns the owner of the token.
#[utoipa::path(get, path = "/ims/userinfo/v2", operation_id = "getUserInfo", tag = "IMS",
    params(("Authorization" = String, Header, description = "Bearer, and an access token")),
    responses((status = 200, description = "The user", body = UserInfoView),
        (status = 401, description = "Missing or bad token", body = ImsError)))]
pub async fn get_user_info(
    State(access): State<Access>,
    headers: HeaderMap,
) -> Result<Json<UserInfoView>, ImsFailure> {
    let TokenOwner { user_id, .. } = TokenOwner::of(&access, &headers).await?;
    Ok(Json(UserInfoView {
        sub: user_id.clone(),
        account_type: "service",
        name: user_id.clone(),
        email: user_id,
        email_verified: true,
    }))
}

/// The profile of the token's owner.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Profile)]
pub struct ProfileView {
    user_id: String,
    auth_id: String,
    #[serde(rename = "account_type")]
    account_type: &'static str,
    name: String,
    display_name: String,
    email: String,
    /// Always the string `true`.
    email_verified: &'static str,
    country_code: &'static str,
}

/// Returns the profile of the token's owner.
#[utoipa::path(get, path = "/ims/profile/v1", operation_id = "getProfile", tag = "IMS",
    params(("Authorization" = String, Header, description = "Bearer, and an access token")),
    responses((status = 200, description = "The profile", body = ProfileView),
        (status = 401, description = "Missing or bad token", body = ImsError)))]
pub async fn get_profile(
    State(access): State<Access>,
    headers: HeaderMap,
) -> Result<Json<ProfileView>, ImsFailure> {
    let TokenOwner { user_id, .. } = TokenOwner::of(&access, &headers).await?;
    Ok(Json(ProfileView {
        user_id: user_id.clone(),
        auth_id: user_id.clone(),
        account_type: "service",
        name: user_id.clone(),
        display_name: user_id.clone(),
        email: user_id,
        email_verified: "true",
        country_code: "US",
    }))
}

/// The organisations of a user.
#[derive(Serialize, ToSchema)]
#[schema(as = Organizations)]
pub struct OrganisationsView(Vec<OrganisationView>);

/// An organisation, as IMS names it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Organization)]
struct OrganisationView {
    org_name: String,
    org_ref: OrganisationReference,
    org_type: &'static str,
    country_code: &'static str,
    /// Always empty.
    groups: [String; 0],
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OrganizationReference)]
struct OrganisationReference {
    /// The part of the organisation's identifier before the `@`.
    ident: String,
    /// The part after it.
    auth_src: String,
}

/// Lists the organisations of the token's owner: the client's own; with `--auth open` all of them.
#[utoipa::path(get, path = "/ims/organizations/v6", operation_id = "getOrganizations", tag = "IMS",
    params(("Authorization" = String, Header, description = "Bearer, and an access token")),
    responses((status = 200, description = "The organisations", body = OrganisationsView),
        (status = 401, description = "Missing or bad token", body = ImsError)))]
pub async fn get_organizations(
    State(access): State<Access>,
    headers: HeaderMap,
) -> Result<Json<OrganisationsView>, ImsFailure> {
    let TokenOwner { client, .. } = TokenOwner::of(&access, &headers).await?;
    let catalog = access.engine.catalog();
    let is_own = |id| client.as_ref().is_none_or(|client| client.tenant_id == id);
    let own = catalog.list_tenants().filter(|tenant| is_own(tenant.id));
    let views = own.map(|tenant| {
        let (ident, source) = tenant.ims_org_id.split_once('@').unwrap_or((&tenant.ims_org_id, ""));
        OrganisationView {
            org_name: tenant.ims_tenant_id.clone(),
            org_ref: OrganisationReference { ident: ident.into(), auth_src: source.into() },
            org_type: "Enterprise",
            country_code: "US",
            groups: [],
        }
    });
    Ok(Json(OrganisationsView(views.collect())))
}

/// Whether a token is valid.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenValidity)]
pub struct ValidityView {
    valid: bool,
    /// Why the token is not valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// The claims of the token, if the emulator issued it.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<AccessClaims>,
}

/// Returns whether a token is valid. Send it as the parameter `token` or in the `Authorization`
/// header.
#[utoipa::path(get, path = "/ims/validate_token/v1", operation_id = "validateToken", tag = "IMS",
    params(("Authorization" = Option<String>, Header, description = "Bearer, and an access token"),
        ("token" = Option<String>, Query, description = "An access token"),
        ("client_id" = Option<String>, Query, description = "The client that the token must belong to; any if absent"),
        ("type" = Option<String>, Query, description = "access_token")),
    responses((status = 200, description = "Whether the token is valid", body = ValidityView),
        (status = 400, description = "The request is invalid",
            content((ImsError = "application/json"), (Problem = "application/problem+json")))))]
pub async fn validate_token(
    State(access): State<Access>,
    request: ValidateRequest,
) -> Result<Json<ValidityView>, ImsFailure> {
    let ValidateRequest { token, client_id, .. } = request;
    let read = access.tokens.read(&token).await.and_then(|claims| {
        let is_for = client_id.is_none_or(|client_id| client_id == claims.client_id);
        if is_for { Ok(claims) } else { Err(InvalidToken::OtherClient.into()) }
    });
    Ok(Json(match read {
        Ok(claims) => {
            ValidityView { valid: true, reason: None, token: Some(AccessClaims::clone(&claims)) }
        }
        Err(TokenError::Store(error)) => return Err(error.into()),
        Err(_) if access.auth == Auth::Open => {
            ValidityView { valid: true, reason: None, token: None }
        }
        Err(TokenError::Bad(bad)) => {
            ValidityView { valid: false, reason: Some(bad.as_str()), token: None }
        }
    }))
}

/// Returns whether a token is valid, like `GET`. The parameters are in a form.
#[utoipa::path(post, path = "/ims/validate_token/v1", operation_id = "validateTokenByForm", tag = "IMS",
    request_body(content((ValidateRequest = "application/x-www-form-urlencoded"), (ValidateRequest = "multipart/form-data"))),
    responses((status = 200, description = "Whether the token is valid", body = ValidityView),
        (status = 400, description = "The request is invalid",
            content((ImsError = "application/json"), (Problem = "application/problem+json")))))]
pub async fn validate_token_by_form(
    access: State<Access>,
    request: ValidateRequest,
) -> Result<Json<ValidityView>, ImsFailure> {
    validate_token(access, request).await
}

/// The empty response to a token that was invalidated.
#[derive(Serialize, ToSchema)]
#[schema(as = InvalidatedToken)]
pub struct InvalidatedView {}

/// Invalidates a token. Send it as the parameter `token` or in the `Authorization` header.
#[utoipa::path(post, path = "/ims/invalidate_token/v2", operation_id = "invalidateToken", tag = "IMS",
    request_body(content((InvalidateRequest = "application/x-www-form-urlencoded"), (InvalidateRequest = "multipart/form-data"))),
    responses((status = 200, description = "The token was invalidated", body = InvalidatedView),
        (status = 400, description = "Unknown client, wrong client secret, invalid token, or invalid request",
            content((ImsError = "application/json"), (Problem = "application/problem+json")))))]
pub async fn invalidate_token(
    State(access): State<Access>,
    request: InvalidateRequest,
) -> Result<Json<InvalidatedView>, ImsFailure> {
    let InvalidateRequest { token, client_id, client_secret } = request;
    match client_secret {
        Some(secret) => {
            authenticate(&access, &client_id, &secret, StatusCode::BAD_REQUEST)?;
        }
        None if access.auth == Auth::Strict => {
            access.engine.catalog().find_client(&client_id).ok_or_else(wrong_client)?;
        }
        None => {}
    }
    let refuse = |bad: InvalidToken| Err(ImsError::new("invalid_token", bad.as_str()).into());
    match access.tokens.read(&token).await {
        Ok(claims) if claims.client_id == client_id => access.tokens.invalidate(&claims),
        Ok(_) => return refuse(InvalidToken::OtherClient),
        Err(TokenError::Store(error)) => return Err(error.into()),
        // With `--auth open` every token is valid, so there is nothing to invalidate.
        Err(_) if access.auth == Auth::Open => {}
        Err(TokenError::Bad(bad)) => return refuse(bad),
    }
    Ok(Json(InvalidatedView {}))
}
