//! How the lines of each kind of log are written.

use std::fmt::{self, Display, Formatter};

use crate::domain::noise::Noise;
use crate::domain::time::Timestamp;

use super::option::{LogName, Service};
use super::texts::{
    AGENTS, AUTHOR_FILES, AUTHOR_MESSAGES, AUTHOR_PAGES, INCIDENTS, Incident, Message, NOT_FOUND,
    PUBLISH_MESSAGES, SITE_FILES, SITE_PAGES, STILL_RUNNING, Thread,
};

const SECOND: i64 = 1000;

/// What the lines of a log have in common.
#[derive(Clone, Debug)]
pub(super) struct LineWriter {
    service: Service,
    name: LogName,
    day_starts_at: i64,
    /// `23.11.2026`.
    dotted: String,
    /// `23/Nov/2026`.
    slashed: String,
    /// `Mon Nov 23`.
    weekday: String,
    /// `2026`.
    year: String,
}

impl LineWriter {
    pub(super) fn new(service: Service, name: LogName, day: Timestamp) -> Self {
        Self {
            service,
            name,
            day_starts_at: day.as_millis(),
            dotted: day.strftime("%d.%m.%Y"),
            slashed: day.strftime("%d/%b/%Y"),
            weekday: day.strftime("%a %b %d"),
            year: day.strftime("%Y"),
        }
    }

    /// Returns a line with its line end.
    pub(super) fn write(&self, entry: &LineOrigin) -> String {
        format!("{}\n", Line { writer: self, entry })
    }
}

/// When a line is written, in milliseconds of the day, and what it follows from.
pub(super) struct LineOrigin {
    pub at: i64,
    pub noise: Noise,
    /// Its place among the lines of its minute.
    pub position: i64,
    /// Milliseconds since the line before it in its minute.
    pub since_last: i64,
}

/// A line without its line end.
struct Line<'a> {
    writer: &'a LineWriter,
    entry: &'a LineOrigin,
}

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.writer.name {
            LogName::AemError => self.aem_error(f),
            LogName::AemAccess => self.aem_access(f),
            LogName::AemRequest => self.aem_request(f),
            LogName::AemDispatcher => self.aem_dispatcher(f),
            LogName::HttpdError => self.httpd_error(f),
            LogName::HttpdAccess => self.httpd_access(f),
        }
    }
}

impl Line<'_> {
    fn aem_error(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let messages = match self.writer.service {
            Service::Author => AUTHOR_MESSAGES,
            Service::Publish | Service::Dispatcher => PUBLISH_MESSAGES,
        };
        let noise = self.entry.noise;
        let Message { level, thread, class, text, unit } =
            noise.pick(0, messages).unwrap_or(&STILL_RUNNING);
        let (date, time) = (&self.writer.dotted, TimeOfDay(self.entry.at));
        let millis = self.entry.at % SECOND;
        write!(f, "{date} {time}.{millis:03} *{level}* [")?;
        match thread {
            Thread::Named(name) => f.write_str(name)?,
            Thread::OfRequest => {
                let began = self.writer.day_starts_at + self.entry.at;
                let page = noise.pick(2, self.pages()).unwrap_or(&"/");
                write!(f, "{} [{began}] GET {page} HTTP/1.1", Address(noise))?;
            }
        }
        write!(f, "] {class} {text} {}{unit}", 1 + noise.below(1, 900))
    }

    fn aem_access(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (date, time) = (&self.writer.slashed, TimeOfDay(self.entry.at));
        let user = match self.writer.service {
            Service::Author => "author-user",
            Service::Publish | Service::Dispatcher => "-",
        };
        let LoggedRequest { address, path, status, size, agent, .. } = self.request();
        // AEM writes the time without brackets here.
        write!(
            f,
            "{address} - {user} {date}:{time} +0000 \"GET {path} HTTP/1.1\" {status} {size} \
             \"-\" \"{agent}\""
        )
    }

    fn aem_request(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (date, time) = (&self.writer.slashed, TimeOfDay(self.entry.at));
        let minute = self.entry.at / (60 * SECOND);
        write!(f, "{date}:{time} +0000 [{minute}] ")?;
        if self.entry.position == 0 {
            let page = self.entry.noise.pick(0, self.pages()).unwrap_or(&"/");
            write!(f, "-> GET {page} HTTP/1.1")
        } else {
            let noise = self.entry.noise;
            let status = if noise.below(0, 40) == 0 { 404 } else { 200 };
            write!(f, "<- {status} text/html;charset=utf-8 {}ms", self.entry.since_last)
        }
    }

    fn aem_dispatcher(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let LineWriter { weekday, year, .. } = self.writer;
        let time = TimeOfDay(self.entry.at);
        let LoggedRequest { path, status, millis, process, thread, .. } = self.request();
        write!(
            f,
            "[{weekday} {time} {year}] [I] [pid {process} (tid {thread})] \"GET {path}\" {status} \
             {millis}ms [publishfarm/0]"
        )
    }

    fn httpd_error(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let LineWriter { weekday, year, .. } = self.writer;
        let time = TimeOfDay(self.entry.at);
        let micros =
            (self.entry.at % SECOND) * 1000 + self.entry.noise.below(0, 1000).cast_signed();
        let LoggedRequest { address, process, thread, .. } = self.request();
        let noise = self.entry.noise;
        let Incident { module, text } = noise.pick(1, INCIDENTS).unwrap_or(&NOT_FOUND);
        let port = 49_152 + noise.below(2, 16_000);
        write!(
            f,
            "[{weekday} {time}.{micros:06} {year}] [{module}] [pid {process}:tid {thread}] \
             [client {address}:{port}] {text}"
        )
    }

    fn httpd_access(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (date, time) = (&self.writer.slashed, TimeOfDay(self.entry.at));
        let LoggedRequest { address, path, status, size, agent, .. } = self.request();
        write!(
            f,
            "{address} - - [{date}:{time} +0000] \"GET {path} HTTP/1.1\" {status} {size} \
             \"-\" \"{agent}\""
        )
    }

    fn pages(&self) -> &'static [&'static str] {
        match self.writer.service {
            Service::Author => AUTHOR_PAGES,
            Service::Publish | Service::Dispatcher => SITE_PAGES,
        }
    }

    fn request(&self) -> LoggedRequest {
        let noise = self.entry.noise;
        let files = match self.writer.service {
            Service::Author => AUTHOR_FILES,
            Service::Publish | Service::Dispatcher => SITE_FILES,
        };
        let paths = if noise.below(8, 2) == 0 { files } else { self.pages() };
        let path = noise.pick(0, paths).unwrap_or(&"/");
        let status = match noise.below(1, 40) {
            0 => 404,
            1..=4 => 304,
            _ => 200,
        };
        LoggedRequest {
            address: Address(noise),
            path,
            status,
            size: Size(if status == 304 { 0 } else { 500 + noise.below(2, 60_000) }),
            millis: 1 + noise.below(3, 250),
            process: 1200 + noise.below(4, 8),
            thread: 139_868_370_872_064 + noise.below(5, 16) * 8_392_704,
            agent: noise.pick(6, AGENTS).unwrap_or(&"-"),
        }
    }
}

/// A request that a line is about.
struct LoggedRequest {
    address: Address,
    path: &'static str,
    status: u16,
    size: Size,
    millis: u64,
    process: u64,
    thread: u64,
    agent: &'static str,
}

/// An address from the block that is reserved for documentation.
struct Address(Noise);

impl Display for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "203.0.113.{}", 1 + self.0.below(7, 254))
    }
}

/// The length of an answer's body in bytes.
struct Size(u64);

impl Display for Size {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { f.write_str("-") } else { self.0.fmt(f) }
    }
}

/// The time of a millisecond of the day, to the second.
struct TimeOfDay(i64);

impl Display for TimeOfDay {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / SECOND;
        write!(f, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}
