//! The operations of all routers, and which one a request is for.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter};
use utoipa::openapi::{HttpMethod, OpenApi};
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

/// Whether the program can describe its operations. A release has the generated description instead,
/// which is much smaller than the code that generates it.
pub const IS_DESCRIBED: bool = cfg!(debug_assertions);

/// The operations at one path.
pub struct Endpoint<S> {
    path: String,
    operations: Vec<(Method, Arc<str>)>,
    handlers: MethodRouter<S>,
    description: Option<UtoipaMethodRouter<S>>,
}

/// Returns an endpoint.
pub type MakeEndpoint<S> = fn() -> Endpoint<S>;

/// Returns the [`Endpoint`] of handlers that have the same path. The identifier of an operation is the
/// name of its handler in camel case.
macro_rules! routes {
    (@path $handler:ident) => { pastey::paste! { [<__path_ $handler>] } };
    (@path $module:ident :: $handler:ident) => { pastey::paste! { $module::[<__path_ $handler>] } };
    ($($first:ident $(:: $second:ident)?),+) => {
        $crate::http::operations::Endpoint::default()
            $(.with::<$crate::http::operations::routes!(@path $first $(:: $second)?), _, _>(
                stringify!($first $(:: $second)?),
                &$first $(:: $second)?,
            ))+
            .described(|| utoipa_axum::routes!($($first $(:: $second)?),+))
    };
}
pub(crate) use routes;

impl<S: Clone> Default for Endpoint<S> {
    fn default() -> Self {
        Self {
            path: String::new(),
            operations: Vec::new(),
            handlers: MethodRouter::default(),
            description: None,
        }
    }
}

impl<S: Clone + Send + Sync + 'static> Endpoint<S> {
    /// Adds the operation that a handler answers, with the methods and the path that it is annotated
    /// with.
    #[must_use]
    pub fn with<P: utoipa::Path, H: Handler<T, S>, T: 'static>(
        mut self,
        name: &str,
        handler: &H,
    ) -> Self {
        self.path = P::path();
        for method in P::methods() {
            let (method, filter) = method_of(&method);
            self.operations.push((method, identifier(name).into()));
            self.handlers = self.handlers.on(filter, handler.clone());
        }
        self
    }

    /// Adds the description, if there are any.
    #[must_use]
    pub fn described(mut self, describe: impl FnOnce() -> UtoipaMethodRouter<S>) -> Self {
        self.description = IS_DESCRIBED.then(describe);
        self
    }
}

/// Returns the identifier of an operation by the name of its handler: `getProgram` for
/// `programs::get_program`.
fn identifier(handler: &str) -> String {
    let name = handler.rsplit("::").next().unwrap_or(handler).trim();
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |id, word| {
        let mut letters = word.chars();
        id + &letters
            .next()
            .map(|letter| letter.to_ascii_uppercase())
            .into_iter()
            .collect::<String>()
            + letters.as_str()
    })
}

fn method_of(method: &HttpMethod) -> (Method, MethodFilter) {
    match method {
        HttpMethod::Get => (Method::GET, MethodFilter::GET),
        HttpMethod::Post => (Method::POST, MethodFilter::POST),
        HttpMethod::Put => (Method::PUT, MethodFilter::PUT),
        HttpMethod::Delete => (Method::DELETE, MethodFilter::DELETE),
        HttpMethod::Options => (Method::OPTIONS, MethodFilter::OPTIONS),
        HttpMethod::Head => (Method::HEAD, MethodFilter::HEAD),
        HttpMethod::Patch => (Method::PATCH, MethodFilter::PATCH),
        HttpMethod::Trace => (Method::TRACE, MethodFilter::TRACE),
    }
}

/// Returns the router of some endpoints, and adds their operations to the list.
pub fn serve<S: Clone + Send + Sync + 'static>(
    endpoints: impl Iterator<Item = (MakeEndpoint<S>, Option<Callers>)>,
    operations: &mut Operations,
) -> Router<S> {
    endpoints.fold(Router::new(), |router, (make, callers)| {
        let Endpoint { path, operations: of_endpoint, handlers, .. } = make();
        operations.note(&path, of_endpoint, callers);
        router.route(&path, handlers)
    })
}

/// Returns the description of endpoints.
#[must_use]
pub fn describe<S: Clone + Send + Sync + 'static>(
    endpoints: impl Iterator<Item = MakeEndpoint<S>>,
) -> OpenApi {
    let router = OpenApiRouter::with_openapi(OpenApi::default());
    let descriptions = endpoints.filter_map(|make| make().description);
    descriptions.fold(router, OpenApiRouter::routes).into_openapi()
}

impl Operations {
    fn note(&mut self, path: &str, methods: Vec<(Method, Arc<str>)>, callers: Option<Callers>) {
        let here = self.by_path.entry(path.to_owned()).or_default();
        for (method, id) in methods {
            here.push(Operation { number: self.count, method, id, callers });
            self.count += 1;
        }
    }

    /// Returns the methods, paths and identifiers of all operations.
    pub fn list(&self) -> impl Iterator<Item = (&Method, &str, &str)> {
        self.by_path.iter().flat_map(|(path, operations)| {
            operations.iter().map(|it| (&it.method, path.as_str(), &*it.id))
        })
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
