//! The plan of an execution: everything that is decided when it starts, and frozen.
//!
//! Executions that would go alike share one plan. Its serde form is how it is stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::environment::{EnvironmentStatus, EnvironmentType};
use crate::domain::gate::{Gate, Metric};
use crate::domain::id::{EnvironmentId, PhaseId, StepId};
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
    /// What important metric failures do.
    pub important_failures: ImportantFailures,
    /// The program's performance targets.
    pub kpis: Kpis,
    /// How long a cancelled execution stays CANCELLING.
    pub cancelling: Duration,
    /// What is built.
    pub code: Code,
    /// What the validation finds wrong; empty if nothing is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// The steps in order, never none.
    pub steps: Vec<PlannedStep>,
}

/// The code that an execution builds or copies the artifacts of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// Name of the repository.
    pub repository: String,
    /// A branch, or a tag as `refs/tags/…`.
    pub branch: String,
    /// The commit; none where the branch does not exist.
    pub commit: Option<String>,
}

/// The environment that a step is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Identifier.
    pub id: EnvironmentId,
    /// Name; none where the environment does not exist.
    pub name: Option<String>,
    /// Type.
    #[serde(rename = "type")]
    pub environment_type: EnvironmentType,
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
    /// How it does it.
    #[serde(default, skip_serializing_if = "StepOptions::is_empty")]
    pub options: StepOptions,
    /// How long it runs; none for a step that only waits.
    #[serde(default, skip_serializing_if = "Duration::is_zero")]
    pub duration: Duration,
    /// How it ends, as far as its gate does not decide.
    #[serde(default, skip_serializing_if = "is_default")]
    pub outcome: Outcome,
    /// What it says when it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Actual values of the metrics of its gate, where they are not the usual ones.
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
    /// All of them, but for those that the mode leaves out.
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
        let steps = pipeline
            .steps()
            .filter(|(phase, step)| extent.includes(phase, step))
            .map(|(phase, step)| plan_step(program, phase, step, extent, scenario, pace))
            .collect();
        Self {
            kind: pipeline.kind(),
            important_failures: pipeline.important_failures,
            kpis: program.kpis,
            cancelling: pace.cancelling(),
            code: match extent {
                Extent::Whole(_) => code(program, pipeline),
                Extent::ProductionDeployment(source) => source.clone(),
            },
            problems: problems(program, pipeline),
            steps,
        }
    }

    /// What the gate of a step will find; nothing where it has no gate, or fails without one.
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
            PhaseKind::Deploy { environment_id, environment_type } => Some(Target {
                id: environment_id,
                name: program.environments.get(&environment_id).map(|found| found.name.clone()),
                environment_type,
            }),
            PhaseKind::Validate | PhaseKind::Build { .. } => None,
        },
        options: step.options.clone(),
        // Copying artifacts takes a tenth of building them.
        duration: entry.and_then(|entry| entry.duration).unwrap_or(if copies {
            usual.divided_by(10)
        } else {
            usual
        }),
        outcome: entry.map(|entry| entry.outcome).unwrap_or_default(),
        message: entry.and_then(|entry| entry.message.clone()),
        metrics: scenario.metrics_for(step.action),
        log: entry.map(|entry| entry.log.clone()).unwrap_or_default(),
    }
}

/// The code that a normal execution of the pipeline would build now.
fn code(program: &Program, pipeline: &Pipeline) -> Code {
    let build = pipeline.phases.iter().find_map(|phase| match &phase.kind {
        PhaseKind::Build { repository_id, branch } => Some((repository_id, branch)),
        PhaseKind::Validate | PhaseKind::Deploy { .. } => None,
    });
    let Some((repository_id, branch)) = build else {
        return Code { repository: String::new(), branch: String::new(), commit: None };
    };
    let repository = program.repositories.get(repository_id);
    Code {
        repository: repository
            .map_or_else(|| repository_id.to_string(), |found| found.name.clone()),
        branch: branch.clone(),
        commit: repository.and_then(|found| found.find_commit(branch)).map(str::to_owned),
    }
}

/// What the validation of the pipeline finds wrong now.
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
