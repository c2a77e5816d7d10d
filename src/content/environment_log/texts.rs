//! The texts of log lines: messages, requested paths and user agents.

pub(super) enum Thread {
    Named(&'static str),
    OfRequest,
}

/// A message of AEM: a text, a number and what the number counts.
pub(super) struct Message {
    pub level: &'static str,
    pub thread: Thread,
    pub class: &'static str,
    pub text: &'static str,
    pub unit: &'static str,
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

pub(super) const STILL_RUNNING: Message = message(
    "INFO",
    Thread::Named("sling-default-1-health"),
    "com.example.core.health.Heartbeat",
    "Still running; threads in use:",
    "",
);

pub(super) const AUTHOR_MESSAGES: &[Message] = &[
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

pub(super) const PUBLISH_MESSAGES: &[Message] = &[
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
pub(super) struct Incident {
    pub module: &'static str,
    pub text: &'static str,
}

pub(super) const NOT_FOUND: Incident = Incident {
    module: "core:info",
    text: "AH00128: File does not exist: /mnt/var/www/html/favicon.ico",
};

pub(super) const INCIDENTS: &[Incident] = &[
    NOT_FOUND,
    Incident {
        module: "authz_core:error",
        text: "AH01630: client denied by server configuration: /mnt/var/www/html/server-status",
    },
    Incident { module: "reqtimeout:info", text: "AH01382: Request header read timeout" },
];

pub(super) const AUTHOR_PAGES: &[&str] = &[
    "/sites.html/content",
    "/editor.html/content/site/en.html",
    "/content/site/en.html",
    "/assets.html/content/dam/site",
];

pub(super) const AUTHOR_FILES: &[&str] =
    &["/libs/granite/csrf/token.json", "/bin/querybuilder.json"];

pub(super) const SITE_PAGES: &[&str] =
    &["/content/site/en.html", "/content/site/en/products.html", "/content/site/de.html"];

pub(super) const SITE_FILES: &[&str] = &[
    "/content/dam/site/logo.svg",
    "/etc.clientlibs/site/clientlibs/clientlib-site.css",
    "/etc.clientlibs/site/clientlibs/clientlib-site.js",
];

pub(super) const AGENTS: &[&str] = &[
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) \
     Version/18.5 Safari/605.1.15",
    "curl/8.14.1",
];
