//! Who is let in, and how callers and readers of files show that they may.

pub mod access_token;
pub mod file_token;
pub mod gateway;
pub mod ims;
mod jwt;
pub mod signer;

use std::ops::Deref;
use std::sync::Arc;

use clap::ValueEnum;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::client::Client;
use crate::engine::Engine;
use access_token::AccessTokens;

/// Who may call the API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// Any token and api key with a known organisation; every caller has all roles.
    #[default]
    Open,
    /// Only clients of the seed, with a token from the emulator, their api key, organisation and
    /// roles.
    Strict,
}

/// What the gateway and IMS need, shared by both.
#[derive(Clone)]
pub struct Access(Arc<AccessParts>);

/// See [`Access`].
pub struct AccessParts {
    engine: Arc<Engine>,
    tokens: AccessTokens,
    auth: Auth,
}

impl Access {
    /// Access to an engine for those who are let in.
    #[must_use]
    pub fn new(engine: Arc<Engine>, auth: Auth) -> Self {
        let tokens = AccessTokens::new(engine.clone());
        Self(Arc::new(AccessParts { engine, tokens, auth }))
    }

    /// Returns who may call the API.
    #[must_use]
    pub fn auth(&self) -> Auth {
        self.auth
    }

    /// Returns the client with this identifier and this secret.
    #[must_use]
    pub fn find_client(&self, id: &str, secret: &str) -> Option<Arc<Client>> {
        let client = self.engine.catalog().find_client(id).cloned();
        client.filter(|client| self.tokens.is_same_secret(&client.client_secret, secret))
    }

    /// Returns the access tokens.
    #[must_use]
    pub fn tokens(&self) -> &AccessTokens {
        &self.tokens
    }
}

impl Deref for Access {
    type Target = AccessParts;

    fn deref(&self) -> &AccessParts {
        &self.0
    }
}
