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

    /// A link to any page of the list at a path.
    #[must_use]
    pub fn any_page(path: impl std::fmt::Display) -> Self {
        Self::template(format!("{path}?start={{start}}&limit={{limit}}"))
    }
}

/// The links of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ListLinks {
    /// This page.
    #[serde(rename = "self")]
    pub this: Link,
    /// Any page: a template.
    pub page: Link,
    /// The next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Link>,
    /// The page before, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<Link>,
}

/// Which part of a list a page is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RequestedPageDetails)]
pub struct PageDetails {
    /// How many items a page has.
    pub limit: u64,
    /// Always empty.
    pub property: [String; 0],
    /// Where the next page starts; this one is the last if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
    /// Where the page before starts; this one is the first if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<u64>,
}

/// A list, or a page of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct List<E: ToSchema> {
    /// How many items there are on all pages.
    #[serde(rename = "_totalNumberOfItems")]
    pub total: u64,
    /// Which part of the list this is, for lists that have pages.
    #[serde(rename = "_page", skip_serializing_if = "Option::is_none")]
    pub page: Option<PageDetails>,
    /// The items.
    #[serde(rename = "_embedded")]
    pub embedded: E,
    /// This page and those beside it.
    #[serde(rename = "_links")]
    pub links: ListLinks,
}

impl<E: ToSchema> List<E> {
    /// A whole list at a path.
    #[must_use]
    pub fn whole(path: impl Into<String>, total: usize, embedded: E) -> Self {
        let path = path.into();
        let page = Link::any_page(&path);
        let links = ListLinks { this: Link::to(path), page, next: None, prev: None };
        Self { total: total as u64, page: None, embedded, links }
    }
}
