//! Extractors: they load what the path names, whoever owns it.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::Control;
use crate::domain::pipeline::Pipeline;
use crate::domain::program::Program;
use crate::http::path::id;
use crate::http::problem::Problem;

/// A program.
pub struct AnyProgram(pub Arc<Program>);

/// A pipeline.
pub struct AnyPipeline(pub Arc<Pipeline>);

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
            .map(|pipeline| Self(pipeline.clone()))
            .ok_or_else(|| Problem::not_found("The pipeline"))
    }
}
