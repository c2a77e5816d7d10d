//! Paths of requests: the identifiers in them, and how they may be written.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::Uri;
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::problem::Problem;

/// A parameter of paths.
#[derive(Clone, Copy, Debug)]
pub struct PathParameter {
    name: &'static str,
    what: &'static str,
}

impl PathParameter {
    /// The parameter with a name, and what it names, as it is called in a 404.
    #[must_use]
    pub const fn new(name: &'static str, what: &'static str) -> Self {
        Self { name, what }
    }

    /// The answer where nothing is there that has the name.
    #[must_use]
    pub fn not_found(self) -> Problem {
        Problem::not_found(self.what)
    }
}

/// The identifiers in the path of a request.
pub struct PathIds(Option<RawPathParams>);

impl PathIds {
    /// Those of a request.
    pub async fn of(parts: &mut Parts) -> Self {
        Self(RawPathParams::from_request_parts(parts, &()).await.ok())
    }

    /// The identifier that the path has for a parameter. Whatever is none names nothing: 404.
    pub fn read<T: FromStr>(&self, parameter: PathParameter) -> Result<T, Problem> {
        let mut ids = self.0.iter().flatten();
        let found = ids.find(|(name, _)| *name == parameter.name);
        found.and_then(|(_, value)| value.parse().ok()).ok_or_else(|| parameter.not_found())
    }
}

/// The description of path parameters.
#[must_use]
pub fn describe(parameters: &[PathParameter]) -> Vec<Parameter> {
    parameters
        .iter()
        .map(|PathParameter { name, what }| {
            ParameterBuilder::new()
                .name(*name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .description(Some(*what))
                .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
                .build()
        })
        .collect()
}

/// The request with one slash at the beginning of its path: a base URL with a trailing slash makes
/// `//api/…`.
#[must_use]
pub fn without_leading_slashes(mut request: Request) -> Request {
    if let Some(uri) = shortened(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

fn shortened(uri: &Uri) -> Option<Uri> {
    let text = uri.path_and_query()?.as_str();
    let rest = text.strip_prefix("//")?.trim_start_matches('/');
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("/{rest}")).ok()?);
    Uri::from_parts(parts).ok()
}
