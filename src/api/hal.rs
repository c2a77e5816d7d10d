//! HAL: links and lists.

use serde::Serialize;
use utoipa::ToSchema;

/// A link. Its `href` is a path on the same server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = HalLink)]
pub struct Link {
    /// The target of the link.
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

    /// A link to any page of the list at a path, which may have a query.
    #[must_use]
    pub fn any_page(path: impl Into<String>) -> Self {
        let mut href = path.into();
        href.push(if href.contains('?') { '&' } else { '?' });
        href.push_str("start={start}&limit={limit}");
        Self::template(href)
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
    /// The previous page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<Link>,
}

/// The position of a page in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RequestedPageDetails)]
pub struct PageDetails {
    /// The number of items on a page.
    pub limit: u64,
    /// Always empty.
    pub property: [String; 0],
    /// The start of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
    /// The start of the previous page; absent on the first page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<u64>,
}

/// A list, or a page of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct List<E: ToSchema> {
    /// The number of items on all pages.
    #[serde(rename = "_totalNumberOfItems")]
    pub total: u64,
    /// The position of the page; only in lists with pages.
    #[serde(rename = "_page", skip_serializing_if = "Option::is_none")]
    pub page: Option<PageDetails>,
    /// The items.
    #[serde(rename = "_embedded")]
    pub embedded: E,
    /// Links to this page and its neighbours.
    #[serde(rename = "_links")]
    pub links: ListLinks,
}

impl<E: ToSchema> List<E> {
    /// A whole list at a path.
    #[must_use]
    pub fn whole(path: impl Into<String>, total: usize, embedded: E) -> Self {
        let path = path.into();
        let page = Link::any_page(path.clone());
        let links = ListLinks { this: Link::to(path), page, next: None, prev: None };
        Self { total: total as u64, page: None, embedded, links }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_continues_a_query() {
        assert_eq!(Link::any_page("/a").href, "/a?start={start}&limit={limit}");
        assert_eq!(Link::any_page("/a?type=dev").href, "/a?type=dev&start={start}&limit={limit}");
    }
}
