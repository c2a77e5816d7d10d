//! Extractors: they load what the path of a request names, if the caller may see it, and answer 404
//! otherwise.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::domain::environment::Environment;
use crate::domain::id::{DeliveryId, ExecutionId, PipelineKey, StepKey, TenantId, WebhookId};
use crate::domain::pipeline::Pipeline;
use crate::domain::program::{Program, Tenant};
use crate::domain::repository::Repository;
use crate::engine::Engine;
use crate::engine::read::Snapshot;
use crate::http::path::{PathIds, PathParameter, describe};
use crate::http::problem::Problem;

/// A router state with an engine. API and control API show different tenants.
pub trait Surface: Send + Sync {
    /// Returns the engine.
    fn engine(&self) -> &Engine;

    /// Returns whether the caller of a request may see what belongs to a tenant.
    fn shows(&self, request: &Parts, tenant: TenantId) -> bool;
}

/// A tenant.
pub struct InTenant {
    /// The tenant.
    pub tenant: Tenant,
}

/// A program.
pub struct InProgram {
    /// The program.
    pub program: Arc<Program>,
}

/// A pipeline.
pub struct InPipeline {
    /// Its program.
    pub program: Arc<Program>,
    /// The pipeline.
    pub pipeline: Arc<Pipeline>,
}

/// An environment.
pub struct InEnvironment {
    /// Its program.
    pub program: Arc<Program>,
    /// The environment.
    pub environment: Environment,
}

/// A repository.
pub struct InRepository {
    /// Its program.
    pub program: Arc<Program>,
    /// The repository.
    pub repository: Repository,
}

/// A branch by name; it need not exist.
pub struct NamedBranch {
    /// Its repository.
    pub repository: InRepository,
    /// The branch.
    pub branch: String,
}

/// A commit of a repository by name; it need not exist.
pub struct NamedCommit {
    /// Its repository.
    pub repository: InRepository,
    /// The commit.
    pub commit: String,
}

/// An artifact of a commit by the name of its file; it need not exist.
pub struct NamedUpload {
    /// The commit.
    pub commit: NamedCommit,
    /// The name of the file.
    pub file: String,
}

/// The pipeline and the identifier of an execution, which need not exist.
pub struct NamedExecution {
    /// The pipeline, which exists.
    pub pipeline: PipelineKey,
    /// The execution.
    pub execution_id: ExecutionId,
}

/// An execution, as it is now.
pub struct InExecution {
    /// The execution.
    pub snapshot: Snapshot,
}

/// A step of an execution, as it is now.
pub struct InStep {
    /// The execution.
    pub snapshot: Snapshot,
    /// The position of the step in it.
    pub position: usize,
    /// Its name.
    pub key: StepKey,
}

/// An artifact of a step, by its number; it need not exist.
pub struct InArtifact {
    /// The step.
    pub step: InStep,
    /// Its number among the step's artifacts.
    pub number: usize,
}

/// A webhook by name; it need not exist.
pub struct NamedWebhook(pub WebhookId);

/// A client by name; it need not exist.
pub struct NamedClient(pub String);

/// A delivery by name; it need not exist.
pub struct NamedDelivery(pub DeliveryId);

const TENANT: PathParameter = PathParameter::new("tenantId", "The tenant");
const PROGRAM: PathParameter = PathParameter::new("programId", "The program");
const PIPELINE: PathParameter = PathParameter::new("pipelineId", "The pipeline");
const ENVIRONMENT: PathParameter = PathParameter::new("environmentId", "The environment");
const REPOSITORY: PathParameter = PathParameter::new("repositoryId", "The repository");
const BRANCH: PathParameter = PathParameter::new("branch", "The branch");
const COMMIT: PathParameter = PathParameter::new("commitId", "The commit");
const FILE: PathParameter = PathParameter::new("file", "The name of the file");
const EXECUTION: PathParameter = PathParameter::new("executionId", "The execution");
const PHASE: PathParameter = PathParameter::new("phaseId", "The phase");
const STEP: PathParameter = PathParameter::new("stepId", "The step");
const ARTIFACT: PathParameter = PathParameter::new("artifactId", "The artifact");
const WEBHOOK: PathParameter = PathParameter::new("webhookId", "The webhook");
const CLIENT: PathParameter = PathParameter::new("clientId", "The client");
const DELIVERY: PathParameter = PathParameter::new("deliveryId", "The delivery");

/// Finds what the path of a request names.
struct Finder<'a, S> {
    surface: &'a S,
    request: &'a Parts,
    ids: PathIds<'a>,
}

impl<S: Surface> Finder<'_, S> {
    fn tenant(&self) -> Result<InTenant, Problem> {
        let id = self.ids.read(TENANT)?;
        let catalog = self.surface.engine().catalog();
        let found = catalog.find_tenant(id).filter(|it| self.surface.shows(self.request, it.id));
        let tenant = found.cloned().ok_or_else(|| TENANT.not_found())?;
        Ok(InTenant { tenant })
    }

    fn program(&self) -> Result<InProgram, Problem> {
        let id = self.ids.read(PROGRAM)?;
        let catalog = self.surface.engine().catalog();
        let found = catalog.find_program(id);
        let found = found.filter(|it| self.surface.shows(self.request, it.tenant_id));
        let program = found.cloned().ok_or_else(|| PROGRAM.not_found())?;
        Ok(InProgram { program })
    }

    fn pipeline(&self) -> Result<InPipeline, Problem> {
        let InProgram { program } = self.program()?;
        let found = program.pipelines.get(&self.ids.read(PIPELINE)?).cloned();
        let pipeline = found.ok_or_else(|| PIPELINE.not_found())?;
        Ok(InPipeline { program, pipeline })
    }

    fn environment(&self) -> Result<InEnvironment, Problem> {
        let InProgram { program } = self.program()?;
        let found = program.environments.get(&self.ids.read(ENVIRONMENT)?).cloned();
        let environment = found.ok_or_else(|| ENVIRONMENT.not_found())?;
        Ok(InEnvironment { program, environment })
    }

    fn repository(&self) -> Result<InRepository, Problem> {
        let InProgram { program } = self.program()?;
        let found = program.repositories.get(&self.ids.read(REPOSITORY)?).cloned();
        let repository = found.ok_or_else(|| REPOSITORY.not_found())?;
        Ok(InRepository { program, repository })
    }

    fn branch(&self) -> Result<NamedBranch, Problem> {
        Ok(NamedBranch { repository: self.repository()?, branch: self.ids.read(BRANCH)? })
    }

    fn commit(&self) -> Result<NamedCommit, Problem> {
        Ok(NamedCommit { repository: self.repository()?, commit: self.ids.read(COMMIT)? })
    }

    fn upload(&self) -> Result<NamedUpload, Problem> {
        Ok(NamedUpload { commit: self.commit()?, file: self.ids.read(FILE)? })
    }

    fn named_execution(&self) -> Result<NamedExecution, Problem> {
        let pipeline = self.pipeline()?.pipeline.key();
        Ok(NamedExecution { pipeline, execution_id: self.ids.read(EXECUTION)? })
    }

    async fn execution(&self) -> Result<InExecution, Problem> {
        let NamedExecution { pipeline, execution_id } = self.named_execution()?;
        let found = self.surface.engine().find_execution(pipeline, execution_id).await?;
        let snapshot = found.ok_or_else(|| EXECUTION.not_found())?;
        Ok(InExecution { snapshot })
    }

    async fn step(&self) -> Result<InStep, Problem> {
        let InExecution { snapshot } = self.execution().await?;
        let execution = &snapshot.execution;
        let (phase_id, step_id) = (self.ids.read(PHASE)?, self.ids.read(STEP)?);
        let found = execution.find_step(phase_id, step_id);
        let position = found.ok_or_else(|| STEP.not_found())?;
        let (pipeline, execution_id) = (execution.pipeline, execution.id);
        let key = StepKey { pipeline, execution_id, phase_id, step_id };
        Ok(InStep { snapshot, position, key })
    }

    async fn artifact(&self) -> Result<InArtifact, Problem> {
        let step = self.step().await?;
        let text: String = self.ids.read(ARTIFACT)?;
        // `+1` and `01` can be parsed, too, but are not identifiers.
        let number = text.parse().ok().filter(|number: &usize| number.to_string() == text);
        let number = number.ok_or_else(|| ARTIFACT.not_found())?;
        Ok(InArtifact { step, number })
    }
}

/// Implements an extractor for each type: its path parameters, and how it is loaded. One list for
/// both keeps the description and the behaviour together.
macro_rules! extractors {
    ($($name:ident of [$($parameter:expr),*] by |$at:ident| $find:expr;)*) => {$(
        impl<S: Surface> FromRequestParts<S> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, surface: &S) -> Result<Self, Problem> {
                let ids = PathIds::of(parts);
                let $at = Finder { surface, request: parts, ids };
                $find
            }
        }

        impl IntoParams for $name {
            fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
                describe(&[$($parameter),*])
            }
        }
    )*};
}

extractors! {
    InTenant of [TENANT] by |it| it.tenant();
    InProgram of [PROGRAM] by |it| it.program();
    InPipeline of [PROGRAM, PIPELINE] by |it| it.pipeline();
    InEnvironment of [PROGRAM, ENVIRONMENT] by |it| it.environment();
    InRepository of [PROGRAM, REPOSITORY] by |it| it.repository();
    NamedBranch of [PROGRAM, REPOSITORY, BRANCH] by |it| it.branch();
    NamedCommit of [PROGRAM, REPOSITORY, COMMIT] by |it| it.commit();
    NamedUpload of [PROGRAM, REPOSITORY, COMMIT, FILE] by |it| it.upload();
    NamedExecution of [PROGRAM, PIPELINE, EXECUTION] by |it| it.named_execution();
    InExecution of [PROGRAM, PIPELINE, EXECUTION] by |it| it.execution().await;
    InStep of [PROGRAM, PIPELINE, EXECUTION, PHASE, STEP] by |it| it.step().await;
    InArtifact of [PROGRAM, PIPELINE, EXECUTION, PHASE, STEP, ARTIFACT] by |it| it.artifact().await;
    NamedWebhook of [WEBHOOK] by |it| it.ids.read(WEBHOOK).map(Self);
    NamedClient of [CLIENT] by |it| it.ids.read(CLIENT).map(Self);
    NamedDelivery of [DELIVERY] by |it| it.ids.read(DELIVERY).map(Self);
}
