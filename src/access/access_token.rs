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

/// The scopes of a token for which none were asked.
pub(super) const USUAL_SCOPE: &str = "openid,AdobeID,read_organizations";

/// What the key that compares secrets is for.
const PURPOSE: &str = "secrets of clients";

/// How long a token is good.
const LIFETIME: Duration = Duration::from_days(1);

/// What a token is for.
pub(super) const ACCESS: &str = "access_token";

/// How many invalidated tokens are remembered.
const MOST_INVALIDATED: usize = 10_000;

/// Of how many tokens it is remembered that their signature is good: checking it takes longer than
/// most calls.
const MOST_VERIFIED: usize = 256;

/// The claims of an access token, with the names that IMS uses.
///
/// Unlike in responses, times are in milliseconds, as strings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessClaims {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    /// The client that it was given to, which is the api key.
    pub client_id: String,
    /// The client's account.
    pub user_id: String,
    #[serde(rename = "as")]
    server: String,
    scope: String,
    /// When it was given, in milliseconds.
    created_at: String,
    /// How long it is valid, in milliseconds.
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

    /// Returns what a token says, whether or not its time is over. A token of an earlier release
    /// counts as expired.
    pub fn read(token: &str, key: Option<&RsaKey>) -> Result<Self, BadToken> {
        let token = Jwt::split(token).ok_or(BadToken::Foreign)?;
        let claims: Self = token.claims().ok_or(BadToken::Foreign)?;
        if token.has_header(EARLIER_HEADER) {
            return Err(BadToken::Expired);
        }
        let is_good = claims.kind == ACCESS && key.is_some_and(|key| token.is_signed_by(key));
        if is_good { Ok(claims) } else { Err(BadToken::Foreign) }
    }

    /// From when on it is not good any more.
    fn end(&self) -> Option<Timestamp> {
        let created_at = Timestamp::from_millis(self.created_at.parse().ok()?);
        created_at.checked_add(Duration::from_millis(self.expires_in.parse().ok()?))
    }

    /// Returns whether its time is over. A reset may set the clock back by less than a token's lifetime
    /// without making tokens bad. Without a limit, those from much later would be good for much longer
    /// than others.
    fn is_over(&self, now: Timestamp) -> bool {
        let latest = now.checked_add(LIFETIME).and_then(|tomorrow| tomorrow.checked_add(LIFETIME));
        self.end().is_none_or(|end| end <= now || latest.is_some_and(|latest| end > latest))
    }
}

/// Why a token is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.as_str())]
pub enum BadToken {
    /// It was not made here, or for something else.
    Foreign,
    /// Its time is over.
    Expired,
    /// Somebody made it invalid.
    Invalidated,
    /// It was given to another client than the one that is named.
    OtherClient,
}

impl BadToken {
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
    Bad(#[from] BadToken),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes access tokens and reads them.
pub struct AccessTokens {
    engine: Arc<Engine>,
    signer: Signer,
    /// Tokens whose signatures are good, with what they say.
    verified: Cache<String, Arc<AccessClaims>>,
    /// The tokens that were made invalid, by their end, in memory alone.
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
        self.issue(&client.client_id, &client.technical_account_id, USUAL_SCOPE).await
    }

    /// Returns what a token says, or why it is not good.
    pub async fn read(&self, token: &str) -> Result<Arc<AccessClaims>, TokenError> {
        let claims = self.verify(token).await?;
        let end = claims.end().ok_or(BadToken::Foreign)?;
        if claims.is_over(self.engine.now()) {
            Err(BadToken::Expired.into())
        } else if self.invalidated().contains(&(end, claims.id.clone())) {
            Err(BadToken::Invalidated.into())
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

    /// Makes a token invalid until the emulator ends. Of too many the ones that end first are
    /// forgotten.
    pub fn invalidate(&self, claims: &AccessClaims) {
        let Some(end) = claims.end() else { return };
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

    /// Returns whether a secret is the expected one, in a time that tells nothing of either.
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
        assert!(!claims().is_over(Timestamp::EPOCH));
        assert!(!claims().is_over(Timestamp::from_millis(end.as_millis() - 1)));
        assert!(claims().is_over(end));
        let from = |at| AccessClaims::new("ci", "ci@techacct.adobe.com", "openid", at);
        assert!(!from(end).is_over(Timestamp::EPOCH), "the clock was set back by a day");
        let much_later = Timestamp::from_millis(end.as_millis() + 1);
        assert!(from(much_later).is_over(Timestamp::EPOCH));
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
            assert_eq!(read(&forged), Err(BadToken::Foreign), "{forged}");
        }
        let earlier = format!("{}.{}.{}", encode(EARLIER_HEADER.as_bytes()), parts[1], parts[2]);
        assert_eq!(read(&earlier), Err(BadToken::Expired));
        let other = RsaKey::generate().unwrap();
        assert_eq!(AccessClaims::read(&token, Some(&other)), Err(BadToken::Foreign));
        assert_eq!(AccessClaims::read(&token, None), Err(BadToken::Foreign));
        assert!(FileTokens::new(b"key").read(&token).is_none());
        assert!(FileTokens::new(b"key").read(parts[1]).is_none());
    }
}
