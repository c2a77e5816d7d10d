//! Definitions: tenants, clients, programs and what is in them; each resource with its reads and
//! writes.

pub mod clients;
pub mod environments;
mod known;
mod phases;
pub mod pipelines;
pub mod programs;
mod purge;
pub mod repositories;
pub mod scenarios;
pub mod tenants;
pub mod variables;

pub use purge::purge;
