//! The deployment of a deploy step, and its progress.

mod lines;

use crate::content::artifact::{Build, Output, dispatcher_paths};
use crate::domain::deployment::memory::{Deployer, InstanceAction, InstanceChange};
use crate::domain::deployment::{
    self, Command, CommandKind, DispatcherPackage, Failure, InstanceKind, InstanceState, Order,
    Package, Performed, Run, environment_urls,
};
use crate::domain::environment::{EnvironmentType, REGION, Topology};
use crate::domain::execution::plan::{PlannedStep, Target};
use crate::domain::execution::step::StepState;
use crate::domain::execution::{Execution, machine};
use crate::domain::pipeline::{Action, StepOptions};
use crate::domain::scenario::Outcome;
use crate::domain::time::Timestamp;

/// How far the deployment of a step is.
#[derive(Clone, Debug, PartialEq)]
pub struct StepDeployment {
    /// What is expected to be performed.
    pub commands: Vec<Command>,
    /// What has been performed, and when it was over.
    pub performed: Vec<(Performed, Timestamp)>,
    /// The command that is being performed; when all is over, the last one.
    pub current: Option<u32>,
    /// What there is to say at the end about the instances.
    pub summary: Vec<String>,
    /// Why it fails or has failed.
    pub error: Option<String>,
    /// When the next command will be over, if time alone brings it about.
    pub next_change: Option<Timestamp>,
    /// Where the environment is reached, by the kind of instance.
    pub urls: Vec<(&'static str, String)>,
}

impl StepDeployment {
    /// Returns the lines about the commands that have been performed, each with its instant.
    pub fn log(&self) -> impl Iterator<Item = (Timestamp, String)> {
        let performed = self.performed.iter();
        performed.flat_map(|(one, at)| lines::log(one).into_iter().map(|line| (*at, line)))
    }
}

/// A deployment that has begun, as it stands at an instant.
struct DeploymentMoment {
    run: Run,
    /// What has been performed, and when it was over.
    performed: Vec<(Performed, Timestamp)>,
    /// When the next command will be over, if time alone brings it about.
    next_change: Option<Timestamp>,
}

/// Returns the deployment of a step, which has begun, as it stands at `now`.
fn advance(
    step: &PlannedStep,
    state: &StepState,
    order: &Order<'_>,
    now: Timestamp,
) -> DeploymentMoment {
    let mut run = deployment::perform(order, &failures(step));
    let last = state.finished_at().unwrap_or(now);
    let mut performed = Vec::new();
    let mut next_change = None;
    for (one, thousandth) in run.at(1000).completed {
        match step.done_at(state, thousandth) {
            Some(at) if at <= last => performed.push((one.clone(), at)),
            later => {
                next_change = later;
                break;
            }
        }
    }
    if state.finished_at().is_some() {
        next_change = None;
        if performed.len() < run.performed.len() {
            let count = performed.len();
            run = run.stopped_after(order, count);
            performed.extend(run.performed.iter().skip(count).map(|one| (one.clone(), last)));
        }
    }
    DeploymentMoment { run, performed, next_change }
}

/// Returns a deploy step, its state and its target, if it has begun.
fn begun(execution: &Execution, position: usize) -> Option<(&PlannedStep, &StepState, &Target)> {
    let (step, state) = execution.step(position)?;
    let target = step.target.as_ref().filter(|_| step.action == Action::Deploy)?;
    state.started_at()?;
    Some((step, state, target))
}

/// Returns the deployment of the step at a position as it stands at `now`, or `None` if the step is
/// no deployment or has not started.
#[must_use]
pub fn deployment(
    execution: &Execution,
    position: usize,
    now: Timestamp,
) -> Option<StepDeployment> {
    let (step, state, target) = begun(execution, position)?;
    let outputs = Outputs::of(&Build::of(execution));
    let order = outputs.order(target.environment_type, target.topology, &step.options);
    let DeploymentMoment { run, performed, next_change } = advance(step, state, &order, now);
    let name = target.name.as_deref().unwrap_or_default();
    let urls = environment_urls(name).map(|(kind, url)| (kind.as_str(), url));
    Some(StepDeployment {
        current: run
            .performed
            .get(performed.len())
            .or(run.performed.last())
            .map(|one| one.command.id),
        performed,
        summary: lines::summary(&run),
        error: run.outcome.err(),
        next_change,
        urls: urls.into(),
        commands: run.planned,
    })
}

/// Returns what the deploy step at a position has changed on instances up to `now`, in order. Empty
/// if the step is no deployment or has not started.
///
/// As time passes, the list only grows at its end.
#[must_use]
pub fn instance_changes(
    execution: &Execution,
    position: usize,
    now: Timestamp,
) -> Vec<InstanceChange> {
    let Some((step, state, target)) = begun(execution, position) else { return Vec::new() };
    let outputs = Outputs::of(&Build::of(execution));
    let order = outputs.order(target.environment_type, target.topology, &step.options);
    let DeploymentMoment { run, performed, .. } = advance(step, state, &order, now);
    let built_by = execution.plan.code.built_by.as_ref();
    let deployer = Deployer {
        execution: execution.id,
        built_by: built_by.map_or(execution.id, |build| build.execution_id),
    };
    let changes = performed.iter().filter_map(|(one, at)| deployer.change(&order, one, *at));
    let mut changes: Vec<_> = changes.collect();
    if let Some(at) = state.finished_at() {
        let dispatchers =
            run.instances.into_iter().filter(|one| one.kind == InstanceKind::Dispatcher);
        changes.extend(dispatchers.map(|InstanceState { instance, .. }| InstanceChange {
            at,
            execution: execution.id,
            instance,
            action: InstanceAction::DropBackup,
        }));
    }
    changes
}

/// Returns the failures of a step: those that a scenario names, or one that explains its outcome.
fn failures(step: &PlannedStep) -> Vec<Failure> {
    match step.outcome {
        Outcome::Finished | Outcome::Paused => Vec::new(),
        Outcome::Failed | Outcome::Error if !step.failures.is_empty() => step.failures.clone(),
        Outcome::Failed | Outcome::Error => vec![Failure {
            command: CommandKind::InstallClientPackages,
            instance: None,
            subject: None,
            message: step.message.clone(),
        }],
    }
}

/// Checks that a command can fail in a deployment of what is built from the repository.
pub fn validate(
    failure: &Failure,
    repository: &str,
    environment_type: EnvironmentType,
    topology: Topology,
    options: &StepOptions,
) -> Result<(), String> {
    let outputs = Outputs::of(&Build::new(repository, "", ""));
    failure.validate(&outputs.order(environment_type, topology, options))
}

/// What a build leaves to be deployed.
struct Outputs {
    packages: Vec<Package>,
    dispatcher: DispatcherPackage,
}

impl Outputs {
    fn of(build: &Build) -> Self {
        let package = |output| {
            let package = build.package(output)?;
            let depends_on = Output::ALL.into_iter().filter_map(|other| build.package(other));
            let depends_on = depends_on
                .filter(|other| package.depends_on.contains(&other.coordinates()))
                .map(|other| other.name);
            Some(Package {
                file: build.file_name(output),
                depends_on: depends_on.collect(),
                group: package.group,
                name: package.name,
                version: package.version,
            })
        };
        Self {
            packages: Output::ALL.into_iter().filter_map(package).collect(),
            dispatcher: DispatcherPackage {
                file: build.file_name(Output::Dispatcher),
                entries: dispatcher_paths().map(str::to_owned).collect(),
            },
        }
    }

    fn order<'a>(
        &'a self,
        environment_type: EnvironmentType,
        topology: Topology,
        options: &'a StepOptions,
    ) -> Order<'a> {
        Order {
            environment_type,
            topology,
            region: REGION,
            packages: &self.packages,
            dispatcher_package: Some(&self.dispatcher),
            options,
        }
    }
}

/// Returns when time alone will next change the content about the execution, or `None` if never.
/// This bounds how long a cached body is valid.
#[must_use]
pub fn next_change(execution: &Execution, now: Timestamp) -> Option<Timestamp> {
    let due = machine::due_at(execution);
    let running = execution.current_step().filter(|position| {
        matches!(execution.steps.get(*position), Some(StepState::Running { .. }))
    });
    let performed = running.and_then(|position| deployment(execution, position, now)?.next_change);
    [due, performed].into_iter().flatten().min()
}
