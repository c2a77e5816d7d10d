//! Which operation a request is for.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use utoipa::openapi::OpenApi;

/// The operations by method and path template.
#[derive(Debug, Default)]
pub struct Operations(HashMap<String, Vec<(Method, Arc<str>)>>);

impl Operations {
    /// Those that are described.
    #[must_use]
    pub fn new<'a>(descriptions: impl IntoIterator<Item = &'a OpenApi>) -> Self {
        let mut operations: HashMap<String, Vec<(Method, Arc<str>)>> = HashMap::new();
        for (path, item) in descriptions.into_iter().flat_map(|open_api| &open_api.paths.paths) {
            let methods = [
                (Method::GET, &item.get),
                (Method::PUT, &item.put),
                (Method::POST, &item.post),
                (Method::PATCH, &item.patch),
                (Method::DELETE, &item.delete),
            ];
            let described = methods.into_iter().filter_map(|(method, operation)| {
                Some((method, operation.as_ref()?.operation_id.as_deref()?.into()))
            });
            operations.entry(path.clone()).or_default().extend(described);
        }
        Self(operations)
    }

    /// The identifier of the operation that a request is for.
    #[must_use]
    pub fn find(&self, request: &Request) -> Option<&Arc<str>> {
        let path = request.extensions().get::<MatchedPath>()?;
        let method = match *request.method() {
            Method::HEAD => &Method::GET,
            ref method => method,
        };
        let (_, id) = self.0.get(path.as_str())?.iter().find(|(other, _)| other == method)?;
        Some(id)
    }

    /// Whether Cloud Manager itself has an operation with this identifier, or its files have.
    #[must_use]
    pub fn has_official(&self, id: &str) -> bool {
        self.0.iter().any(|(path, operations)| {
            is_official(path) && operations.iter().any(|(_, other)| **other == *id)
        })
    }
}

/// Whether a path belongs to Cloud Manager or its files, whatever is there.
#[must_use]
pub fn is_official(path: &str) -> bool {
    is_api(path) || path.starts_with("/files/")
}

/// Whether a path belongs to Cloud Manager's API, whatever is there.
#[must_use]
pub fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}
