//! Webhooks: subscriptions to the events of a tenant's executions.

use std::collections::BTreeSet;
use std::fmt;

use url::Url;

use super::event::EventKind;
use super::id::{TenantId, WebhookId};

/// The name that stands for all events.
pub const ALL: &str = "all";

/// The names that a subscription may list.
pub const NAMES: [&str; 6] = [
    ALL,
    EventKind::ExecutionStarted.as_str(),
    EventKind::StepStarted.as_str(),
    EventKind::StepWaiting.as_str(),
    EventKind::StepEnded.as_str(),
    EventKind::ExecutionEnded.as_str(),
];

/// A subscription to the events of a tenant's executions, not yet stored.
#[derive(Clone, PartialEq, Eq)]
pub struct NewWebhook {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The subscriber, named in each event.
    pub client_id: String,
    /// Signs the deliveries.
    pub client_secret: String,
    /// Where events are delivered.
    pub url: String,
    /// The events that are wanted.
    pub events: BTreeSet<EventKind>,
}

/// A subscription to the events of a tenant's executions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its identifier.
    pub id: WebhookId,
    /// What is subscribed to, and by whom.
    pub subscription: NewWebhook,
}

impl fmt::Debug for NewWebhook {
    /// Without the secret, and without the address, which may hold one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewWebhook").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl NewWebhook {
    /// Returns whether another one is for the same tenant, subscriber and address.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        (self.tenant_id, &self.client_id, &self.url)
            == (other.tenant_id, &other.client_id, &other.url)
    }
}

/// Returns whether events can be delivered at an address: absolute, http or https.
#[must_use]
pub fn is_address(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// Returns the address without the password that may be in it.
#[must_use]
pub fn without_password(url: &str) -> String {
    match Url::parse(url) {
        Ok(mut parsed) if parsed.password().is_some() => {
            // An address with a password can have another one.
            let _ = parsed.set_password(Some("***"));
            parsed.to_string()
        }
        _ => url.to_owned(),
    }
}

/// Returns the names of events, as subscriptions list them.
#[must_use]
pub fn names(events: &BTreeSet<EventKind>) -> Vec<&'static str> {
    if events.len() == EventKind::ALL.len() {
        return vec![ALL];
    }
    events.iter().map(|event| event.as_str()).collect()
}

/// Returns the events that names stand for, or the names that stand for none.
pub fn events<'n>(
    names: impl IntoIterator<Item = &'n str>,
) -> Result<BTreeSet<EventKind>, Vec<&'n str>> {
    let mut events = BTreeSet::new();
    let mut unknown = Vec::new();
    for name in names {
        match name.parse() {
            Ok(event) => _ = events.insert(event),
            Err(_) if name == ALL => events.extend(EventKind::ALL),
            Err(_) => unknown.push(name),
        }
    }
    if unknown.is_empty() { Ok(events) } else { Err(unknown) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_absolute() {
        for url in ["http://127.0.0.1:9000/webhook", "https://example.com", "HTTP://[::1]/?a=b"] {
            assert!(is_address(url), "{url}");
        }
        for url in ["", "/webhook", "ftp://example.com", "http://", "http://a b/", "http://:80"] {
            assert!(!is_address(url), "{url}");
        }
    }

    #[test]
    fn the_password_in_an_address_is_not_told() {
        let hidden = without_password("http://user:pass@example.com:9000/hook?a=b");
        assert_eq!(hidden, "http://user:***@example.com:9000/hook?a=b");
        assert_eq!(without_password("http://user@example.com"), "http://user@example.com");
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        let end = "pipelineExecutionEnd";
        assert_eq!(names(&events([end, end]).unwrap()), [end]);
        assert_eq!(names(&events([end, "all"]).unwrap()), ["all"]);
        assert_eq!(events(["all", "none", "End"]), Err(vec!["none", "End"]));
        for event in EventKind::ALL {
            assert_eq!(event.as_str().parse(), Ok(event));
        }
    }
}
