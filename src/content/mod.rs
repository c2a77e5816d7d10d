//! What the emulator makes up, where Cloud Manager has real builds, scans, tests, deployments and
//! services: what they say and leave. All of it follows from plan, state and time, or from names
//! and time. Like the rules it is pure; nothing of it is stored.

pub mod artifact;
pub mod deployment;
pub mod environment_log;
pub mod message;
mod metric;
pub mod noise;
pub mod step_log;
