//! Executions: commands to them, what time does to them, reading them and waiting for them.

pub mod commands;
pub(super) mod epochs;
pub(super) mod history;
mod memory;
pub mod read;
pub(super) mod save;
pub(super) mod scheduler;
pub mod wait;
