//! Access tokens: JWTs with the claims of IMS, which nobody else can make. None is stored.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::jwt::{self, Jwt};
use super::signer::Signer;
use crate::domain::client::Client;
use crate::domain::time::{Duration, Timestamp};
use crate::engine::{Engine, RsaKey};
use crate::store::StoreError;

/// The header of tokens of earlier releases, which are not accepted any more.
const EARLIER_HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// The scopes of a token if the request names none.
pub const DEFAULT_SCOPE: &str = "openid,AdobeID,read_organizations";

/// What the key that compares secrets is for.
const PURPOSE: &str = "secrets of clients";

/// How long a token is good.
const LIFETIME: Duration = Duration::from_days(1);

/// What a token is for.
pub(super) const ACCESS: &str = "access_token";

/// How many invalidated tokens are remembered.
const MOST_INVALIDATED: usize = 10_000;

/// How many verified tokens are cached: verifying a signature takes longer than most calls.
const MOST_VERIFIED: usize = 256;

/// The claims of an access token, with the names that IMS uses.
///
/// Unlike in responses, times are in milliseconds, as strings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessClaims {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    /// The client that the token was issued to: its api key.
    pub client_id: String,
    /// The client's account.
    pub user_id: String,
    #[serde(rename = "as")]
    server: String,
    scope: String,
    /// When the token was issued, in milliseconds since 1970.
    created_at: String,
    /// The lifetime of the token, in milliseconds.
    expires_in: String,
}

impl AccessClaims {
    fn new(client_id: &str, user_id: &str, scope: &str, now: Timestamp) -> Self {
        Self {
            id: format!("{}_{}_ew1", now.as_millis(), Uuid::new_v4()),
            kind: ACCESS.into(),
            client_id: client_id.into(),
            user_id: user_id.into(),
            server: "ims-na1".into(),
            scope: scope.into(),
            created_at: now.as_millis().to_string(),
            expires_in: LIFETIME.as_millis().to_string(),
        }
    }

    /// Verifies the signature of a token and returns its claims, even if it has expired. A token of
    /// an earlier release counts as expired.
    pub fn read(token: &str, key: Option<&RsaKey>) -> Result<Self, InvalidToken> {
        let token = Jwt::split(token).ok_or(InvalidToken::Foreign)?;
        let claims: Self = token.claims().ok_or(InvalidToken::Foreign)?;
        if token.has_header(EARLIER_HEADER) {
            return Err(InvalidToken::Expired);
        }
        let is_good = claims.kind == ACCESS && key.is_some_and(|key| token.is_signed_by(key));
        if is_good { Ok(claims) } else { Err(InvalidToken::Foreign) }
    }

    /// Returns when the token expires.
    fn expires_at(&self) -> Option<Timestamp> {
        let created_at = Timestamp::from_millis(self.created_at.parse().ok()?);
        created_at.checked_add(Duration::from_millis(self.expires_in.parse().ok()?))
    }

    /// Returns whether the token is expired. A token that was issued more than one lifetime in the
    /// future also counts as expired: a reset can set the clock back, and such a token would then
    /// be valid for much longer than others.
    fn is_expired(&self, now: Timestamp) -> bool {
        let latest = now.checked_add(LIFETIME).and_then(|tomorrow| tomorrow.checked_add(LIFETIME));
        self.expires_at().is_none_or(|end| end <= now || latest.is_some_and(|latest| end > latest))
    }
}

/// Why a token is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.as_str())]
pub enum InvalidToken {
    /// It was not issued by this emulator, or is not an access token.
    Foreign,
    /// Its time is over.
    Expired,
    /// Somebody made it invalid.
    Invalidated,
    /// It was given to another client than the one that is named.
    OtherClient,
}

impl InvalidToken {
    /// The reason, as IMS tells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Foreign => "bad_signature",
            Self::Expired => "token_expired",
            Self::Invalidated => "token_invalidated",
            Self::OtherClient => "client_id_mismatch",
        }
    }
}

/// Why a token was not read.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It is not good.
    #[error(transparent)]
    Bad(#[from] InvalidToken),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes access tokens and reads them.
pub struct AccessTokens {
    engine: Arc<Engine>,
    signer: Signer,
    /// The claims of tokens whose signatures have been verified.
    verified: Cache<String, Arc<AccessClaims>>,
    /// The invalidated tokens: expiry time and identifier. They are only in memory.
    invalidated: Mutex<BTreeSet<(Timestamp, String)>>,
}

impl AccessTokens {
    /// Tokens under the key of an engine, on its clock.
    #[must_use]
    pub fn new(engine: Arc<Engine>) -> Self {
        let signer = Signer::new(engine.signing_key()).for_purpose(PURPOSE);
        let verified = Cache::new(MOST_VERIFIED);
        Self { engine, signer, verified, invalidated: Mutex::default() }
    }

    /// Returns a token for a client, good from now on.
    pub async fn issue(
        &self,
        client_id: &str,
        user_id: &str,
        scope: &str,
    ) -> Result<String, StoreError> {
        let key = self.engine.stored_token_key().await?;
        jwt::sign(&key, &AccessClaims::new(client_id, user_id, scope, self.engine.now()))
    }

    /// Returns a token for a known client, with the usual scope.
    pub async fn issue_to(&self, client: &Client) -> Result<String, StoreError> {
        self.issue(&client.client_id, &client.technical_account_id, DEFAULT_SCOPE).await
    }

    /// Returns the claims of a valid token, or why the token is invalid.
    pub async fn read(&self, token: &str) -> Result<Arc<AccessClaims>, TokenError> {
        let claims = self.verify(token).await?;
        let end = claims.expires_at().ok_or(InvalidToken::Foreign)?;
        if claims.is_expired(self.engine.now()) {
            Err(InvalidToken::Expired.into())
        } else if self.invalidated().contains(&(end, claims.id.clone())) {
            Err(InvalidToken::Invalidated.into())
        } else {
            Ok(claims)
        }
    }

    async fn verify(&self, token: &str) -> Result<Arc<AccessClaims>, TokenError> {
        if let Some(claims) = self.verified.get(token) {
            return Ok(claims);
        }
        let key = self.engine.find_token_key().await?;
        let claims = Arc::new(AccessClaims::read(token, key.as_deref())?);
        self.verified.insert(token.to_owned(), claims.clone());
        Ok(claims)
    }

    /// Invalidates a token until the emulator exits. If too many are remembered, the one that
    /// expires first is forgotten.
    pub fn invalidate(&self, claims: &AccessClaims) {
        let Some(end) = claims.expires_at() else { return };
        let now = self.engine.now();
        let mut invalidated = self.invalidated();
        invalidated.retain(|(end, _)| *end > now);
        invalidated.insert((end, claims.id.clone()));
        if invalidated.len() > MOST_INVALIDATED {
            invalidated.pop_first();
        }
    }

    fn invalidated(&self) -> MutexGuard<'_, BTreeSet<(Timestamp, String)>> {
        self.invalidated.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether a secret is the expected one. Takes constant time, so that callers can't
    /// guess it from the response time.
    pub(super) fn is_same_secret(&self, expected: &str, given: &str) -> bool {
        self.signer.is_same(expected, given)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::access::file_token::FileTokens;

    fn encode(bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn claims() -> AccessClaims {
        AccessClaims::new("ci", "ci@techacct.adobe.com", "openid", Timestamp::EPOCH)
    }

    #[test]
    fn a_token_is_good_for_a_day() {
        let end = Timestamp::EPOCH + LIFETIME;
        assert!(!claims().is_expired(Timestamp::EPOCH));
        assert!(!claims().is_expired(Timestamp::from_millis(end.as_millis() - 1)));
        assert!(claims().is_expired(end));
        let from = |at| AccessClaims::new("ci", "ci@techacct.adobe.com", "openid", at);
        assert!(!from(end).is_expired(Timestamp::EPOCH), "the clock was set back by a day");
        let much_later = Timestamp::from_millis(end.as_millis() + 1);
        assert!(from(much_later).is_expired(Timestamp::EPOCH));
    }

    #[test]
    fn only_tokens_that_were_made_here_for_this_purpose_are_read() {
        let key = RsaKey::generate().unwrap();
        let token = jwt::sign(&key, &claims()).unwrap();
        let parts: Vec<_> = token.split('.').collect();
        let header = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[0]).unwrap()).unwrap();
        let unsigned = encode(br#"{"alg":"none","typ":"JWT"}"#);
        let other = encode(header.replace("RS256", "RS512").as_bytes());
        let refresh = AccessClaims { kind: "refresh_token".into(), ..claims() };
        let signed = |text: &str| format!("{text}.{}", encode(&key.sign(text.as_bytes()).unwrap()));
        let read = |token: &str| AccessClaims::read(token, Some(&key));
        assert!(read(&signed(&format!("{}.{}", parts[0], parts[1]))).is_ok());
        for forged in [
            String::new(),
            "..".into(),
            format!("{unsigned}.{}.", parts[1]),
            format!("{unsigned}.{}.{}", parts[1], parts[2]),
            signed(&format!("{unsigned}.{}", parts[1])),
            signed(&format!("{other}.{}", parts[1])),
            jwt::sign(&key, &refresh).unwrap(),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{}.{}.{}", parts[0], parts[1], &parts[2][..22]),
            format!("{token}A"),
            format!("{token}.{}", parts[2]),
        ] {
            assert_eq!(read(&forged), Err(InvalidToken::Foreign), "{forged}");
        }
        let earlier = format!("{}.{}.{}", encode(EARLIER_HEADER.as_bytes()), parts[1], parts[2]);
        assert_eq!(read(&earlier), Err(InvalidToken::Expired));
        let other = RsaKey::generate().unwrap();
        assert_eq!(AccessClaims::read(&token, Some(&other)), Err(InvalidToken::Foreign));
        assert_eq!(AccessClaims::read(&token, None), Err(InvalidToken::Foreign));
        assert!(FileTokens::new(b"key").read(&token).is_none());
        assert!(FileTokens::new(b"key").read(parts[1]).is_none());
    }
}
