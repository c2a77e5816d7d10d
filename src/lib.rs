//! A local emulator of Adobe Cloud Manager's REST API. ARCHITECTURE.md is the map.

pub mod access;
pub mod api;
pub mod app;
pub mod banner;
pub mod commands;
pub mod config;
pub mod console;
pub mod content;
pub mod control;
pub mod domain;
pub mod engine;
pub mod events;
pub mod exec;
pub mod extract;
pub mod http;
pub mod input;
pub mod log;
pub mod openapi;
pub mod schema;
pub mod seed;
pub mod server;
pub mod service;
pub mod stop;
pub mod store;
pub mod traffic;
pub mod workers;
