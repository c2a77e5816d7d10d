//! Paths of requests: the identifiers in them, and how they may be written.

use std::str::FromStr;

use axum::extract::{MatchedPath, Request};
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{Uri, header};
use percent_encoding::percent_decode_str;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::problem::Problem;
use super::real_names;

/// A parameter of paths.
#[derive(Clone, Copy, Debug)]
pub struct PathParameter {
    name: &'static str,
    what: &'static str,
}

impl PathParameter {
    /// Returns a parameter: its name, and the name of its resource in a 404.
    #[must_use]
    pub const fn new(name: &'static str, what: &'static str) -> Self {
        Self { name, what }
    }

    /// Returns the 404 for a resource that does not exist.
    #[must_use]
    pub fn not_found(self) -> Problem {
        Problem::not_found(self.what)
    }
}

/// The identifiers in the path of a request. They are read in place: axum's own extractor copies
/// all of them for every request.
#[derive(Clone, Copy)]
pub struct PathIds<'a> {
    template: &'a str,
    path: &'a str,
}

impl<'a> PathIds<'a> {
    /// Returns the identifiers in the path of a request.
    #[must_use]
    pub fn of(request: &'a Parts) -> Self {
        let template = request.extensions.get().map_or("", MatchedPath::as_str);
        Self { template, path: request.uri.path() }
    }

    /// Returns the identifier of a parameter. A text that is not an identifier is a 404, not a 400:
    /// nothing has this name.
    pub fn read<T: FromStr>(&self, parameter: PathParameter) -> Result<T, Problem> {
        let mut segments = self.template.split('/').zip(self.path.split('/'));
        let is_named = |segment: &str| {
            let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            name == Some(parameter.name)
        };
        let found = segments.find(|(segment, _)| is_named(segment));
        let value = found.and_then(|(_, value)| percent_decode_str(value).decode_utf8().ok());
        value.and_then(|value| value.parse().ok()).ok_or_else(|| parameter.not_found())
    }
}

/// Returns the description of path parameters.
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

/// The prefix of the IMS operations. Some clients call them with a trailing slash.
const IMS: &str = "/ims/";

/// The path under which the git repositories are here; under their real name they are at the top.
const GIT: &str = "/git";

/// Returns the request with its path as it is routed: under `/git` for the host of the git
/// repositories; with one slash at the beginning, since a base URL with a trailing slash makes
/// `//api/…`; and under `/ims` without one at the end.
#[must_use]
pub fn normalise_path(mut request: Request) -> Request {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let prefix = if host.is_some_and(is_git_host) { GIT } else { "" };
    if let Some(uri) = changed(request.uri(), prefix) {
        *request.uri_mut() = uri;
    }
    request
}

/// Returns whether a `Host` is that of the git repositories, with or without a port.
fn is_git_host(host: &str) -> bool {
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    name.strip_suffix('.').unwrap_or(name).eq_ignore_ascii_case(real_names::GIT)
}

/// The address with its path as it is routed, if that is another.
fn changed(uri: &Uri, prefix: &str) -> Option<Uri> {
    let path = routed(uri.path());
    if prefix.is_empty() && path.len() == uri.path().len() {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let text = format!("{prefix}{path}{query}");
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

fn routed(path: &str) -> &str {
    let slashes = path.len() - path.trim_start_matches('/').len();
    let path = path.get(slashes.saturating_sub(1)..).unwrap_or(path);
    if path.starts_with(IMS) { path.trim_end_matches('/') } else { path }
}
