//! RSA keys, made when they are first needed and kept in the database.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::ParsedPublicKey;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use tokio::sync::OnceCell;

use super::write::Write;
use super::{Engine, outcome_of, run_to_the_end};
use crate::store::{StoreError, keys};

/// An RSA key of 2048 bits.
pub struct RsaKey {
    pair: KeyPair,
    public: ParsedPublicKey,
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaKey").finish_non_exhaustive()
    }
}

/// Returns the error for a key that can't be made or used.
fn unusable<E>(_: E) -> StoreError {
    StoreError::Unreadable("an RSA key can't be made or used".into())
}

impl RsaKey {
    /// Makes a key. This takes much time.
    pub fn generate() -> Result<Self, StoreError> {
        Self::new(KeyPair::generate(KeySize::Rsa2048).map_err(unusable)?)
    }

    fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, StoreError> {
        Self::new(KeyPair::from_pkcs8(pkcs8).map_err(unusable)?)
    }

    fn new(pair: KeyPair) -> Result<Self, StoreError> {
        let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key());
        Ok(Self { public: public.map_err(unusable)?, pair })
    }

    /// Returns the modulus, big endian and without leading zeros.
    #[must_use]
    pub fn modulus(&self) -> &[u8] {
        self.pair.public_key().modulus().big_endian_without_leading_zero()
    }

    /// Returns the public exponent, big endian and without leading zeros.
    #[must_use]
    pub fn exponent(&self) -> &[u8] {
        self.pair.public_key().exponent().big_endian_without_leading_zero()
    }

    /// Returns the public key, as X.509 has it.
    pub fn public_der(&self) -> Result<Vec<u8>, StoreError> {
        let der: PublicKeyX509Der<'_> = self.pair.public_key().as_der().map_err(unusable)?;
        Ok(der.as_ref().to_vec())
    }

    /// Signs a message with SHA-256 (RS256).
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let signed =
            self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
        signed.map_err(unusable)?;
        Ok(signature)
    }

    /// Returns whether this key has signed a message.
    #[must_use]
    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(message, signature).is_ok()
    }
}

/// A key in memory.
#[derive(Debug)]
struct KeptKey {
    /// Its name in the database.
    name: &'static str,
    key: OnceCell<Arc<RsaKey>>,
    /// Set when the key is in the database.
    stored: OnceCell<()>,
}

impl KeptKey {
    fn new(name: &'static str) -> Self {
        Self { name, key: OnceCell::new(), stored: OnceCell::new() }
    }
}

/// The keys of an engine.
#[derive(Debug)]
pub(super) struct Keys {
    /// Signs access tokens.
    tokens: KeptKey,
    /// Both sign events.
    events: [KeptKey; 2],
}

impl Default for Keys {
    fn default() -> Self {
        let events = [KeptKey::new("events1"), KeptKey::new("events2")];
        Self { tokens: KeptKey::new("tokens"), events }
    }
}

/// Chooses a key of an engine.
type Choice = fn(&Engine) -> &KeptKey;

const TOKENS: Choice = |engine| &engine.keys.tokens;

const EVENTS: [Choice; 2] = [|engine| &engine.keys.events[0], |engine| &engine.keys.events[1]];

impl Engine {
    /// Returns the key that signs access tokens, to show it.
    pub async fn token_key(self: &Arc<Self>) -> Result<Arc<RsaKey>, StoreError> {
        self.key(TOKENS).await
    }

    /// Returns the key that signs access tokens, to sign one.
    pub async fn stored_token_key(self: &Arc<Self>) -> Result<Arc<RsaKey>, StoreError> {
        self.stored_key(TOKENS).await
    }

    /// Returns the key that signs access tokens, or `None` if it was not made yet.
    pub async fn find_token_key(self: &Arc<Self>) -> Result<Option<Arc<RsaKey>>, StoreError> {
        let KeptKey { key, name, .. } = TOKENS(self);
        let is_made = key.initialized() || keys::find(&self.database, name).await?.is_some();
        if is_made { self.token_key().await.map(Some) } else { Ok(None) }
    }

    /// Returns the two keys that sign events, to show them.
    pub async fn event_keys(self: &Arc<Self>) -> Result<[Arc<RsaKey>; 2], StoreError> {
        let [first, second] = EVENTS;
        Ok([self.key(first).await?, self.key(second).await?])
    }

    /// Returns the two keys that sign events, to sign one.
    pub async fn stored_event_keys(self: &Arc<Self>) -> Result<[Arc<RsaKey>; 2], StoreError> {
        let [first, second] = EVENTS;
        Ok([self.stored_key(first).await?, self.stored_key(second).await?])
    }

    /// Returns a key. The first call makes it, on a thread of its own; others wait for that. It is
    /// not stored: reads change nothing in the database.
    async fn key(self: &Arc<Self>, choice: Choice) -> Result<Arc<RsaKey>, StoreError> {
        if let Some(key) = choice(self).key.get() {
            return Ok(key.clone());
        }
        let engine = self.clone();
        // It ends even if the caller leaves, so that a key is made only once.
        run_to_the_end(self, async move {
            let kept = choice(&engine);
            kept.key.get_or_try_init(|| load_or_make(&engine, kept)).await.cloned()
        })
        .await
    }

    /// Returns a key that is in the database, so that what it signs is good after a restart.
    async fn stored_key(self: &Arc<Self>, choice: Choice) -> Result<Arc<RsaKey>, StoreError> {
        let key = self.key(choice).await?;
        if choice(self).stored.get().is_none() {
            let (engine, key) = (self.clone(), key.clone());
            run_to_the_end(self, async move {
                let kept = choice(&engine);
                kept.stored.get_or_try_init(|| store(&engine, kept.name, &key)).await.copied()
            })
            .await?;
        }
        Ok(key)
    }
}

/// Returns the stored key, or a new one if there is none.
async fn load_or_make(engine: &Engine, kept: &KeptKey) -> Result<Arc<RsaKey>, StoreError> {
    let key = if let Some(pkcs8) = keys::find(&engine.database, kept.name).await? {
        kept.stored.get_or_init(async || ()).await;
        RsaKey::from_pkcs8(&pkcs8)?
    } else {
        outcome_of(tokio::task::spawn_blocking(RsaKey::generate).await)??
    };
    Ok(Arc::new(key))
}

async fn store(engine: &Arc<Engine>, name: &str, key: &RsaKey) -> Result<(), StoreError> {
    let pkcs8 = key.pair.as_der().map_err(unusable)?;
    let mut write = Write::begin(engine).await?;
    keys::insert(&mut write.tx, name, pkcs8.as_ref()).await?;
    write.commit().await
}
