//! Why an application does not start, or stops by itself.

use std::io::ErrorKind;
use std::net::SocketAddr;

use crate::domain::invalid::InvalidFields;
use crate::log::FilterError;
use crate::store::StoreError;
use crate::tls::AuthorityError;
use crate::workers::WorkerFailed;

/// Why an application does not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The seed file can't be read.
    #[error("the seed file {path} can't be read: {error}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The seed file has mistakes.
    #[error("{}", .mistakes.0.iter().map(|m| format!("{path}: {m}")).collect::<Vec<_>>().join("\n"))]
    Seed {
        /// The file.
        path: String,
        /// What is wrong.
        mistakes: InvalidFields,
    },
    /// The address can't be listened on.
    #[error("can't listen on {address}: {error}{}", advice(option, error))]
    Listen {
        /// The option that names it.
        option: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        error: std::io::Error,
    },
    /// What is to be logged can't be read.
    #[error(transparent)]
    Log(#[from] FilterError),
    /// The temporary directory can't be made.
    #[error("can't create a temporary directory: {0}")]
    Temporary(std::io::Error),
    /// Nobody could be let in.
    #[error("--auth strict: there is no client to run the command as; add `clients` to the seed")]
    NoClient,
    /// The authority can't be used.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The database can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server failed.
    #[error("the server failed: {0}")]
    Serve(std::io::Error),
    /// A worker failed.
    #[error(transparent)]
    Worker(#[from] WorkerFailed),
}

/// Returns what to do where an address can't be listened on.
fn advice(option: &str, error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => format!(
            "; another program, perhaps another emulator, uses this port. \
             {option} 127.0.0.1:0 takes any free port"
        ),
        ErrorKind::AddrNotAvailable => {
            format!("; {option} 0.0.0.0:PORT takes every address of this machine")
        }
        ErrorKind::PermissionDenied => {
            format!("; this port needs privileges. {option} 127.0.0.1:0 takes any free port")
        }
        _ => String::new(),
    }
}

impl AppError {
    /// Returns the exit code of the program: 1 if a worker failed, 2 for anything else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Worker(_) => 1,
            _ => 2,
        }
    }
}
