//! Paths: what they name, and how they may be written.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::Uri;
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::problem::Problem;
use crate::domain::id::{ExecutionId, PhaseId, PipelineKey, StepId};

/// The identifiers in the path of a request.
pub struct PathIds(Option<RawPathParams>);

impl PathIds {
    /// Those of a request.
    pub async fn of(parts: &mut Parts) -> Self {
        Self(RawPathParams::from_request_parts(parts, &()).await.ok())
    }

    /// The identifier that the path has under `name`. Whatever is none names nothing: 404, in
    /// which it is called `what`.
    pub fn read<T: FromStr>(&self, name: &str, what: &str) -> Result<T, Problem> {
        let found = self.0.as_ref().and_then(|ids| ids.iter().find(|(key, _)| *key == name));
        found.and_then(|(_, value)| value.parse().ok()).ok_or_else(|| Problem::not_found(what))
    }
}

/// The identifier that the path of a request has under `name`, if it is the only one of interest.
pub async fn id<T: FromStr>(parts: &mut Parts, name: &str, what: &str) -> Result<T, Problem> {
    PathIds::of(parts).await.read(name, what)
}

/// The path of a pipeline in the API.
#[must_use]
pub fn of_pipeline(key: PipelineKey) -> String {
    format!("/api/program/{}/pipeline/{}", key.program_id, key.pipeline_id)
}

/// The path of an execution in the API.
#[must_use]
pub fn of_execution(pipeline: PipelineKey, id: ExecutionId) -> String {
    format!("{}/execution/{id}", of_pipeline(pipeline))
}

/// The path of a step of an execution in the API.
#[must_use]
pub fn of_step(pipeline: PipelineKey, id: ExecutionId, phase: PhaseId, step: StepId) -> String {
    format!("{}/phase/{phase}/step/{step}", of_execution(pipeline, id))
}

/// The description of path parameters, by name and what they name.
#[must_use]
pub fn describe(parameters: &[(&str, &str)]) -> Vec<Parameter> {
    parameters
        .iter()
        .map(|(name, what)| {
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
