//! Tests of the whole application through its HTTP surface. The tree mirrors the URLs.

mod api;
mod app;
mod clients;
mod control;
mod crash;
mod description;
mod events;
mod exec;
mod failures;
mod hostile;
mod ims;
mod isolation;
mod official;
mod operations;
mod origin;
mod process;
mod receiver;
mod restart;
mod schema;
mod secret_key;
mod structure;
mod wire;
