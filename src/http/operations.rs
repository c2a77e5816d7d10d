//! The operations of all routers, and which one a request is for.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use utoipa::openapi::{OpenApi, PathItem, Paths};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::domain::invalid::unknown;
use crate::domain::role::Callers;

/// The operations by path template.
#[derive(Debug, Default)]
pub struct Operations {
    by_path: HashMap<String, Vec<Operation>>,
    count: usize,
}

/// An operation, as a request finds it.
#[derive(Debug)]
pub struct Operation {
    /// Counts the operations from 0.
    pub number: usize,
    method: Method,
    /// Its identifier.
    pub id: Arc<str>,
    /// Who may call it; `None` outside of `/api`, where roles are not checked.
    pub callers: Option<Callers>,
}

/// Operations at one path: how they are described, and who answers.
pub type Described<S> = fn() -> UtoipaMethodRouter<S>;

/// Returns the router of some operations, and adds them to the list. Their descriptions are created
/// one by one and dropped: together they would take megabytes of memory.
pub fn serve<S: Clone + Send + Sync + 'static>(
    described: impl Iterator<Item = (Described<S>, Option<Callers>)>,
    operations: &mut Operations,
) -> Router<S> {
    described.fold(Router::new(), |router, (described, callers)| {
        let (_, Paths { paths, .. }, methods) = described();
        paths.iter().fold(router, |router, (path, item)| {
            operations.note(path, item, callers);
            router.route(path, methods.clone())
        })
    })
}

/// Returns the description of operations.
#[must_use]
pub fn describe<S: Clone + Send + Sync + 'static>(
    described: impl Iterator<Item = Described<S>>,
) -> OpenApi {
    let router = OpenApiRouter::with_openapi(OpenApi::default());
    described.fold(router, |router, described| router.routes(described())).into_openapi()
}

impl Operations {
    fn note(&mut self, path: &str, item: &PathItem, callers: Option<Callers>) {
        let methods = [
            (Method::GET, &item.get),
            (Method::PUT, &item.put),
            (Method::POST, &item.post),
            (Method::PATCH, &item.patch),
            (Method::DELETE, &item.delete),
        ];
        for (method, operation) in methods {
            let id = operation.as_ref().and_then(|operation| operation.operation_id.as_deref());
            let Some(id) = id.map(Arc::from) else { continue };
            let operation = Operation { number: self.count, method, id, callers };
            self.by_path.entry(path.to_owned()).or_default().push(operation);
            self.count += 1;
        }
    }

    /// Returns how many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns the operation that a request is for.
    #[must_use]
    pub fn find(&self, request: &Request) -> Option<&Operation> {
        let path = request.extensions().get::<MatchedPath>()?;
        let method = match *request.method() {
            Method::HEAD => &Method::GET,
            ref method => method,
        };
        self.by_path.get(path.as_str())?.iter().find(|operation| operation.method == method)
    }

    /// The operations at the path of a request, as they are told to a caller: `GET (getPrograms)`.
    #[must_use]
    pub fn names_at(&self, path: &MatchedPath) -> Vec<String> {
        let operations = self.by_path.get(path.as_str()).into_iter().flatten();
        operations.map(|operation| format!("{} ({})", operation.method, operation.id)).collect()
    }

    /// Checks that Cloud Manager itself has an operation with this identifier, or its files have.
    ///
    /// # Errors
    ///
    /// Says that there is none, with the identifier that was probably meant.
    pub fn check_official(&self, id: &str) -> Result<(), String> {
        let paths = self.by_path.iter().filter(|(path, _)| is_official(path));
        let ids: Vec<&str> =
            paths.flat_map(|(_, all)| all).map(|operation| &*operation.id).collect();
        if ids.contains(&id) {
            Ok(())
        } else {
            Err(unknown("operation of Cloud Manager", id, &ids))
        }
    }
}

/// Returns whether a path belongs to Cloud Manager or its files, whatever is there.
#[must_use]
pub fn is_official(path: &str) -> bool {
    is_api(path) || path.starts_with("/files/")
}

/// Returns whether a path belongs to Cloud Manager's API, whatever is there.
#[must_use]
pub fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}
