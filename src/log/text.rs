//! The log as text: a line per entry, with the emulated time where there is one.

use std::borrow::Cow;
use std::fmt::{self, Debug, Write as _};

use anstyle::{AnsiColor, Style};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::terminal::{colour, styled, to_the_second};

/// The fields that are shown without their names.
const PLAIN: [&str; 5] = ["method", "path", "status", "step", "environment"];

/// The fields that are not shown, because only programs need them.
const HIDDEN: [&str; 1] = ["request_id"];

/// How the names of fields begin that say where in a library an entry comes from.
const OF_LIBRARIES: &str = "log.";

/// Writes entries as text.
pub(super) struct Text;

impl<S, N> FormatEvent<S, N> for Text
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut entry = LogEntry::default();
        event.record(&mut entry);
        let level = *event.metadata().level();
        let styles = if writer.has_ansi_escapes() { Styles::of(level, &entry) } else { PLAINLY };
        if !entry.at.is_empty() {
            write!(writer, "{}  ", styled(styles.aside, &to_the_second(&entry.at)))?;
        }
        if level <= Level::WARN {
            write!(writer, "{} ", styled(styles.level, level.as_str()))?;
        }
        writer.write_str(&styled(styles.text, entry.text.trim_end()))?;
        if !entry.further.is_empty() {
            write!(writer, "  {}", styled(styles.aside, entry.further.trim_end()))?;
        }
        writer.write_char('\n')
    }
}

/// The parts of an entry.
#[derive(Default)]
struct LogEntry {
    /// The emulated time.
    at: String,
    /// The message and the fields without names.
    text: String,
    /// The other fields.
    further: String,
    /// Whether it is about something that went wrong.
    is_bad: bool,
    /// Whether it is about something that waits for a person.
    is_waiting: bool,
}

impl LogEntry {
    fn record(&mut self, name: &str, value: &str) {
        let value = printable(value);
        // Writing to a string can't fail.
        let _ = match name {
            "at" => {
                self.at = value.into_owned();
                Ok(())
            }
            "message" => write!(self.text, "{value} "),
            _ if HIDDEN.contains(&name) || name.starts_with(OF_LIBRARIES) => Ok(()),
            _ if PLAIN.contains(&name) => {
                self.classify(name, &value);
                write!(self.text, "{value} ")
            }
            _ => {
                // Statements of SQL have several lines.
                let words: Vec<_> = value.split_whitespace().collect();
                write!(self.further, "{name}={} ", words.join(" "))
            }
        };
    }

    fn classify(&mut self, name: &str, value: &str) {
        if name == "status" {
            let is_error_code = value.parse().is_ok_and(|code: u16| code >= 400);
            self.is_bad |= is_error_code || ["FAILED", "ERROR", "CANCELLED"].contains(&value);
            self.is_waiting |= value == "WAITING";
        }
    }
}

impl Visit for LogEntry {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record(field.name(), &format!("{value:?}"));
    }
}

/// Returns a text whose control characters can't change the terminal.
fn printable(text: &str) -> Cow<'_, str> {
    let is_control = |c: char| c.is_control() && c != '\n';
    if !text.contains(is_control) {
        return text.into();
    }
    let escape = |c: char| match c {
        c if is_control(c) => c.escape_default().to_string(),
        c => c.to_string(),
    };
    text.chars().map(escape).collect::<String>().into()
}

/// The styles of an entry.
struct Styles {
    level: Style,
    text: Style,
    aside: Style,
}

/// No styles.
const PLAINLY: Styles = Styles { level: Style::new(), text: Style::new(), aside: Style::new() };

impl Styles {
    fn of(level: Level, entry: &LogEntry) -> Self {
        let text = match entry {
            LogEntry { is_bad: true, .. } => colour(AnsiColor::Red),
            LogEntry { is_waiting: true, .. } => colour(AnsiColor::Yellow),
            _ => Style::new(),
        };
        let level = if level == Level::ERROR { AnsiColor::Red } else { AnsiColor::Yellow };
        Self { level: colour(level).bold(), text, aside: Style::new().dimmed() }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::fmt;

    use super::super::Recent;
    use super::*;

    fn text_of(ansi: bool, log: impl FnOnce()) -> String {
        let recent = Recent::default();
        let subscriber =
            fmt().with_ansi(ansi).event_format(Text).with_writer(recent.clone()).finish();
        tracing::subscriber::with_default(subscriber, log);
        recent.entries().concat()
    }

    #[test]
    fn a_call_is_a_line_with_the_emulated_time() {
        let log = || {
            let at = "2026-11-23T01:15:06.692+0000";
            tracing::info!(at, method = %"PUT", path = "/x", status = 412, request_id = "r");
        };
        assert_eq!(text_of(false, log), "2026-11-23 01:15:06  PUT /x 412\n");
        let coloured = text_of(true, log);
        assert!(coloured.contains("\x1b[31mPUT /x 412\x1b[0m"), "{coloured:?}");
    }

    #[test]
    fn other_fields_are_named_and_the_level_of_warnings_is_shown() {
        let log = || tracing::warn!(error = "no space", "events are not delivered");
        assert_eq!(text_of(false, log), "WARN events are not delivered  error=no space\n");
        let log = || tracing::info!(statement = "SELECT 1\n  FROM t", "asked");
        assert_eq!(text_of(false, log), "asked  statement=SELECT 1 FROM t\n");
    }

    #[test]
    fn places_in_libraries_are_not_shown() {
        let log = || tracing::warn!(log.target = "a::b", log.line = 99, "no certificates");
        assert_eq!(text_of(false, log), "WARN no certificates\n");
    }

    #[test]
    fn control_characters_are_escaped() {
        let log = || tracing::info!("a\x1b[31mb\nc");
        assert_eq!(text_of(false, log), "a\\u{1b}[31mb\nc\n");
    }
}
