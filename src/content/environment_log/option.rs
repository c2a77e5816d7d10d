//! The logs that an environment offers.

use crate::domain::word::words;

words! {
    /// What writes logs in an environment.
    pub enum Service {
        /// The author instances.
        Author = "author",
        /// The publish instances.
        Publish = "publish",
        /// The dispatchers and their web servers.
        Dispatcher = "dispatcher",
    }
}

words! {
    /// What a log is about.
    pub enum LogName {
        /// What AEM says about itself.
        AemError = "aemerror",
        /// Each request that AEM answered.
        AemAccess = "aemaccess",
        /// Each request to AEM when it came and when it was answered.
        AemRequest = "aemrequest",
        /// Each request to the dispatcher and how it was served.
        AemDispatcher = "aemdispatcher",
        /// What the web server says about itself.
        HttpdError = "httpderror",
        /// Each request that the web server answered.
        HttpdAccess = "httpdaccess",
    }
}

/// A log that an environment offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOption {
    /// What writes it.
    pub service: Service,
    /// What it is about.
    pub name: LogName,
}

const fn option(service: Service, name: LogName) -> LogOption {
    LogOption { service, name }
}

impl LogOption {
    /// The logs of every environment, whatever its topology.
    pub const ALL: [Self; 9] = [
        option(Service::Author, LogName::AemError),
        option(Service::Author, LogName::AemAccess),
        option(Service::Author, LogName::AemRequest),
        option(Service::Publish, LogName::AemError),
        option(Service::Publish, LogName::AemAccess),
        option(Service::Publish, LogName::AemRequest),
        option(Service::Dispatcher, LogName::AemDispatcher),
        option(Service::Dispatcher, LogName::HttpdError),
        option(Service::Dispatcher, LogName::HttpdAccess),
    ];

    /// Returns the log of that name that a service writes.
    #[must_use]
    pub fn find(service: &str, name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|option| option.service.as_str() == service && option.name.as_str() == name)
    }
}
