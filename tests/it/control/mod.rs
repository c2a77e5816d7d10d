//! `/_emulator`

mod batches;
mod clients;
mod clock;
mod commits;
mod damage;
pub mod deliveries;
mod environment;
mod events;
mod executions;
mod explain;
mod faults;
mod history;
mod instances;
mod large;
mod metrics;
mod overlapping;
mod program;
mod push_update;
mod redelivery;
mod requests;
mod rows;
mod scenario;
mod seed;
mod state;
mod wait;
mod webhooks;
