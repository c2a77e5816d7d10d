//! The rules of Cloud Manager, pure: no I/O, no clock, no randomness; `now` is an argument.

pub mod build;
pub mod build_document;
pub mod certificate;
pub mod client;
pub mod delivery;
pub mod deployment;
pub mod environment;
pub mod event;
pub mod execution;
pub mod gate;
pub mod id;
pub mod invalid;
pub mod noise;
pub mod pace;
pub mod pipeline;
pub mod pipeline_update;
pub mod program;
pub mod repository;
pub mod role;
pub mod scenario;
pub mod scenario_document;
pub mod text;
pub mod time;
pub mod variable;
pub mod webhook;
pub mod word;
