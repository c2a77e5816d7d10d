//! Executions: commands, changes by time, reads and waits.

pub mod commands;
pub(super) mod epochs;
pub(super) mod history;
mod memory;
pub mod read;
pub(super) mod save;
pub(super) mod scheduler;
pub mod wait;
