//! The paths in links and events. A test compares them with the operations.

use std::fmt::{self, Write};

use crate::domain::id::{
    EnvironmentId, ExecutionId, PipelineKey, ProgramId, RepositoryId, StepKey, TenantId,
};
use crate::domain::variable::Owner;

/// About how long the longest path is, in bytes.
const LONG: usize = 128;

/// The path of something that the API has, without a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiPath<'a> {
    /// The caller's tenants.
    Tenants,
    /// A tenant.
    Tenant(TenantId),
    /// The programs of a tenant.
    TenantPrograms(TenantId),
    /// The caller's programs.
    Programs,
    /// A program.
    Program(ProgramId),
    /// The regions of a program.
    Regions(ProgramId),
    /// The environments of a program.
    Environments(ProgramId),
    /// An environment.
    Environment(ProgramId, EnvironmentId),
    /// Which logs an environment has.
    EnvironmentLogs(ProgramId, EnvironmentId),
    /// The address of a log of an environment.
    EnvironmentLog(ProgramId, EnvironmentId),
    /// The repositories of a program.
    Repositories(ProgramId),
    /// A repository.
    Repository(ProgramId, RepositoryId),
    /// The branches of a repository.
    Branches(ProgramId, RepositoryId),
    /// The pipelines of a program.
    Pipelines(ProgramId),
    /// A pipeline.
    Pipeline(PipelineKey),
    /// The build cache of a pipeline.
    Cache(PipelineKey),
    /// The variables of a pipeline or an environment.
    Variables(Owner),
    /// The execution of a pipeline that is not over.
    CurrentExecution(PipelineKey),
    /// The executions of a pipeline.
    Executions(PipelineKey),
    /// Any execution of a pipeline, as a URI template.
    AnyExecution(PipelineKey),
    /// An execution.
    Execution(PipelineKey, ExecutionId),
    /// A step of an execution.
    Step(StepKey),
    /// Where a step is advanced.
    Advance(StepKey),
    /// Where a step is cancelled.
    Cancel(StepKey),
    /// The metrics of a step.
    Metrics(StepKey),
    /// The address of a log of a step.
    Logs(StepKey),
    /// The artifacts of a step.
    Artifacts(StepKey),
    /// The address of an artifact, by its number.
    Artifact(StepKey, usize),
    /// A file, by its token.
    File(&'a str),
}

impl ApiPath<'_> {
    /// Returns the path of a pipeline or an environment.
    #[must_use]
    pub fn of_owner(owner: Owner) -> Self {
        match owner {
            Owner::Pipeline(key) => Self::Pipeline(key),
            Owner::Environment(program, id) => Self::Environment(program, id),
        }
    }
}

impl fmt::Display for ApiPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Tenants => f.write_str("/api/tenants"),
            Self::Tenant(id) => write!(f, "/api/tenant/{id}"),
            Self::TenantPrograms(id) => write!(f, "{}/programs", Self::Tenant(id)),
            Self::Programs => f.write_str("/api/programs"),
            Self::Program(id) => write!(f, "/api/program/{id}"),
            Self::Regions(id) => write!(f, "{}/regions", Self::Program(id)),
            Self::Environments(id) => write!(f, "{}/environments", Self::Program(id)),
            Self::Environment(program, id) => {
                write!(f, "{}/environment/{id}", Self::Program(program))
            }
            Self::EnvironmentLogs(program, id) => {
                write!(f, "{}/logs", Self::Environment(program, id))
            }
            Self::EnvironmentLog(program, id) => {
                write!(f, "{}/download", Self::EnvironmentLogs(program, id))
            }
            Self::Repositories(id) => write!(f, "{}/repositories", Self::Program(id)),
            Self::Repository(program, id) => {
                write!(f, "{}/repository/{id}", Self::Program(program))
            }
            Self::Branches(program, id) => write!(f, "{}/branches", Self::Repository(program, id)),
            Self::Pipelines(id) => write!(f, "{}/pipelines", Self::Program(id)),
            Self::Pipeline(PipelineKey { program_id, pipeline_id }) => {
                write!(f, "{}/pipeline/{pipeline_id}", Self::Program(program_id))
            }
            Self::Cache(key) => write!(f, "{}/cache", Self::Pipeline(key)),
            Self::Variables(owner) => write!(f, "{}/variables", Self::of_owner(owner)),
            Self::CurrentExecution(key) => write!(f, "{}/execution", Self::Pipeline(key)),
            Self::Executions(key) => write!(f, "{}/executions", Self::Pipeline(key)),
            Self::AnyExecution(key) => {
                write!(f, "{}/{{executionId}}", Self::CurrentExecution(key))
            }
            Self::Execution(key, id) => write!(f, "{}/{id}", Self::CurrentExecution(key)),
            Self::Step(StepKey { pipeline, execution_id, phase_id, step_id }) => {
                let execution = Self::Execution(pipeline, execution_id);
                write!(f, "{execution}/phase/{phase_id}/step/{step_id}")
            }
            Self::Advance(key) => write!(f, "{}/advance", Self::Step(key)),
            Self::Cancel(key) => write!(f, "{}/cancel", Self::Step(key)),
            Self::Metrics(key) => write!(f, "{}/metrics", Self::Step(key)),
            Self::Logs(key) => write!(f, "{}/logs", Self::Step(key)),
            Self::Artifacts(key) => write!(f, "{}/artifacts", Self::Step(key)),
            Self::Artifact(key, number) => write!(f, "{}/artifact/{number}", Self::Step(key)),
            Self::File(token) => write!(f, "/files/{token}"),
        }
    }
}

impl From<ApiPath<'_>> for String {
    fn from(path: ApiPath<'_>) -> Self {
        let mut text = Self::with_capacity(LONG);
        // Writing into a `String` never fails.
        let _ = write!(text, "{path}");
        text
    }
}
