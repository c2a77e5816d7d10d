//! Authentication and authorisation: access tokens, the gateway, and tokens for file downloads.

pub mod access_token;
pub mod event_signature;
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
    /// Everybody: any token and api key are accepted if the organisation exists. Every caller has
    /// all roles.
    #[default]
    Open,
    /// Only clients of the seed. Each needs a token from the emulator, its own api key and
    /// organisation, and a role that allows the operation.
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
    /// Returns the access control for an engine.
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
