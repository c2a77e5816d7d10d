//! The log: on stderr, and the last of it in memory.

mod stderr;
pub mod terminal;
mod text;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::collections::VecDeque;
use std::env::VarError;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use clap::ValueEnum;
use serde_json::json;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use stderr::Queue;
use text::Text;

/// How many entries are kept in memory.
const KEPT: usize = 50;

/// What goes to stderr.
static STDERR: Queue = Queue::new();

/// Whether everything on stderr is JSON.
static IS_JSON: AtomicBool = AtomicBool::new(false);

/// The format of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text for people.
    #[default]
    Text,
    /// One JSON object per line, for programs.
    Json,
}

/// What is logged, and how.
#[derive(Clone, Copy, Debug)]
pub struct LogOptions {
    /// The format.
    pub format: LogFormat,
    /// How much.
    pub verbosity: Verbosity,
}

/// How much is logged on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Warnings and errors.
    Quiet,
    /// Also calls that change something or fail, and changes of steps.
    Changes,
    /// Also calls that read.
    Reads,
    /// Also SQL statements.
    Sql,
}

impl Verbosity {
    fn targets(self) -> Targets {
        let ours = match self {
            Self::Quiet => LevelFilter::WARN,
            Self::Changes => LevelFilter::INFO,
            Self::Reads | Self::Sql => LevelFilter::DEBUG,
        };
        let sql = if self == Self::Sql { LevelFilter::DEBUG } else { LevelFilter::WARN };
        let others = Targets::new().with_default(LevelFilter::WARN);
        others.with_target(env!("CARGO_CRATE_NAME"), ours).with_target("sqlx", sql)
    }
}

/// `RUST_LOG` can't be read.
#[derive(Debug, thiserror::Error)]
#[error("RUST_LOG: {0}; write for example RUST_LOG=warn,cloudmanager_emulator=debug")]
pub struct FilterError(String);

/// Returns what `RUST_LOG` asks for, if it is set.
fn read_filter() -> Result<Option<Targets>, FilterError> {
    match std::env::var("RUST_LOG") {
        Err(VarError::NotPresent) => Ok(None),
        Err(error) => Err(FilterError(error.to_string())),
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => {
            text.parse().map(Some).map_err(|error: ParseError| FilterError(error.to_string()))
        }
    }
}

/// Begins to log to stderr, as much as the options or `RUST_LOG` say, and also to memory, if that
/// is wanted. From now on, panics are also written without waiting for the reader of stderr.
pub fn start(options: LogOptions, memory: Option<Recent>) -> Result<(), FilterError> {
    let LogOptions { format, verbosity } = options;
    IS_JSON.store(format == LogFormat::Json, Ordering::Relaxed);
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("without a name").to_owned();
        let trace = Backtrace::capture();
        let is_captured = trace.status() == BacktraceStatus::Captured;
        let trace = if is_captured { format!("\n{trace}") } else { String::new() };
        say(&format!("thread '{name}' {panic}{trace}"));
    }));
    let filter = read_filter()?.unwrap_or_else(|| verbosity.targets());
    let stderr = fmt::layer().with_writer(|| Stderr);
    let stderr = match format {
        LogFormat::Text => {
            stderr.with_ansi(shows_colours(&io::stderr())).event_format(Text).boxed()
        }
        LogFormat::Json => stderr.with_ansi(false).json().boxed(),
    };
    let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), LevelFilter::DEBUG);
    let memory = memory.map(|recent| {
        let layer = fmt::layer().with_writer(recent).with_ansi(false);
        layer.event_format(Text).with_filter(ours)
    });
    tracing_subscriber::registry().with(stderr.with_filter(filter)).with(memory).init();
    Ok(())
}

/// Returns whether the arguments ask for JSON, and then switches stderr to JSON. For arguments that
/// can't be parsed, so that even the error is written as JSON.
pub fn is_json_asked_for(arguments: &[OsString]) -> bool {
    let variable = std::env::var_os("CME_LOG_FORMAT").is_some_and(|format| format == "json");
    let is_asked_for = variable
        || arguments.iter().any(|argument| argument == "--log-format=json")
        || arguments.windows(2).any(|pair| pair[0] == "--log-format" && pair[1] == "json");
    IS_JSON.store(is_asked_for, Ordering::Relaxed);
    is_asked_for
}

/// Returns whether a stream shows colours: on a terminal, unless `NO_COLOR` forbids it.
pub fn shows_colours(stream: &impl IsTerminal) -> bool {
    let is_forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    stream.is_terminal() && !is_forbidden
}

/// Says something on stderr, after what has been logged. Nobody waits until it is written.
pub fn say(text: &str) {
    write(line_of(text));
}

/// Returns a text as an entry of the log: as it is, or as a line of JSON like those of tracing.
fn line_of(text: &str) -> Vec<u8> {
    if !IS_JSON.load(Ordering::Relaxed) {
        return format!("{text}\n").into_bytes();
    }
    let mut timestamp = String::new();
    // Writing to a string can't fail.
    let _ = SystemTime.format_time(&mut Writer::new(&mut timestamp));
    let target = env!("CARGO_CRATE_NAME");
    let fields = json!({ "message": text });
    let line =
        json!({"timestamp": timestamp, "level": "ERROR", "fields": fields, "target": target});
    format!("{line}\n").into_bytes()
}

/// Lets the thread that writes to stderr write an entry.
fn write(entry: Vec<u8>) {
    // There is a thread for it only if there is anything to write.
    if STDERR.claim_writer() {
        let write = || {
            if let Ok(output) = stderr::output() {
                STDERR.write_to(output);
            }
        };
        // Without the thread nothing can be written, and everything else goes on.
        let _ = std::thread::Builder::new().name("stderr".into()).spawn(write);
    }
    STDERR.add(entry);
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
        write(entry.to_vec());
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
