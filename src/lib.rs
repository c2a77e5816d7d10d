//! A local stand-in for Adobe Cloud Manager's REST API.

pub mod domain;
pub mod engine;
pub mod seed;
pub mod store;
