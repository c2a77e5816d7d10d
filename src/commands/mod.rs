//! The commands that ask a running emulator, or another Cloud Manager.

mod client;
pub mod import;
mod table;
mod watch;

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use crate::control::status::StatusView;
use client::EmulatorClient;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Nobody answers, or not as an emulator does.
    #[error("{url} does not answer as an emulator does: {reason}")]
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
    print(table::render(&status, &status.now, shows_colours()).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Succeeds if the emulator answers and is ready.
pub async fn check_health(url: &str) -> Result<ExitCode, CommandError> {
    let client = EmulatorClient::new(url)?;
    let _: serde_json::Value = client.get("/_emulator/health").await?;
    Ok(ExitCode::SUCCESS)
}

/// Returns whether stdout shows colours: on a terminal, unless `NO_COLOR` forbids it.
fn shows_colours() -> bool {
    let is_forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal() && !is_forbidden
}

/// Writes to stdout. If its reader has left, that ends nothing.
pub fn print(text: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}
