//! Definitions: tenants, clients, programs and what is in them.

mod change;
mod insert;
mod list;

pub use change::*;
pub use insert::*;
pub use list::*;
