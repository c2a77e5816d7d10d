//! The log: on stderr, and the last of it in memory.

mod stderr;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;
use stderr::Queue;

/// How many entries are kept in memory.
const KEPT: usize = 50;

/// What goes to stderr.
static STDERR: Queue = Queue::new();

/// Begins to log to stderr, as much as `RUST_LOG` says; and to memory, if that is wanted, whatever
/// the emulator has to say. From now on panics, too, are told without waiting for whoever reads.
pub fn start(format: LogFormat, memory: Option<Recent>) {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("without a name").to_owned();
        let trace = Backtrace::capture();
        let is_captured = trace.status() == BacktraceStatus::Captured;
        let trace = if is_captured { format!("\n{trace}") } else { String::new() };
        say(&format!("thread '{name}' {panic}{trace}"));
    }));
    let asked = std::env::var("RUST_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let filter = asked.unwrap_or_else(|| Targets::new().with_default(LevelFilter::WARN));
    let stderr = fmt::layer().with_writer(|| Stderr).with_ansi(io::stderr().is_terminal());
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

/// Says something on stderr, after what has been logged. Nobody waits until it is written.
pub fn say(text: &str) {
    // There is a thread for it only if there is anything to say.
    if STDERR.needs_writer() {
        let write = || {
            if let Ok(output) = stderr::output() {
                STDERR.write_to(output);
            }
        };
        // Without the thread nothing can be said, and everything else goes on.
        let _ = std::thread::Builder::new().name("stderr".into()).spawn(write);
    }
    STDERR.add(format!("{text}\n").into_bytes());
}

/// Waits until all that was said has been written, unless nobody reads it.
pub fn finish() {
    STDERR.finish();
}

/// Writes entries to stderr.
struct Stderr;

impl Write for Stderr {
    /// An entry is written at once.
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        say(String::from_utf8_lossy(entry).trim_end_matches('\n'));
        Ok(entry.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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
