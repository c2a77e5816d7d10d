//! The operations: which there are, who answers them, and which one a request is for.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use utoipa::openapi::{OpenApi, PathItem, Paths};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

/// The operations by method and path template.
#[derive(Debug, Default)]
pub struct Operations(HashMap<String, Vec<(Method, Arc<str>)>>);

/// Operations at one path: how they are described, and who answers.
pub type Described<S> = fn() -> UtoipaMethodRouter<S>;

/// Answers operations, and notes which they are. Their descriptions are made one after the other
/// and not kept: together they would take megabytes.
pub fn serve<S: Clone + Send + Sync + 'static>(
    described: &[Described<S>],
    operations: &mut Operations,
) -> Router<S> {
    described.iter().fold(Router::new(), |router, described| {
        let (_, Paths { paths, .. }, methods) = described();
        paths.iter().fold(router, |router, (path, item)| {
            operations.note(path, item);
            router.route(path, methods.clone())
        })
    })
}

/// The description of operations.
#[must_use]
pub fn describe<S: Clone + Send + Sync + 'static>(described: &[Described<S>]) -> OpenApi {
    let router = OpenApiRouter::with_openapi(OpenApi::default());
    described.iter().fold(router, |router, described| router.routes(described())).into_openapi()
}

impl Operations {
    fn note(&mut self, path: &str, item: &PathItem) {
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
        self.0.entry(path.to_owned()).or_default().extend(described);
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
