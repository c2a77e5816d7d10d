//! Access tokens: JWTs with the claims of IMS, which nobody else can make. None is stored.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::jwt::{self, Jwt};
use super::signer::Signer;
use crate::domain::client::Client;
use crate::domain::time::{Duration, Timestamp};

/// The header of every token. No other is read, so that nobody can choose how it is checked.
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// The scopes of a token for which none were asked.
pub(super) const USUAL_SCOPE: &str = "openid,AdobeID,read_organizations";

/// What the key of these tokens is for, told from that of all other signatures.
const PURPOSE: &str = "IMS access tokens";

/// How long a token is good.
const LIFETIME: Duration = Duration::from_days(1);

/// What a token is for.
pub(super) const ACCESS: &str = "access_token";

/// How many invalidated tokens are remembered.
const MOST_INVALIDATED: usize = 10_000;

/// What a token says, as IMS writes it.
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
    /// How long it is good, in milliseconds.
    expires_in: String,
}

impl AccessClaims {
    /// From when on it is not good any more.
    fn end(&self) -> Option<Timestamp> {
        let created_at = Timestamp::from_millis(self.created_at.parse().ok()?);
        created_at.checked_add(Duration::from_millis(self.expires_in.parse().ok()?))
    }
}

/// Why a token is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Makes access tokens and reads them.
pub struct AccessTokens {
    signer: Signer,
    /// The tokens that were made invalid, by their end, in memory alone.
    invalidated: Mutex<BTreeSet<(Timestamp, String)>>,
}

impl AccessTokens {
    /// With a key derived from this one.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let signer = Signer::new(key).for_purpose(PURPOSE);
        Self { signer, invalidated: Mutex::default() }
    }

    /// A token for a client, good from `now` on.
    #[must_use]
    pub fn issue(&self, client_id: &str, user_id: &str, scope: &str, now: Timestamp) -> String {
        let claims = AccessClaims {
            id: format!("{}_{}_ew1", now.as_millis(), Uuid::new_v4()),
            kind: ACCESS.into(),
            client_id: client_id.into(),
            user_id: user_id.into(),
            server: "ims-na1".into(),
            scope: scope.into(),
            created_at: now.as_millis().to_string(),
            expires_in: LIFETIME.as_millis().to_string(),
        };
        jwt::sign(&self.signer, HEADER, &claims)
    }

    /// A token for a known client, with the usual scope.
    #[must_use]
    pub fn issue_to(&self, client: &Client, now: Timestamp) -> String {
        self.issue(&client.client_id, &client.technical_account_id, USUAL_SCOPE, now)
    }

    /// What a token says, or why it is not good.
    pub fn read(&self, token: &str, now: Timestamp) -> Result<AccessClaims, BadToken> {
        let token = Jwt::split(token).filter(|token| token.is_signed_by(&self.signer, HEADER));
        let claims: Option<AccessClaims> = token.and_then(|token| token.claims());
        let claims = claims.filter(|claims| claims.kind == ACCESS).ok_or(BadToken::Foreign)?;
        let end = claims.end().ok_or(BadToken::Foreign)?;
        // A reset may set the clock back by less than a token's lifetime without making tokens bad.
        // Without a limit, those from much later would be good for much longer than others.
        let latest = now.checked_add(LIFETIME).and_then(|tomorrow| tomorrow.checked_add(LIFETIME));
        let is_from_later = latest.is_some_and(|latest| end > latest);
        if end <= now || is_from_later {
            Err(BadToken::Expired)
        } else if self.invalidated().contains(&(end, claims.id.clone())) {
            Err(BadToken::Invalidated)
        } else {
            Ok(claims)
        }
    }

    /// Makes a token invalid until the emulator ends. Of too many the ones that end first are
    /// forgotten.
    pub fn invalidate(&self, claims: &AccessClaims, now: Timestamp) {
        let Some(end) = claims.end() else { return };
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

    /// Whether a secret is the expected one, in a time that tells nothing of either.
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

    const NOW: Timestamp = Timestamp::EPOCH;

    fn encode(bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    #[test]
    fn a_token_is_good_for_a_day() {
        let tokens = AccessTokens::new(b"key");
        let token = tokens.issue("ci", "ci@techacct.adobe.com", "openid", NOW);
        let claims = tokens.read(&token, NOW).unwrap();
        assert_eq!((claims.client_id, claims.scope), ("ci".into(), "openid".into()));
        let end = NOW + LIFETIME;
        assert!(tokens.read(&token, Timestamp::from_millis(end.as_millis() - 1)).is_ok());
        assert_eq!(tokens.read(&token, end), Err(BadToken::Expired));
        let later = tokens.issue("ci", "ci@techacct.adobe.com", "openid", end);
        assert!(tokens.read(&later, NOW).is_ok(), "the clock was set back by a day");
        let much_later = Timestamp::from_millis(end.as_millis() + 1);
        let much_later = tokens.issue("ci", "ci@techacct.adobe.com", "openid", much_later);
        assert_eq!(tokens.read(&much_later, NOW), Err(BadToken::Expired));
    }

    #[test]
    fn only_tokens_that_were_made_here_for_this_purpose_are_read() {
        let tokens = AccessTokens::new(b"key");
        let token = tokens.issue("ci", "user", "", NOW);
        let parts: Vec<_> = token.split('.').collect();
        let unsigned = encode(br#"{"alg":"none","typ":"JWT"}"#);
        let other = encode(br#"{"typ":"JWT","alg":"HS256"}"#);
        let other = format!("{other}.{}", parts[1]);
        let refresh = tokens.issue("ci", "user", "", NOW);
        let refresh = URL_SAFE_NO_PAD.decode(refresh.split('.').nth(1).unwrap()).unwrap();
        let refresh = String::from_utf8(refresh).unwrap().replace(ACCESS, "refresh_token");
        let refresh = format!("{}.{}", parts[0], encode(refresh.as_bytes()));
        let signed =
            |text: &str| format!("{text}.{}", encode(&tokens.signer.sign(text.as_bytes())));
        assert!(tokens.read(&signed(&format!("{}.{}", parts[0], parts[1])), NOW).is_ok());
        for forged in [
            String::new(),
            "..".into(),
            format!("{unsigned}.{}.", parts[1]),
            format!("{unsigned}.{}.{}", parts[1], parts[2]),
            signed(&format!("{unsigned}.{}", parts[1])),
            signed(&other),
            signed(&refresh),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{}.{}.{}", parts[0], parts[1], &parts[2][..22]),
            format!("{token}A"),
            format!("{token}.{}", parts[2]),
        ] {
            assert_eq!(tokens.read(&forged, NOW), Err(BadToken::Foreign), "{forged}");
        }
        assert_eq!(AccessTokens::new(b"other").read(&token, NOW), Err(BadToken::Foreign));
        assert!(FileTokens::new(b"key").read(&token).is_none());
        assert!(FileTokens::new(b"key").read(parts[1]).is_none());
    }
}
