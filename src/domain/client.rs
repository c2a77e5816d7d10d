//! Clients: technical accounts that may get access tokens.

use std::collections::BTreeSet;
use std::fmt;

use super::certificate::Certificate;
use super::id::TenantId;
use super::role::Role;

/// A technical account that may sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct Client {
    /// Its api key.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Its account.
    pub technical_account_id: String,
    /// The tenant that it belongs to.
    pub tenant_id: TenantId,
    /// The certificate that its JWTs are signed under, if it is known.
    pub certificate: Option<Certificate>,
    /// What it may do.
    pub roles: BTreeSet<Role>,
}

impl fmt::Debug for Client {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}
