//! Tests of the whole application through its HTTP surface. The tree mirrors the URLs.

mod api;
mod app;
mod clients;
mod control;
mod crash;
mod description;
mod events;
mod exec;
mod hostile;
mod ims;
mod isolation;
mod limits;
mod log;
mod migration;
mod operations;
mod process;
mod receiver;
mod recovery;
mod restart;
mod schema;
mod secret_key;
mod stop;
mod structure;
mod wire;
