//! The log: on stderr, and the last of it in memory.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;

/// How many entries are kept in memory.
const KEPT: usize = 50;

/// Begins to log to stderr, as much as `RUST_LOG` says; and to memory, if that is wanted, whatever
/// the emulator has to say.
pub fn start(format: LogFormat, memory: Option<Recent>) {
    let asked = std::env::var("RUST_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let filter = asked.unwrap_or_else(|| Targets::new().with_default(LevelFilter::WARN));
    let stderr = fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let stderr = match format {
        LogFormat::Text => stderr.boxed(),
        LogFormat::Json => stderr.json().boxed(),
    };
    let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), LevelFilter::DEBUG);
    let memory = memory.map(|recent| {
        fmt::layer().with_writer(recent).with_ansi(false).with_target(false).with_filter(ours)
    });
    tracing_subscriber::registry().with(stderr.with_filter(filter)).with(memory).init();
}

/// The last entries of the log.
#[derive(Clone, Debug, Default)]
pub struct Recent(Arc<Mutex<VecDeque<String>>>);

impl Recent {
    /// The entries, the oldest first, each with its line end.
    #[must_use]
    pub fn entries(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl<'a> MakeWriter<'a> for Recent {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for Recent {
    /// An entry is written at once.
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == KEPT {
            entries.pop_front();
        }
        entries.push_back(String::from_utf8_lossy(entry).into_owned());
        Ok(entry.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_entries_are_kept_in_order() {
        let recent = Recent::default();
        for number in 0..KEPT + 3 {
            recent.make_writer().write_all(format!("{number}\n").as_bytes()).unwrap();
        }
        let entries = recent.entries();
        assert_eq!(entries.len(), KEPT);
        assert_eq!((entries[0].as_str(), entries[KEPT - 1].as_str()), ("3\n", "52\n"));
    }
}
