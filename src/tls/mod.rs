//! TLS under the real names, with certificates of the emulator's own authority.

mod acceptor;
mod authority;
mod bundle;
mod files;
mod trust_store;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};

pub use acceptor::{Acceptor, Incoming};
pub use authority::Authority;
pub use bundle::{ClientTls, pem_of, system_bundle};
pub use files::AuthorityDirectory;
pub use trust_store::{TRUST_STORE_PASSWORD, trust_store};

/// Why an authority can't be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file can't be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Others could read or replace the key.
    #[error("{}: {why}", path.display())]
    Unsafe {
        /// The file or directory.
        path: PathBuf,
        /// Why it is refused.
        why: &'static str,
    },
    /// The file does not hold a usable authority.
    #[error(
        "{} holds no usable authority: {why}; `cloudmanager-emulator ca --renew` makes a new one, \
         which clients must trust again", path.display()
    )]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A certificate is not accepted.
    #[error("{0}")]
    Unusable(String),
    /// There is no place for the authority.
    #[error("the user's data directory is unknown: {0}; name a directory with --ca-dir")]
    NoDirectory(etcetera::HomeDirError),
    /// A key or certificate can't be made.
    #[error("a certificate can't be made: {0}")]
    Make(#[from] rcgen::Error),
}

/// Returns the implementation of the cryptography.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
