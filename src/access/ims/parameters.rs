//! The parameters of requests to IMS. They can be in a form (URL-encoded or multipart), in the
//! query string, or in both.

use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header;
use utoipa::ToSchema;

use super::error::ImsError;
use crate::access::Access;
use crate::access::access_token::{ACCESS, DEFAULT_SCOPE};
use crate::access::gateway::token_of;
use crate::http::body::MAX_BODY_BYTES;

/// The content type of forms.
const FORM: &str = "application/x-www-form-urlencoded";

/// The content type of multipart forms, which Adobe's JavaScript clients send.
const MULTIPART: &str = "multipart/form-data";

/// The longest identifier of a client, in characters.
const LONGEST_ID: usize = 255;

/// The longest list of scopes, in characters.
const LONGEST_SCOPE: usize = 2048;

/// What stands in place of bytes that are no UTF-8.
const NOT_UTF_8: char = char::REPLACEMENT_CHARACTER;

/// The credentials of a client.
#[derive(ToSchema)]
pub struct TokenRequest {
    /// Always `client_credentials`.
    #[expect(dead_code, reason = "it has been checked")]
    #[schema(pattern = "^client_credentials$")]
    grant_type: String,
    /// The api key.
    #[schema(min_length = 1, max_length = 255)]
    pub(super) client_id: String,
    /// The client's secret.
    #[schema(min_length = 1)]
    pub(super) client_secret: String,
    /// Scopes, separated by commas. The token contains them; they are not checked.
    #[schema(required = false, max_length = 2048)]
    pub(super) scope: String,
}

/// The credentials of a service account.
#[derive(ToSchema)]
pub struct ExchangeRequest {
    /// The api key.
    #[schema(min_length = 1, max_length = 255)]
    pub(super) client_id: String,
    /// The client's secret.
    #[schema(min_length = 1)]
    pub(super) client_secret: String,
    /// A JWT with the claims `exp`, `iss`, `sub` and `aud`, signed with RS256. The signature is
    /// checked if the seed has the client's certificate.
    #[schema(min_length = 1)]
    pub(super) jwt_token: String,
}

/// The token to validate.
#[derive(ToSchema)]
pub struct ValidateRequest {
    /// The token; that of the `Authorization` header if absent.
    #[schema(required = false)]
    pub(super) token: String,
    /// The client that the token must belong to; any if absent.
    pub(super) client_id: Option<String>,
    /// Always `access_token`.
    #[schema(required = false)]
    #[expect(dead_code, reason = "it has been checked")]
    r#type: String,
}

/// The token to invalidate.
#[derive(ToSchema)]
pub struct InvalidateRequest {
    /// The token; that of the `Authorization` header if absent.
    #[schema(required = false)]
    pub(super) token: String,
    /// The client that the token was issued to.
    pub(super) client_id: String,
    /// The client's secret; checked only if it is sent.
    pub(super) client_secret: Option<String>,
}

impl FromRequest<Access> for TokenRequest {
    type Rejection = ImsError;

    async fn from_request(request: Request, _: &Access) -> Result<Self, ImsError> {
        let sent = Parameters::read(request).await?;
        let grant_type = sent.require("grant_type")?;
        if grant_type != "client_credentials" {
            let description = "the grant_type must be client_credentials";
            return Err(ImsError::new("unsupported_grant_type", description));
        }
        let scope = sent.find("scope")?.unwrap_or(DEFAULT_SCOPE).to_owned();
        if scope.chars().count() > LONGEST_SCOPE {
            return Err(ImsError::new("invalid_scope", "the scope is too long"));
        }
        let (client_id, client_secret) = sent.client()?;
        Ok(Self { grant_type: grant_type.into(), client_id, client_secret, scope })
    }
}

impl FromRequest<Access> for ExchangeRequest {
    type Rejection = ImsError;

    async fn from_request(request: Request, _: &Access) -> Result<Self, ImsError> {
        let sent = Parameters::read(request).await?;
        let (client_id, client_secret) = sent.client()?;
        let missing = || ImsError::new("invalid_token", "missing jwt_token parameter");
        let jwt_token = sent.find("jwt_token")?.ok_or_else(missing)?.to_owned();
        Ok(Self { client_id, client_secret, jwt_token })
    }
}

impl FromRequest<Access> for ValidateRequest {
    type Rejection = ImsError;

    async fn from_request(request: Request, _: &Access) -> Result<Self, ImsError> {
        let in_header = token_of(request.headers()).map(str::to_owned);
        let sent = Parameters::read(request).await?;
        let kind = sent.find("type")?.unwrap_or(ACCESS);
        if kind != ACCESS {
            return Err(ImsError::invalid_request("the type must be access_token"));
        }
        let client_id = sent.find("client_id")?.map(str::to_owned);
        Ok(Self { token: sent.token(in_header)?, client_id, r#type: kind.into() })
    }
}

impl FromRequest<Access> for InvalidateRequest {
    type Rejection = ImsError;

    async fn from_request(request: Request, _: &Access) -> Result<Self, ImsError> {
        let in_header = token_of(request.headers()).map(str::to_owned);
        let sent = Parameters::read(request).await?;
        Ok(Self {
            token: sent.token(in_header)?,
            client_id: sent.require("client_id")?.to_owned(),
            client_secret: sent.find("client_secret")?.map(str::to_owned),
        })
    }
}

/// The parameters of a request by name.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    async fn read(request: Request) -> Result<Self, ImsError> {
        let query = request.uri().query().unwrap_or_default();
        let mut pairs = parse(query.as_bytes());
        let content_type = request.headers().get(header::CONTENT_TYPE);
        let media_type = content_type.map_or(FORM, |value| {
            value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim()
        });
        if media_type.eq_ignore_ascii_case(MULTIPART) {
            pairs.extend(read_parts(request).await?);
            return Ok(Self(pairs));
        }
        let is_form = media_type.eq_ignore_ascii_case(FORM);
        let body = axum::body::to_bytes(request.into_body(), MAX_BODY_BYTES)
            .await
            .map_err(|_| ImsError::invalid_request("the body can't be read"))?;
        if !body.is_empty() && !is_form {
            let description = format!("the body must be {FORM} or {MULTIPART}");
            return Err(ImsError::invalid_request(description));
        }
        pairs.extend(parse(&body));
        Ok(Self(pairs))
    }

    /// A parameter, if it is there and not empty.
    fn find(&self, name: &str) -> Result<Option<&str>, ImsError> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
        let value = values.next();
        if values.next().is_some() {
            return Err(ImsError::invalid_request(format!("repeated {name} parameter")));
        }
        if value.is_some_and(|value| value.contains(NOT_UTF_8)) {
            return Err(ImsError::invalid_request(format!(
                "the {name} parameter is not valid UTF-8"
            )));
        }
        Ok(value.map(String::as_str).filter(|value| !value.is_empty()))
    }

    fn require(&self, name: &str) -> Result<&str, ImsError> {
        let missing = || ImsError::invalid_request(format!("missing {name} parameter"));
        self.find(name)?.ok_or_else(missing)
    }

    /// The token that is asked about, as a parameter or in the header.
    fn token(&self, in_header: Option<String>) -> Result<String, ImsError> {
        match (self.find("token")?, in_header) {
            (Some(token), _) => Ok(token.to_owned()),
            (None, Some(token)) => Ok(token),
            (None, None) => self.require("token").map(str::to_owned),
        }
    }

    /// The client's identifier and secret.
    fn client(&self) -> Result<(String, String), ImsError> {
        let id = self.require("client_id")?;
        if id.chars().count() > LONGEST_ID {
            return Err(ImsError::invalid_request("the client_id is too long"));
        }
        Ok((id.to_owned(), self.require("client_secret")?.to_owned()))
    }
}

/// The parameters of a form or a query string. What is no UTF-8 is replaced, to be refused later.
fn parse(form: &[u8]) -> Vec<(String, String)> {
    let pairs = form_urlencoded::parse(form);
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// The parameters of a body in parts, as [`parse`] gives them.
async fn read_parts(request: Request) -> Result<Vec<(String, String)>, ImsError> {
    let unreadable = || ImsError::invalid_request(format!("the body can't be read as {MULTIPART}"));
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| unreadable())?;
    let mut pairs = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(|_| unreadable())? {
        let name = part.name().unwrap_or_default().to_owned();
        let value = part.bytes().await.map_err(|_| unreadable())?;
        pairs.push((name, String::from_utf8_lossy(&value).into_owned()));
    }
    Ok(pairs)
}
