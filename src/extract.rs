//! Extractors: they load what the path names and check that the caller may see it. Whatever the
//! path names that is not there is a 404.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::access::gateway::Caller;
use crate::api::Api;
use crate::domain::environment::Environment;
use crate::domain::id::{ExecutionId, PipelineKey};
use crate::domain::pipeline::Pipeline;
use crate::domain::program::{Program, Tenant};
use crate::domain::repository::Repository;
use crate::engine::commands::StepKey;
use crate::engine::read::Snapshot;
use crate::http::path::{PathIds, describe};
use crate::http::problem::Problem;

impl FromRequestParts<Api> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or_else(|| Problem::not_found("This resource"))
    }
}

/// The caller's own tenant.
pub struct InTenant {
    /// The tenant.
    pub tenant: Tenant,
}

/// A program of the caller's.
pub struct InProgram {
    /// The program.
    pub program: Arc<Program>,
}

/// A pipeline of the caller's.
pub struct InPipeline {
    /// The pipeline.
    pub pipeline: Arc<Pipeline>,
}

/// An environment of a program of the caller's.
pub struct InEnvironment {
    /// The program.
    pub program: Arc<Program>,
    /// The environment.
    pub environment: Environment,
}

/// A repository of a program of the caller's.
pub struct InRepository {
    /// The program.
    pub program: Arc<Program>,
    /// The repository.
    pub repository: Repository,
}

/// An execution of a pipeline of the caller's, by name; it need not exist.
pub struct NamedExecution {
    /// The pipeline, which exists.
    pub pipeline: PipelineKey,
    /// The execution.
    pub execution_id: ExecutionId,
}

/// A step of an execution of the caller's, as it is now.
pub struct InStep {
    /// The execution.
    pub snapshot: Snapshot,
    /// The position of the step in it.
    pub position: usize,
    /// Its name.
    pub key: StepKey,
}

impl FromRequestParts<Api> for InTenant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, api).await?;
        let id = PathIds::of(parts).await.read("tenantId", "The tenant")?;
        api.engine
            .catalog()
            .find_tenant(id)
            .filter(|tenant| tenant.id == caller.tenant_id)
            .map(|tenant| Self { tenant: tenant.clone() })
            .ok_or_else(|| Problem::not_found("The tenant"))
    }
}

impl InProgram {
    fn find(parts: &Parts, api: &Api, ids: &PathIds) -> Result<Self, Problem> {
        let id = ids.read("programId", "The program")?;
        let caller = parts.extensions.get::<Caller>();
        api.engine
            .catalog()
            .find_program(id)
            .filter(|program| caller.is_some_and(|caller| program.tenant_id == caller.tenant_id))
            .map(|program| Self { program: program.clone() })
            .ok_or_else(|| Problem::not_found("The program"))
    }
}

impl FromRequestParts<Api> for InProgram {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let ids = PathIds::of(parts).await;
        Self::find(parts, api, &ids)
    }
}

impl InPipeline {
    fn find(parts: &Parts, api: &Api, ids: &PathIds) -> Result<Self, Problem> {
        let InProgram { program } = InProgram::find(parts, api, ids)?;
        let id = ids.read("pipelineId", "The pipeline")?;
        program
            .pipelines
            .get(&id)
            .map(|pipeline| Self { pipeline: pipeline.clone() })
            .ok_or_else(|| Problem::not_found("The pipeline"))
    }
}

impl FromRequestParts<Api> for InPipeline {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let ids = PathIds::of(parts).await;
        Self::find(parts, api, &ids)
    }
}

impl FromRequestParts<Api> for InEnvironment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let ids = PathIds::of(parts).await;
        let InProgram { program } = InProgram::find(parts, api, &ids)?;
        let id = ids.read("environmentId", "The environment")?;
        let found = program.environments.get(&id).cloned();
        let environment = found.ok_or_else(|| Problem::not_found("The environment"))?;
        Ok(Self { program, environment })
    }
}

impl FromRequestParts<Api> for InRepository {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let ids = PathIds::of(parts).await;
        let InProgram { program } = InProgram::find(parts, api, &ids)?;
        let id = ids.read("repositoryId", "The repository")?;
        let found = program.repositories.get(&id).cloned();
        let repository = found.ok_or_else(|| Problem::not_found("The repository"))?;
        Ok(Self { program, repository })
    }
}

impl NamedExecution {
    fn find(parts: &Parts, api: &Api, ids: &PathIds) -> Result<Self, Problem> {
        let InPipeline { pipeline } = InPipeline::find(parts, api, ids)?;
        let execution_id = ids.read("executionId", "The execution")?;
        Ok(Self { pipeline: pipeline.key(), execution_id })
    }
}

impl FromRequestParts<Api> for NamedExecution {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let ids = PathIds::of(parts).await;
        Self::find(parts, api, &ids)
    }
}

impl InStep {
    async fn find(parts: &Parts, api: &Api, ids: &PathIds) -> Result<Self, Problem> {
        let NamedExecution { pipeline, execution_id } = NamedExecution::find(parts, api, ids)?;
        let snapshot = api
            .engine
            .find_execution(pipeline, execution_id)
            .await?
            .ok_or_else(|| Problem::not_found("The execution"))?;
        let phase_id = ids.read("phaseId", "The phase")?;
        let step_id = ids.read("stepId", "The step")?;
        let position = snapshot
            .execution
            .find_step(phase_id, step_id)
            .ok_or_else(|| Problem::not_found("The step"))?;
        let key = StepKey { pipeline, execution_id, phase_id, step_id };
        Ok(Self { snapshot, position, key })
    }
}

impl FromRequestParts<Api> for InStep {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let ids = PathIds::of(parts).await;
        Self::find(parts, api, &ids).await
    }
}

/// An artifact of a step, by its number; it need not exist.
pub struct InArtifact {
    /// The step.
    pub step: InStep,
    /// Its number among the step's artifacts.
    pub number: usize,
}

impl FromRequestParts<Api> for InArtifact {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let ids = PathIds::of(parts).await;
        let step = InStep::find(parts, api, &ids).await?;
        let text: String = ids.read("artifactId", "The artifact")?;
        let number = text.parse().ok().filter(|number: &usize| number.to_string() == text);
        let number = number.ok_or_else(|| Problem::not_found("The artifact"))?;
        Ok(Self { step, number })
    }
}

impl IntoParams for InArtifact {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut parameters = describe(&STEP_PATH);
        parameters.extend(describe(&[("artifactId", "The artifact")]));
        parameters
    }
}

/// The path parameters of a step; those of what contains it come first.
const STEP_PATH: [(&str, &str); 5] = [
    ("programId", "The program"),
    ("pipelineId", "The pipeline"),
    ("executionId", "The execution"),
    ("phaseId", "The phase"),
    ("stepId", "The step"),
];

impl IntoParams for InTenant {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        describe(&[("tenantId", "The tenant")])
    }
}

impl IntoParams for InProgram {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        describe(&STEP_PATH[..1])
    }
}

impl IntoParams for InPipeline {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        describe(&STEP_PATH[..2])
    }
}

impl IntoParams for InEnvironment {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        describe(&[STEP_PATH[0], ("environmentId", "The environment")])
    }
}

impl IntoParams for InRepository {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        describe(&[STEP_PATH[0], ("repositoryId", "The repository")])
    }
}

impl IntoParams for NamedExecution {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        describe(&STEP_PATH[..3])
    }
}

impl IntoParams for InStep {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        describe(&STEP_PATH)
    }
}
