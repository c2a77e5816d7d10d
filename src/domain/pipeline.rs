//! Pipeline definitions: phases in order, each with steps, all with stable identifiers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::environment::EnvironmentType;
use super::id::{EnvironmentId, PhaseId, PipelineId, PipelineKey, ProgramId, RepositoryId, StepId};
use super::time::Timestamp;
use super::variable::Variable;
use super::word::words;

words! {
    /// What a step does. The names are the API's `action`.
    pub enum Action {
        /// Checks that the branch and the environments of the pipeline exist and are ready.
        Validate = "validate",
        /// Builds the packages, or copies those of an earlier execution.
        Build = "build",
        /// Scans the code; the code quality gate.
        CodeQuality = "codeQuality",
        /// Installs the packages on one environment.
        Deploy = "deploy",
        /// Waits for somebody's approval.
        Approval = "approval",
        /// Checks the health of the deployed instances; the security gate.
        SecurityTest = "securityTest",
        /// Puts page traffic on the stage environment.
        LoadTest = "loadTest",
        /// Puts asset uploads on the stage environment.
        AssetsTest = "assetsTest",
        /// Judges the load and assets tests; the performance gate.
        ReportPerformanceTest = "reportPerformanceTest",
        /// Audits the pages of the stage environment.
        ContentAudit = "contentAudit",
        /// Waits for the time of the production deployment.
        Schedule = "schedule",
        /// Waits for a Customer Success Engineer to start the production deployment.
        Managed = "managed",
    }
}

impl Action {
    /// Returns whether the step does nothing but wait for a person.
    #[must_use]
    pub fn waits_for_a_person(self) -> bool {
        matches!(self, Self::Approval | Self::Schedule | Self::Managed)
    }

    /// Returns whether the step tests the security or performance of the deployed code, which
    /// emergency executions leave out.
    #[must_use]
    pub fn is_test(self) -> bool {
        matches!(
            self,
            Self::SecurityTest | Self::LoadTest | Self::AssetsTest | Self::ReportPerformanceTest
        )
    }
}

words! {
    /// What starts executions of a pipeline.
    pub enum PipelineTrigger {
        /// Only a call of the API.
        Manual = "MANUAL",
        /// Also each new commit on the pipeline's branch.
        OnCommit = "ON_COMMIT",
    }
}

words! {
    /// What a pipeline does when an important metric fails.
    #[derive(Default)]
    pub enum ImportantFailures {
        /// Waits for somebody to override or reject the failure.
        #[default]
        Ask = "ASK",
        /// Fails.
        Fail = "FAIL",
        /// Goes on as if the failure had been overridden.
        Continue = "CONTINUE",
    }
}

/// The kinds of pipelines, told apart by their deploy phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PipelineKind {
    /// Stage, then production.
    Production,
    /// One non-production environment.
    Deployment,
    /// No deployment.
    CodeQuality,
}

/// Who oversees a managed production deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CseOversight {
    /// The program's own Customer Success Engineer; treated as `ANY_CSE`.
    MyCse,
    /// Any Customer Success Engineer.
    AnyCse,
}

/// The options of a step; which ones are allowed depends on its action.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StepOptions {
    /// deploy on dev and stage: leave the dispatchers in the load balancer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_detaching_dispatchers: Option<bool>,
    /// deploy: paths to invalidate on the dispatchers, at most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispatcher_cache_invalidation_paths: Option<Vec<String>>,
    /// deploy: paths to flush from the dispatchers, at most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispatcher_cache_flush_paths: Option<Vec<String>>,
    /// managed: who oversees the deployment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cse: Option<CseOversight>,
    /// loadTest: percentage of traffic for popular pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub popular_pages_weight: Option<u8>,
    /// loadTest: percentage of traffic for new pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_pages_weight: Option<u8>,
    /// loadTest: percentage of traffic for other pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_pages_weight: Option<u8>,
    /// assetsTest: percentage of uploads that are images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_assets_weight: Option<u8>,
    /// assetsTest: percentage of uploads that are PDF files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pdf_assets_weight: Option<u8>,
}

/// The longest path on a dispatcher, in characters.
const LONGEST_PATH: usize = 2048;

/// Whether a dispatcher could have this path in its cache.
fn is_cache_path(path: &str) -> bool {
    path.starts_with('/')
        && path.chars().count() <= LONGEST_PATH
        && !path.contains(char::is_whitespace)
        && !path.contains(char::is_control)
}

impl StepOptions {
    /// Returns whether no option is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns what is wrong with these options on a step, one sentence each; empty if nothing is.
    #[must_use]
    pub fn problems(&self, action: Action, environment: Option<EnvironmentType>) -> Vec<String> {
        let Self {
            skip_detaching_dispatchers,
            dispatcher_cache_invalidation_paths,
            dispatcher_cache_flush_paths,
            cse,
            popular_pages_weight,
            new_pages_weight,
            other_pages_weight,
            image_assets_weight,
            pdf_assets_weight,
        } = self;
        let mut problems = Vec::new();
        let mut check = |name: &str, set: bool, allowed: &[Action]| {
            if set && !allowed.contains(&action) {
                problems.push(format!("{name} is not an option of the step {}", action.as_str()));
            }
        };
        check("skipDetachingDispatchers", skip_detaching_dispatchers.is_some(), &[Action::Deploy]);
        check("cse", cse.is_some(), &[Action::Managed]);
        let path_lists = [
            ("dispatcherCacheInvalidationPaths", dispatcher_cache_invalidation_paths),
            ("dispatcherCacheFlushPaths", dispatcher_cache_flush_paths),
        ];
        for (name, paths) in path_lists {
            check(name, paths.is_some(), &[Action::Deploy]);
        }
        let weights = [
            ("popularPagesWeight", popular_pages_weight, Action::LoadTest),
            ("newPagesWeight", new_pages_weight, Action::LoadTest),
            ("otherPagesWeight", other_pages_weight, Action::LoadTest),
            ("imageAssetsWeight", image_assets_weight, Action::AssetsTest),
            ("pdfAssetsWeight", pdf_assets_weight, Action::AssetsTest),
        ];
        for (name, weight, owner) in weights {
            check(name, weight.is_some(), &[owner]);
        }
        if *skip_detaching_dispatchers == Some(true) && environment == Some(EnvironmentType::Prod) {
            problems.push("skipDetachingDispatchers is only for dev and stage".into());
        }
        for (name, paths) in path_lists {
            if paths.as_ref().is_some_and(|paths| paths.len() > 100) {
                problems.push(format!("{name} has more than 100 paths"));
            }
            let wrong = paths.iter().flatten().find(|path| !is_cache_path(path));
            if let Some(path) = wrong {
                let path: String = path.chars().take(100).collect();
                problems.push(format!("{name}: {path:?} is no path that begins with a slash"));
            }
        }
        for (name, weight, _) in weights {
            if weight.is_some_and(|weight| weight > 100) {
                problems.push(format!("{name} must be a percentage of at most 100"));
            }
        }
        problems
    }
}

/// A step of a pipeline definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Identifier, stable.
    pub id: StepId,
    /// What it does.
    pub action: Action,
    /// How.
    pub options: StepOptions,
}

words! {
    /// The type of a phase.
    pub enum PhaseType {
        /// Checks that branch and environments are there and ready.
        Validate = "VALIDATE",
        /// Builds and scans a branch.
        Build = "BUILD",
        /// Deploys to an environment.
        Deploy = "DEPLOY",
    }
}

/// What a phase is for, with the resources that it uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhaseKind {
    /// Checks.
    Validate,
    /// Builds and scans a branch.
    Build {
        /// The repository.
        repository_id: RepositoryId,
        /// A branch, or a tag as `refs/tags/…`.
        branch: String,
    },
    /// Deploys to an environment.
    Deploy {
        /// The environment.
        environment_id: EnvironmentId,
        /// The environment's type, which never changes for a phase.
        environment_type: EnvironmentType,
    },
}

impl PhaseKind {
    /// Returns its type, without the resources.
    #[must_use]
    pub fn phase_type(&self) -> PhaseType {
        match self {
            Self::Validate => PhaseType::Validate,
            Self::Build { .. } => PhaseType::Build,
            Self::Deploy { .. } => PhaseType::Deploy,
        }
    }
}

/// A phase of a pipeline definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// Identifier, stable.
    pub id: PhaseId,
    /// Name, by which updates address it.
    pub name: String,
    /// What it is for.
    pub kind: PhaseKind,
    /// Its steps in order.
    pub steps: Vec<Step>,
}

impl Phase {
    /// Returns the type of the environment to which the phase deploys, if it does.
    #[must_use]
    pub fn environment_type(&self) -> Option<EnvironmentType> {
        match self.kind {
            PhaseKind::Deploy { environment_type, .. } => Some(environment_type),
            PhaseKind::Validate | PhaseKind::Build { .. } => None,
        }
    }
}

/// A pipeline definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// Identifier.
    pub id: PipelineId,
    /// The program that it belongs to.
    pub program_id: ProgramId,
    /// Display name.
    pub name: String,
    /// How executions begin by themselves.
    pub trigger: PipelineTrigger,
    /// What important metric failures do.
    pub important_failures: ImportantFailures,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Its phases in order.
    pub phases: Vec<Phase>,
    /// Its variables, by name and service.
    pub variables: Vec<Variable>,
    /// When the cache of its builds was last emptied, if it was.
    pub cache_invalidated_at: Option<Timestamp>,
}

impl Pipeline {
    /// Returns the pipeline with its program.
    #[must_use]
    pub fn key(&self) -> PipelineKey {
        PipelineKey { program_id: self.program_id, pipeline_id: self.id }
    }

    /// Returns the kind, by the environments that it deploys to.
    #[must_use]
    pub fn kind(&self) -> PipelineKind {
        let mut environments = self.phases.iter().filter_map(Phase::environment_type);
        match environments.next() {
            None => PipelineKind::CodeQuality,
            Some(_) if environments.any(|kind| kind == EnvironmentType::Prod) => {
                PipelineKind::Production
            }
            Some(_) => PipelineKind::Deployment,
        }
    }

    /// Returns the repository and the branch (or the tag, by its full name) that it builds.
    #[must_use]
    pub fn code(&self) -> Option<(RepositoryId, &str)> {
        self.phases.iter().find_map(|phase| match &phase.kind {
            PhaseKind::Build { repository_id, branch } => Some((*repository_id, branch.as_str())),
            PhaseKind::Validate | PhaseKind::Deploy { .. } => None,
        })
    }

    /// Returns whether it builds a branch (or a tag, by its full name) of a repository.
    #[must_use]
    pub fn builds(&self, repository: RepositoryId, wanted: &str) -> bool {
        self.code() == Some((repository, wanted))
    }

    /// Returns whether it deploys to an environment.
    #[must_use]
    pub fn deploys_to(&self, environment: EnvironmentId) -> bool {
        self.environments().any(|id| id == environment)
    }

    /// Returns the environments of its deploy phases, in order.
    pub fn environments(&self) -> impl Iterator<Item = EnvironmentId> {
        self.phases.iter().filter_map(|phase| match phase.kind {
            PhaseKind::Deploy { environment_id, .. } => Some(environment_id),
            PhaseKind::Validate | PhaseKind::Build { .. } => None,
        })
    }

    /// Returns all steps in order, each with its phase.
    pub fn steps(&self) -> impl Iterator<Item = (&Phase, &Step)> {
        self.phases.iter().flat_map(|phase| phase.steps.iter().map(move |step| (phase, step)))
    }
}

/// Returns the steps that a phase may have, in the order in which they run.
#[must_use]
pub fn possible_steps(kind: PipelineKind, phase: &PhaseKind) -> &'static [Action] {
    match phase {
        PhaseKind::Validate => &[Action::Validate],
        PhaseKind::Build { .. } => &[Action::Build, Action::CodeQuality],
        PhaseKind::Deploy { .. } if kind != PipelineKind::Production => &[Action::Deploy],
        PhaseKind::Deploy { environment_type: EnvironmentType::Prod, .. } => {
            &[Action::Approval, Action::Schedule, Action::Managed, Action::Deploy]
        }
        PhaseKind::Deploy { .. } => &[
            Action::Deploy,
            Action::Approval,
            Action::SecurityTest,
            Action::LoadTest,
            Action::AssetsTest,
            Action::ReportPerformanceTest,
            Action::ContentAudit,
        ],
    }
}
