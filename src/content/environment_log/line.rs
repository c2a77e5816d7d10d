//! How the lines of each kind of log are written.

use std::fmt::{self, Display, Formatter};

use crate::content::noise::Noise;
use crate::domain::time::Timestamp;

use super::{Entry, LogName, Service};

const SECOND: i64 = 1000;

/// What the lines of a log have in common.
#[derive(Clone, Debug)]
pub(super) struct Writer {
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

impl Writer {
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

    /// A line with its line end.
    pub(super) fn write(&self, entry: &Entry) -> String {
        format!("{}\n", Line { writer: self, entry })
    }
}

/// A line without its line end.
struct Line<'a> {
    writer: &'a Writer,
    entry: &'a Entry,
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
        let (date, time) = (&self.writer.dotted, Clock(self.entry.at));
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
        let (date, time) = (&self.writer.slashed, Clock(self.entry.at));
        let user = match self.writer.service {
            Service::Author => "author-user",
            Service::Publish | Service::Dispatcher => "-",
        };
        let Request { address, path, status, size, agent, .. } = self.request();
        // AEM writes the time without brackets here.
        write!(
            f,
            "{address} - {user} {date}:{time} +0000 \"GET {path} HTTP/1.1\" {status} {size} \
             \"-\" \"{agent}\""
        )
    }

    fn aem_request(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (date, time) = (&self.writer.slashed, Clock(self.entry.at));
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
        let Writer { weekday, year, .. } = self.writer;
        let time = Clock(self.entry.at);
        let Request { path, status, millis, process, thread, .. } = self.request();
        write!(
            f,
            "[{weekday} {time} {year}] [I] [pid {process} (tid {thread})] \"GET {path}\" {status} \
             {millis}ms [publishfarm/0]"
        )
    }

    fn httpd_error(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Writer { weekday, year, .. } = self.writer;
        let time = Clock(self.entry.at);
        let micros =
            (self.entry.at % SECOND) * 1000 + self.entry.noise.below(0, 1000).cast_signed();
        let Request { address, process, thread, .. } = self.request();
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
        let (date, time) = (&self.writer.slashed, Clock(self.entry.at));
        let Request { address, path, status, size, agent, .. } = self.request();
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

    fn request(&self) -> Request {
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
        Request {
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
struct Request {
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
struct Clock(i64);

impl Display for Clock {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / SECOND;
        write!(f, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}

enum Thread {
    Named(&'static str),
    OfRequest,
}

/// A message of AEM: a text, a number and what the number counts.
struct Message {
    level: &'static str,
    thread: Thread,
    class: &'static str,
    text: &'static str,
    unit: &'static str,
}

const fn message(
    level: &'static str,
    thread: Thread,
    class: &'static str,
    text: &'static str,
    unit: &'static str,
) -> Message {
    Message { level, thread, class, text, unit }
}

const STILL_RUNNING: Message = message(
    "INFO",
    Thread::Named("sling-default-1-health"),
    "com.example.core.health.Heartbeat",
    "Still running; threads in use:",
    "",
);

const AUTHOR_MESSAGES: &[Message] = &[
    STILL_RUNNING,
    message(
        "INFO",
        Thread::Named("sling-threadpool-1-(apache-sling-job-thread-pool)-3"),
        "com.example.core.workflow.ThumbnailProcess",
        "Renditions are done after",
        " ms",
    ),
    message(
        "INFO",
        Thread::Named("sling-oak-observation-7"),
        "com.day.cq.replication.Agent.publish",
        "Replication of /content/site/en (ACTIVATE) took",
        " ms",
    ),
    message(
        "WARN",
        Thread::OfRequest,
        "org.apache.jackrabbit.oak.plugins.index.Cursors$TraversingCursor",
        "Traversed nodes without an index:",
        "",
    ),
    message(
        "ERROR",
        Thread::OfRequest,
        "com.example.core.servlets.SearchServlet",
        "No answer from the search service within",
        " ms",
    ),
];

const PUBLISH_MESSAGES: &[Message] = &[
    STILL_RUNNING,
    message(
        "INFO",
        Thread::OfRequest,
        "com.example.core.filters.LoggingFilter",
        "The page was rendered in",
        " ms",
    ),
    message(
        "INFO",
        Thread::Named("sling-default-3-com.example.core.schedulers.PriceImport"),
        "com.example.core.schedulers.PriceImport",
        "Imported prices:",
        "",
    ),
    message(
        "WARN",
        Thread::OfRequest,
        "com.example.core.models.NavigationModel",
        "Pages without a title:",
        "",
    ),
    message(
        "ERROR",
        Thread::OfRequest,
        "org.apache.sling.engine.impl.SlingRequestProcessorImpl",
        "service: The client went away after",
        " ms",
    ),
];

/// Something that a web server reports of a request.
struct Incident {
    module: &'static str,
    text: &'static str,
}

const NOT_FOUND: Incident = Incident {
    module: "core:info",
    text: "AH00128: File does not exist: /mnt/var/www/html/favicon.ico",
};

const INCIDENTS: &[Incident] = &[
    NOT_FOUND,
    Incident {
        module: "authz_core:error",
        text: "AH01630: client denied by server configuration: /mnt/var/www/html/server-status",
    },
    Incident { module: "reqtimeout:info", text: "AH01382: Request header read timeout" },
];

const AUTHOR_PAGES: &[&str] = &[
    "/sites.html/content",
    "/editor.html/content/site/en.html",
    "/content/site/en.html",
    "/assets.html/content/dam/site",
];

const AUTHOR_FILES: &[&str] = &["/libs/granite/csrf/token.json", "/bin/querybuilder.json"];

const SITE_PAGES: &[&str] =
    &["/content/site/en.html", "/content/site/en/products.html", "/content/site/de.html"];

const SITE_FILES: &[&str] = &[
    "/content/dam/site/logo.svg",
    "/etc.clientlibs/site/clientlibs/clientlib-site.css",
    "/etc.clientlibs/site/clientlibs/clientlib-site.js",
];

const AGENTS: &[&str] = &[
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) \
     Version/18.5 Safari/605.1.15",
    "curl/8.14.1",
];
