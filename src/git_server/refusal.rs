//! Refusals as plain text: `git` shows such a text to its user, and no other.

use std::collections::BTreeMap;
use std::error::Error;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa::IntoResponses;
use utoipa::openapi::content::Content;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Response as DescribedResponse, ResponseBuilder};

use crate::git::GitError;
use crate::http::problem::Problem;

/// Why a request of `git` is refused.
#[derive(Debug)]
pub struct GitRefusal {
    status: StatusCode,
    text: String,
    header: Option<(HeaderName, HeaderValue)>,
}

/// The statuses of refusals, and what they mean.
const STATUSES: [(&str, &str); 7] = [
    ("400", "The request is not one of smart HTTP, or `git` can't read it"),
    ("401", "With strict authentication: no client identifier and secret by Basic authentication"),
    ("404", "The organisation has no such repository"),
    ("409", "The repository has no objects, or several repositories have this name"),
    ("415", "The body has another media type or encoding"),
    ("501", "The machine has no `git`"),
    ("503", "Too many clones and pushes are under way, or the repositories can't be used"),
];

impl IntoResponses for GitRefusal {
    fn responses() -> BTreeMap<String, RefOr<DescribedResponse>> {
        let text = || Content::new(Some(ObjectBuilder::new().schema_type(Type::String)));
        let problem = || Content::new(Some(Ref::from_schema_name("Problem")));
        let describe = |(status, description): (&str, &str)| {
            let response = ResponseBuilder::new()
                .description(description)
                .content("text/plain", text())
                .content("application/problem+json", problem());
            (status.to_owned(), response.build().into())
        };
        STATUSES.into_iter().map(describe).collect()
    }
}

impl GitRefusal {
    fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), header: None }
    }

    /// 400: a client that wants single files.
    pub fn dumb() -> Self {
        let text = "Only smart HTTP is supported: the query must be \
            service=git-upload-pack or service=git-receive-pack.";
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    /// 400: `git` has said nothing.
    pub fn unreadable() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "git can't read the request.")
    }

    /// 401: no credentials, or wrong ones.
    pub fn unauthorized() -> Self {
        let text = "Use the client id and the client secret of a client of this organisation as \
            user name and password.";
        let challenge = HeaderValue::from_static("Basic realm=\"Cloud Manager emulator\"");
        let header = Some((header::WWW_AUTHENTICATE, challenge));
        Self { header, ..Self::new(StatusCode::UNAUTHORIZED, text) }
    }

    /// 404: no such repository, for this caller.
    pub fn not_found() -> Self {
        let text = "There is no such repository. Its address is \
            …/<imsTenantId>/<repo>/ with names as the API lists them.";
        Self::new(StatusCode::NOT_FOUND, text)
    }

    /// 409: several repositories have the name.
    pub fn ambiguous(name: &str) -> Self {
        let text = format!("Several programs of the organisation have a repository {name}.");
        Self::new(StatusCode::CONFLICT, text)
    }

    /// 409: nobody has pushed yet.
    pub fn no_objects(name: &str) -> Self {
        let text = format!("The repository {name} has no objects: push to it first.");
        Self::new(StatusCode::CONFLICT, text)
    }

    /// 415: a body that is not of this type.
    pub fn content_type(expected: &str) -> Self {
        let text = format!("The body must have the content type {expected}.");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text)
    }

    /// 415: a body in an unknown encoding.
    pub fn encoding() -> Self {
        let text = "The body may be compressed with gzip only.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text)
    }

    /// 503: it has failed before the answer began.
    pub fn failed(error: &dyn Error) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("The request has failed: {error}."))
    }
}

impl From<GitError> for GitRefusal {
    fn from(error: GitError) -> Self {
        match error {
            GitError::Missing => Self::new(
                StatusCode::NOT_IMPLEMENTED,
                "There is no git on the machine of the emulator: install it, or add it to PATH.",
            ),
            GitError::Busy => {
                let text = "Too many clones and pushes are under way: try again later.";
                let header = Some((header::RETRY_AFTER, HeaderValue::from_static("5")));
                Self { header, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, text) }
            }
            error => {
                tracing::warn!("a clone, fetch or push has failed: {error}");
                Self::failed(&error)
            }
        }
    }
}

impl From<Problem> for GitRefusal {
    fn from(problem: Problem) -> Self {
        Self::new(problem.status, problem.title)
    }
}

impl IntoResponse for GitRefusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.text + "\n").into_response();
        response.headers_mut().extend(self.header);
        response
    }
}
