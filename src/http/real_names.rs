//! The host names of Adobe's services that the emulator answers in their place.

/// The host of the API.
pub const API: &str = "cloudmanager.adobe.io";

/// The host of IMS.
pub const IMS: &str = "ims-na1.adobelogin.com";

/// The host of the git repositories.
pub const GIT: &str = "git.cloudmanager.adobe.com";

/// The host of the public keys of events.
pub const EVENT_KEYS: &str = "static.adobeioevents.com";

/// All of them.
pub const ALL: [&str; 4] = [API, IMS, GIT, EVENT_KEYS];

/// The base of absolute URLs under these names.
pub const API_URL: &str = "https://cloudmanager.adobe.io";

/// Returns whether a name is one of them. It may be written in any case, and with a dot at the end.
#[must_use]
pub fn is_real(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    ALL.iter().any(|real| real.eq_ignore_ascii_case(name))
}
