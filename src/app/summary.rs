//! How an application was started.

use crate::access::Auth;
use crate::domain::pace::Pace;

/// How an application was started, for people to read.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The URL of the server, for example `http://127.0.0.1:4600`.
    pub url: String,
    /// The URL for TLS, if there is one.
    pub tls: Option<String>,
    /// The URL of the proxy, if there is one.
    pub proxy: Option<String>,
    /// Where the data is.
    pub database: DatabasePlace,
    /// The seed file; none for the demo.
    pub seed: Option<String>,
    /// How long automated steps take.
    pub pace: Pace,
    /// How fast the clock runs.
    pub clock_rate: f64,
    /// Who may call the API.
    pub auth: Auth,
    /// An organisation that callers can name, if there is one.
    pub organisation: Option<String>,
}

/// Where the data of an application is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabasePlace {
    /// In a temporary file.
    Temporary,
    /// In a file that this start has created.
    New(String),
    /// In a file of an earlier start.
    Existing(String),
}

impl DatabasePlace {
    /// Returns the name of the file, if it has one to speak of.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Temporary => None,
            Self::New(name) | Self::Existing(name) => Some(name),
        }
    }

    /// Returns whether it was filled by this start.
    #[must_use]
    pub fn is_new(&self) -> bool {
        !matches!(self, Self::Existing(_))
    }
}
