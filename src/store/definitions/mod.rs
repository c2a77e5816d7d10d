//! Definitions: tenants, clients, programs and what is in them.

mod change;
mod insert;
mod list;

use crate::domain::id::TenantId;
pub use change::*;
pub use insert::*;
pub use list::*;

/// A technical account that may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its api key.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Its account.
    pub technical_account_id: String,
    /// The tenant that it belongs to.
    pub tenant_id: TenantId,
    /// Names of its roles.
    pub roles: Vec<String>,
}
