//! The plan of an execution: everything that is decided when it starts. It never changes
//! afterwards, so that later changes of the pipeline don't affect executions that run.
//!
//! Executions with equal plans share one. The serde form is the stored form, and its digest
//! identifies the plan.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::build::Output;
use crate::domain::deployment::{Failure, PresentPackage};
use crate::domain::environment::{EnvironmentStatus, EnvironmentType, Topology};
use crate::domain::gate::{Gate, Metric};
use crate::domain::id::{EnvironmentId, ExecutionId, PhaseId, StepId};
use crate::domain::noise::Noise;
use crate::domain::pace::Pace;
use crate::domain::pipeline::{
    Action, ImportantFailures, Phase, PhaseKind, Pipeline, PipelineKind, Step, StepOptions,
};
use crate::domain::program::{Kpis, Program};
use crate::domain::scenario::{ExtraLine, Outcome, Scenario};
use crate::domain::time::Duration;

use super::ExecutionMode;

/// What an execution is going to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The kind of the pipeline.
    pub kind: PipelineKind,
    /// What the pipeline does when an important metric fails.
    pub important_failures: ImportantFailures,
    /// The program's performance targets.
    pub kpis: Kpis,
    /// How long a cancelled execution stays CANCELLING.
    pub cancelling: Duration,
    /// What is built.
    pub code: Code,
    /// The pipeline's own variables that a build sees; secrets without their values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Option<String>>,
    /// Whether the cache of the pipeline's builds is empty.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cold_cache: bool,
    /// The problems that the validation step finds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// How much time passes between the end of the last step and that of the execution, if it
    /// finishes.
    #[serde(default, skip_serializing_if = "Duration::is_zero")]
    pub closing_pause: Duration,
    /// The steps in order; there is at least one.
    pub steps: Vec<PlannedStep>,
}

/// The code of an execution, which is built or whose artifacts are copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// Name of the repository.
    pub repository: String,
    /// A branch, or a tag as `refs/tags/…`.
    pub branch: String,
    /// The commit, or `None` if the branch does not exist.
    pub commit: Option<String>,
    /// The build whose artifacts are copied, or `None` if the execution builds its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built_by: Option<KnownBuild>,
    /// What the build leaves, or `None` for the demo's three files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Vec<Output>>,
    /// Whether a scenario says what the build leaves. Such a build reuses nothing and is not
    /// reused.
    #[serde(default, skip_serializing_if = "is_default")]
    pub by_scenario: bool,
}

/// An earlier build whose artifacts can be copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownBuild {
    /// The execution that it was part of.
    pub execution_id: ExecutionId,
    /// The version of the artifacts.
    pub version: String,
}

/// The pipeline variable that, set to `true`, forces a new build.
pub const DISABLE_BUILD_REUSE: &str = "CM_DISABLE_BUILD_REUSE";

/// The environment of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Identifier.
    pub id: EnvironmentId,
    /// Name, or `None` if the environment does not exist.
    pub name: Option<String>,
    /// Type.
    #[serde(rename = "type")]
    pub environment_type: EnvironmentType,
    /// Its instances.
    #[serde(default)]
    pub topology: Topology,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// The step of the pipeline definition.
    pub id: StepId,
    /// Its phase.
    pub phase_id: PhaseId,
    /// What it does.
    pub action: Action,
    /// The environment, for steps of a deploy phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// Its options.
    #[serde(default, skip_serializing_if = "StepOptions::is_empty")]
    pub options: StepOptions,
    /// How much time passes between the end of the step before it, or the creation of the execution,
    /// and its start.
    #[serde(default, skip_serializing_if = "Duration::is_zero")]
    pub pause: Duration,
    /// How long it runs; zero for a step that only waits.
    #[serde(default, skip_serializing_if = "Duration::is_zero")]
    pub duration: Duration,
    /// How it ends, unless its gate decides otherwise.
    #[serde(default, skip_serializing_if = "is_default")]
    pub outcome: Outcome,
    /// Deployment commands that fail, for a deploy step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
    /// The packages that the build depends on and that were on the instances when the execution
    /// started, for a deploy step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub installed: Vec<PresentPackage>,
    /// Its message when it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Actual values of the metrics of its gate, where they differ from the defaults.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, String>,
    /// Lines added to its log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<ExtraLine>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Which steps of a pipeline an execution has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All steps, except those that the mode leaves out.
    Whole(ExecutionMode),
    /// Validation, copying the artifacts of the named code, production deployment.
    ProductionDeployment(Code),
}

impl Plan {
    /// Plans an execution of a pipeline as it and its program are now.
    #[must_use]
    pub fn new(
        program: &Program,
        pipeline: &Pipeline,
        extent: &Extent,
        scenario: &Scenario,
        pace: Pace,
    ) -> Self {
        let included = pipeline.steps().filter(|(phase, step)| extent.includes(phase, step));
        let steps = included
            .enumerate()
            .map(|(position, (phase, step))| PlannedStep {
                pause: pace.pause(position, pause_noise(pipeline, &step.id.to_string())),
                ..plan_step(program, phase, step, extent, scenario, pace)
            })
            .collect();
        Self {
            kind: pipeline.kind(),
            important_failures: pipeline.important_failures,
            kpis: program.kpis,
            cancelling: pace.cancelling(),
            code: match extent {
                Extent::Whole(_) => code(program, pipeline, scenario),
                Extent::ProductionDeployment(source) => source.clone(),
            },
            variables: build_variables(pipeline),
            cold_cache: false,
            problems: problems(program, pipeline),
            closing_pause: pace.closing_pause(pause_noise(pipeline, "end")),
            steps,
        }
    }

    /// Returns whether the build step may copy existing artifacts: only if it is going to succeed,
    /// and no scenario says what it leaves.
    #[must_use]
    pub fn may_reuse(&self) -> bool {
        let mut builds = self.steps.iter().filter(|step| step.action == Action::Build);
        !self.code.by_scenario && builds.all(|step| step.outcome == Outcome::Finished)
    }

    /// Copies the artifacts of an earlier build instead of building them. This is faster, unless a
    /// scenario sets the duration of the build step.
    pub fn reuse(&mut self, build: KnownBuild, scenario: &Scenario) {
        let entry = scenario.find_entry(Action::Build, None);
        if entry.is_none_or(|entry| entry.duration.is_none()) {
            for step in self.steps.iter_mut().filter(|step| step.action == Action::Build) {
                step.duration = copying(step.duration);
            }
        }
        self.code.built_by = Some(build);
    }

    /// Returns the pause before the step at a position; after the last one, that before the end.
    #[must_use]
    pub fn pause_before(&self, position: usize) -> Duration {
        self.steps.get(position).map_or(self.closing_pause, |step| step.pause)
    }

    /// Returns the metrics that the gate of a step will find. Empty if the step has no gate, or if
    /// a scenario lets it fail before the gate.
    #[must_use]
    pub fn metrics(&self, step: &PlannedStep) -> Vec<Metric> {
        if matches!(step.outcome, Outcome::Failed | Outcome::Error) {
            return Vec::new();
        }
        Gate::of(step.action)
            .map(|gate| gate.evaluate(self.kpis, &step.metrics))
            .unwrap_or_default()
    }
}

impl Extent {
    fn includes(&self, phase: &Phase, step: &Step) -> bool {
        match self {
            Self::Whole(ExecutionMode::Normal) => true,
            Self::Whole(ExecutionMode::Emergency) => !step.action.is_test(),
            Self::ProductionDeployment(_) => match step.action {
                Action::Validate | Action::Build => true,
                Action::Deploy => phase.environment_type() == Some(EnvironmentType::Prod),
                _ => false,
            },
        }
    }
}

/// Returns the source of a pause of a pipeline. It does not depend on the execution, so that
/// executions that go alike share a plan.
fn pause_noise(pipeline: &Pipeline, before: &str) -> Noise {
    Noise::of(&["pause", &pipeline.program_id.to_string(), &pipeline.id.to_string(), before])
}

fn plan_step(
    program: &Program,
    phase: &Phase,
    step: &Step,
    extent: &Extent,
    scenario: &Scenario,
    pace: Pace,
) -> PlannedStep {
    let environment_type = phase.environment_type();
    let entry = scenario.find_entry(step.action, environment_type);
    let usual = pace.duration(step.action, environment_type);
    let copies = step.action == Action::Build && matches!(extent, Extent::ProductionDeployment(_));
    PlannedStep {
        id: step.id,
        phase_id: phase.id,
        action: step.action,
        target: match phase.kind {
            PhaseKind::Deploy { environment_id, environment_type } => {
                let found = program.environments.get(&environment_id);
                Some(Target {
                    id: environment_id,
                    name: found.map(|found| found.name.clone()),
                    environment_type,
                    topology: found.map(|found| found.topology).unwrap_or_default(),
                })
            }
            PhaseKind::Validate | PhaseKind::Build { .. } => None,
        },
        options: step.options.clone(),
        pause: Duration::ZERO,
        duration: entry.and_then(|entry| entry.duration).unwrap_or(if copies {
            copying(usual)
        } else {
            usual
        }),
        outcome: entry.map(|entry| entry.outcome).unwrap_or_default(),
        failures: entry.map(|entry| entry.failures.clone()).unwrap_or_default(),
        installed: Vec::new(),
        message: entry.and_then(|entry| entry.message.clone()),
        metrics: scenario.metrics_for(step.action),
        log: entry.map(|entry| entry.log.clone()).unwrap_or_default(),
    }
}

/// Returns how long copying takes, for artifacts whose build takes this long.
fn copying(build: Duration) -> Duration {
    build.divided_by(10)
}

/// Returns the code that a normal execution of the pipeline would build now.
fn code(program: &Program, pipeline: &Pipeline, scenario: &Scenario) -> Code {
    let entry = scenario.find_entry(Action::Build, None);
    let given = entry.and_then(|entry| entry.outputs.clone());
    let by_scenario = given.is_some();
    let Some((repository_id, branch)) = pipeline.code() else {
        let (repository, branch) = (String::new(), String::new());
        let (commit, built_by) = (None, None);
        return Code { repository, branch, commit, built_by, outputs: given, by_scenario };
    };
    let repository = program.repositories.get(&repository_id);
    Code {
        repository: repository
            .map_or_else(|| repository_id.to_string(), |found| found.name.clone()),
        branch: branch.to_owned(),
        commit: repository.and_then(|found| found.find_commit(branch)).map(str::to_owned),
        built_by: None,
        outputs: given.or_else(|| repository?.outputs.clone()),
        by_scenario,
    }
}

fn build_variables(pipeline: &Pipeline) -> BTreeMap<String, Option<String>> {
    let of_builds = |service: &Option<String>| matches!(service.as_deref(), None | Some("build"));
    let variables = pipeline.variables.iter().filter(|variable| of_builds(&variable.service));
    variables.map(|variable| (variable.name.clone(), variable.value.clone())).collect()
}

/// Returns what the validation of the pipeline finds wrong now.
fn problems(program: &Program, pipeline: &Pipeline) -> Vec<String> {
    pipeline
        .phases
        .iter()
        .filter_map(|phase| match &phase.kind {
            PhaseKind::Validate => None,
            PhaseKind::Build { repository_id, branch } => {
                let Some(repository) = program.repositories.get(repository_id) else {
                    return Some(format!("The repository {repository_id} does not exist."));
                };
                repository.find_commit(branch).is_none().then(|| {
                    format!("{branch} does not exist in the repository {}.", repository.name)
                })
            }
            PhaseKind::Deploy { environment_id, .. } => {
                match program.environments.get(environment_id) {
                    None => Some(format!("The environment {environment_id} does not exist.")),
                    Some(found) if found.status != EnvironmentStatus::Ready => {
                        Some(format!("The environment {} is not ready.", found.name))
                    }
                    Some(_) => None,
                }
            }
        })
        .collect()
}
