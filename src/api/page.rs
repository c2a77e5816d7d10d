//! Pages of lists: `start` and `limit`.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use utoipa::IntoParams;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::hal::{Link, ListLinks, PageDetails};
use crate::http::api_path::ApiPath;
use crate::http::problem::Problem;
pub use crate::http::query::QueryParameters;

/// The largest page of most lists.
pub const MAX_PAGE_SIZE: u32 = 100;

/// The part of a list that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// How many items to skip; 0 if the value is not a number.
    #[param(value_type = Option<String>)]
    pub start: u64,
    /// The maximum number of items, at least 1. Values above 500 for pipelines and above 100 for
    /// other lists are reduced to that.
    #[param(schema_with = limit)]
    pub limit: Option<u32>,
}

/// A number of items without a largest one: no integer type has one that is so.
fn limit() -> Object {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).build()
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = QueryParameters::from_request_parts(parts, state).await?;
        let start = query.get("start").and_then(|start| start.parse().ok()).unwrap_or(0);
        let limit = query.get("limit").map(read_limit).transpose()?;
        Ok(Self { start, limit })
    }
}

fn read_limit(text: &str) -> Result<u32, Problem> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u32>() {
        Ok(limit @ 1..) if digits => Ok(limit),
        // A number too large to read is above the largest page, too.
        Err(_) if digits => Ok(u32::MAX),
        _ => Err(Problem::invalid_parameter("limit", "must be a whole number, at least 1", text)),
    }
}

impl Paging {
    /// The same with pages of at most so many items.
    #[must_use]
    pub fn at_most(self, largest: u32) -> Self {
        Self { limit: self.limit.map(|limit| limit.min(largest)), ..self }
    }

    /// The asked-for part of a list that answers everything by default.
    #[must_use]
    pub fn cut<T>(self, mut items: Vec<T>) -> Vec<T> {
        let start = usize::try_from(self.start).unwrap_or(usize::MAX).min(items.len());
        items.drain(..start);
        if let Some(limit) = self.limit {
            items.truncate(limit as usize);
        }
        items
    }

    /// Which part this is of a list of `total` items at `path`, with its links. `limit` is the
    /// page size when none is asked for; without one, the page is the whole rest of the list.
    #[must_use]
    pub fn describe(
        self,
        path: ApiPath<'_>,
        total: u64,
        limit: Option<u32>,
    ) -> (PageDetails, ListLinks) {
        let size = self.limit.or(limit).map_or(total.max(MAX_PAGE_SIZE.into()), u64::from);
        let next = Some(self.start.saturating_add(size)).filter(|next| *next < total);
        let prev = (self.start > 0).then(|| self.start.saturating_sub(size));
        let page = |start: u64| Link::to(format!("{path}?start={start}&limit={size}"));
        let links = ListLinks {
            this: page(self.start),
            page: Link::any_page(path),
            next: next.map(page),
            prev: prev.map(page),
        };
        (PageDetails { limit: size, property: [], next, prev }, links)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_clamped_or_refused() {
        for (text, expected) in
            [("1", 1), ("100", 100), ("101", 100), ("99999999999999999999", 100), ("007", 7)]
        {
            let paging = Paging { start: 0, limit: Some(read_limit(text).unwrap()) };
            assert_eq!(paging.at_most(100).limit, Some(expected), "{text}");
        }
        for text in ["0", "-1", "", "ten", "1.5", "+5"] {
            assert!(read_limit(text).is_err(), "{text}");
        }
    }
}
