//! Tests of the whole application through its HTTP surface. The tree mirrors the URLs.

mod api;
mod app;
mod clients;
mod connections;
mod control;
mod crash;
mod description;
mod events;
mod exec;
mod failures;
mod fields;
mod files;
mod hostile;
mod ims;
#[cfg(target_os = "linux")]
mod io_faults;
mod isolation;
mod limits;
mod log;
mod migration;
mod official;
mod operations;
mod origin;
mod paths;
mod process;
mod progress;
mod receiver;
mod recovery;
mod restart;
mod schema;
mod secret_key;
mod signals;
mod stop;
mod structure;
mod wire;
mod workers;
