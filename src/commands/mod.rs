//! The commands that ask a running emulator, or another Cloud Manager.

mod client;
pub mod import;
mod table;
mod watch;

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use crate::control::status::StatusView;
use crate::log::shows_colours;
use client::EmulatorClient;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Nobody listens.
    #[error("nobody answers at {url}: {reason}; start an emulator there, or give another URL")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        reason: String,
    },
    /// The answer is not the expected one.
    #[error("{url} does not answer as expected: {reason}")]
    NoAnswer {
        /// Where.
        url: String,
        /// What happened instead.
        reason: String,
    },
    /// The emulator has stopped while it was watched.
    #[error("the emulator has stopped")]
    Stopped,
    /// Something can't be imported.
    #[error("{0}")]
    Import(String),
    /// A file can't be read.
    #[error("{path}: {error}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// The result can't be written.
    #[error("the output can't be written: {0}")]
    Write(#[from] io::Error),
}

/// Shows what runs, once or for as long as the emulator runs.
pub async fn status(url: &str, watch: bool) -> Result<ExitCode, CommandError> {
    let client = EmulatorClient::new(url)?;
    if watch {
        return watch::watch(&client).await;
    }
    let status: StatusView = client.get("/_emulator/status").await?;
    print(table::render(&status, &status.now, shows_colours(&io::stdout())).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Succeeds if the emulator answers and is ready.
pub async fn check_health(url: &str) -> Result<ExitCode, CommandError> {
    let client = EmulatorClient::new(url)?;
    let _: serde_json::Value = client.get("/_emulator/health").await?;
    Ok(ExitCode::SUCCESS)
}

/// Reads an absolute URL.
pub fn parse_url(text: &str) -> Result<String, &'static str> {
    let uri: Option<axum::http::Uri> = text.parse().ok();
    match uri.filter(|uri| uri.host().is_some()) {
        Some(uri) if matches!(uri.scheme_str(), Some("http" | "https")) => Ok(text.to_owned()),
        _ => Err("must be an absolute http or https URL, for example http://127.0.0.1:4600"),
    }
}

/// Writes to stdout. A reader that has left is no error.
pub fn print(text: &[u8]) -> io::Result<()> {
    match write(text) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Writes to stdout.
fn write(text: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text)?;
    stdout.flush()
}
