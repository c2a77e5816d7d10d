//! Generated content in place of the output of real builds, scans, tests, deployments and services:
//! logs, artifacts, messages. All of it is a pure function of plan, state and time, or of names and
//! time; nothing is stored.

pub mod artifact;
pub mod deployment;
pub mod environment_log;
pub mod message;
mod metric;
pub mod step_log;
