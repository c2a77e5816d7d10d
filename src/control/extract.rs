//! Extractors: they load what the path names, whoever owns it.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::Control;
use crate::domain::id::{DeliveryId, WebhookId};
use crate::domain::pipeline::Pipeline;
use crate::domain::program::Program;
use crate::domain::repository::Repository;
use crate::engine::read::Snapshot;
use crate::http::path::{describe, id};
use crate::http::problem::Problem;

/// A program.
pub struct AnyProgram(pub Arc<Program>);

/// A pipeline with its program.
pub struct AnyPipeline(pub Arc<Program>, pub Arc<Pipeline>);

/// A repository with its program.
pub struct AnyRepository(pub Arc<Program>, pub Repository);

/// An execution, as it is now.
pub struct AnyExecution(pub Snapshot);

/// A webhook by name; it need not exist.
pub struct AnyWebhook(pub WebhookId);

/// A delivery by name; it need not exist.
pub struct AnyDelivery(pub DeliveryId);

impl FromRequestParts<Control> for AnyProgram {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, control: &Control) -> Result<Self, Problem> {
        let id = id(parts, "programId", "The program").await?;
        let catalog = control.engine.catalog();
        catalog
            .find_program(id)
            .map(|program| Self(program.clone()))
            .ok_or_else(|| Problem::not_found("The program"))
    }
}

impl FromRequestParts<Control> for AnyPipeline {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, control: &Control) -> Result<Self, Problem> {
        let AnyProgram(program) = AnyProgram::from_request_parts(parts, control).await?;
        let id = id(parts, "pipelineId", "The pipeline").await?;
        program
            .pipelines
            .get(&id)
            .map(|pipeline| Self(program.clone(), pipeline.clone()))
            .ok_or_else(|| Problem::not_found("The pipeline"))
    }
}

impl FromRequestParts<Control> for AnyRepository {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, control: &Control) -> Result<Self, Problem> {
        let AnyProgram(program) = AnyProgram::from_request_parts(parts, control).await?;
        let id = id(parts, "repositoryId", "The repository").await?;
        let found = program.repositories.get(&id).cloned();
        let repository = found.ok_or_else(|| Problem::not_found("The repository"))?;
        Ok(Self(program, repository))
    }
}

impl FromRequestParts<Control> for AnyExecution {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, control: &Control) -> Result<Self, Problem> {
        let AnyPipeline(_, pipeline) = AnyPipeline::from_request_parts(parts, control).await?;
        let id = id(parts, "executionId", "The execution").await?;
        let found = control.engine.find_execution(pipeline.key(), id).await?;
        found.map(Self).ok_or_else(|| Problem::not_found("The execution"))
    }
}

impl FromRequestParts<Control> for AnyWebhook {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Control) -> Result<Self, Problem> {
        id(parts, "webhookId", "The webhook").await.map(Self)
    }
}

impl FromRequestParts<Control> for AnyDelivery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Control) -> Result<Self, Problem> {
        id(parts, "deliveryId", "The delivery").await.map(Self)
    }
}

impl IntoParams for AnyWebhook {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        describe(&[("webhookId", "The webhook")])
    }
}

impl IntoParams for AnyDelivery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        describe(&[("deliveryId", "The delivery")])
    }
}

/// The path parameters of an execution; those of what contains it come first.
const EXECUTION_PATH: [(&str, &str); 3] = [
    ("programId", "The program"),
    ("pipelineId", "The pipeline"),
    ("executionId", "The execution"),
];

impl IntoParams for AnyProgram {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        describe(&EXECUTION_PATH[..1])
    }
}

impl IntoParams for AnyPipeline {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        describe(&EXECUTION_PATH[..2])
    }
}

impl IntoParams for AnyRepository {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        describe(&[EXECUTION_PATH[0], ("repositoryId", "The repository")])
    }
}

impl IntoParams for AnyExecution {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        describe(&EXECUTION_PATH)
    }
}
