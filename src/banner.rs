//! What the program says on stderr when it starts.

use std::fmt;

use clap::ValueEnum;

use crate::app::{App, DatabasePlace, Summary};
use crate::log::{self, LogFormat};

/// The version of the program, with the commit if it is known.
pub const VERSION: &str = env!("CME_VERSION");

/// A few lines about the emulator that has just started.
pub struct Banner<'a>(&'a Summary);

impl<'a> Banner<'a> {
    /// Returns the banner of an application.
    #[must_use]
    pub fn new(app: &'a App) -> Self {
        Self(app.summary())
    }

    /// Writes it to stderr.
    pub fn show(&self, format: LogFormat) {
        let Self(summary) = self;
        let Summary { url, tls, proxy, database, seed, pace, clock_rate, auth, organisation } =
            summary;
        match format {
            LogFormat::Text => log::say(&self.to_string()),
            LogFormat::Json => tracing::info!(
                version = VERSION,
                url,
                tls,
                proxy,
                database = database.name(),
                is_new = database.is_new(),
                seed,
                pace = name_of(pace),
                clock_rate,
                auth = name_of(auth),
                organisation,
                "the emulator has started"
            ),
        }
    }
}

impl fmt::Display for Banner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(summary) = self;
        let Summary { url, tls, proxy, database, seed, pace, clock_rate, auth, organisation } =
            summary;
        writeln!(f, "Cloud Manager emulator {VERSION}")?;
        writeln!(f, "  address       {url}  (open it in a browser for the console)")?;
        if let Some(tls) = tls {
            writeln!(f, "  TLS           {tls}")?;
        }
        if let Some(proxy) = proxy {
            writeln!(f, "  proxy         {proxy}")?;
        }
        match database {
            DatabasePlace::Temporary => writeln!(f, "  database      temporary, deleted at exit")?,
            DatabasePlace::New(file) => writeln!(f, "  database      {file}, new")?,
            DatabasePlace::Existing(file) => writeln!(f, "  database      {file}, continued")?,
        }
        if database.is_new() {
            writeln!(f, "  seed          {}", seed.as_deref().unwrap_or("the demo data"))?;
        }
        writeln!(f, "  pace          {}, clock rate {clock_rate}", name_of(pace))?;
        writeln!(f, "  auth          {}", name_of(auth))?;
        let organisation = organisation.as_deref().unwrap_or("none");
        writeln!(f, "  organisation  {organisation}")?;
        let program = std::env::args().next().unwrap_or("cloudmanager-emulator".into());
        write!(f, "  try           {program} status --watch {url}")
    }
}

/// Returns the name of an option's value on the command line.
fn name_of(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
