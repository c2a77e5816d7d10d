//! HAL: links and lists.

use serde::Serialize;
use utoipa::ToSchema;

/// A link. Its `href` is a path on the same server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = HalLink)]
pub struct Link {
    /// Where it leads.
    href: String,
    /// Whether `href` is a URI template (RFC 6570).
    templated: bool,
}

impl Link {
    /// A link to a path.
    #[must_use]
    pub fn to(href: impl Into<String>) -> Self {
        Self { href: href.into(), templated: false }
    }

    /// A link whose `href` is a template.
    #[must_use]
    pub fn template(href: impl Into<String>) -> Self {
        Self { href: href.into(), templated: true }
    }
}

/// The links of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ListLinks {
    /// This page.
    #[serde(rename = "self")]
    pub this: Link,
    /// The next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Link>,
    /// The page before, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<Link>,
}
