//! Tests of the state machine of executions alone: no database, no HTTP, no clock.
//!
//! `table` says what every input does in every state. `properties` lets random executions go
//! random ways and compares them with `model`, a second account of the rules. docs/invariants.md
//! names what holds for all of them.

mod body;
mod course;
mod duel;
mod expected;
mod given;
mod invariants;
mod model;
mod pauses;
mod properties;
mod re_execution;
mod rules;
mod seed;
mod setup;
mod state;
mod step;
mod strategies;
mod table;
mod work;
