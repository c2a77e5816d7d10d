//! The deployment of a deploy step, and its progress.

mod lines;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::content::artifact::{Build, BuildFile, ContentPackage, FileRole};
use crate::domain::build::Output;
use crate::domain::deployment::memory::{Deployer, InstanceAction, InstanceChange};
use crate::domain::deployment::{
    self, Command, CommandKind, DispatcherPackage, Failure, InstanceKind, InstanceState, Order,
    Package, Performed, PresentPackage, Run, environment_urls, met_by_aem, needed_from,
    open_dependencies, package_problems,
};
use crate::domain::environment::{EnvironmentType, REGION, Topology};
use crate::domain::execution::plan::{Plan, PlannedStep, Target};
use crate::domain::execution::step::StepState;
use crate::domain::execution::{Execution, machine};
use crate::domain::id::EnvironmentId;
use crate::domain::pipeline::{Action, StepOptions};
use crate::domain::scenario::Outcome;
use crate::domain::time::Timestamp;

/// How far the deployment of a step is.
#[derive(Clone, Debug, PartialEq)]
pub struct StepDeployment {
    /// What is expected to be performed.
    pub commands: Vec<Command>,
    /// What has begun, in order.
    pub begun: Vec<BegunCommand>,
    /// The command that is being performed; when all is over, the last one.
    pub current: Option<u32>,
    /// What there is to say at the end about the instances.
    pub summary: Vec<String>,
    /// What its log says of dependencies that the build itself does not meet.
    pub notes: Vec<String>,
    /// The immutable files in the dispatcher artifact, which are not extracted.
    pub ignored: Vec<String>,
    /// Why it fails or has failed.
    pub error: Option<String>,
    /// When the next command will be over, if time alone brings it about.
    pub next_change: Option<Timestamp>,
    /// Where the environment is reached, by the kind of instance.
    pub urls: Vec<(&'static str, String)>,
    /// When the step ended, if it has.
    over_at: Option<Timestamp>,
}

/// A command that has begun.
#[derive(Clone, Debug, PartialEq)]
pub struct BegunCommand {
    /// The command, with the result that it has or will have.
    pub performed: Performed,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended, or `None` if it has not, or was stopped.
    pub ended_at: Option<Timestamp>,
}

impl StepDeployment {
    /// Returns the commands that have been performed, each with the instant at which it ended.
    pub fn performed(&self) -> impl Iterator<Item = (&Performed, Timestamp)> {
        self.begun.iter().filter_map(|one| Some((&one.performed, one.ended_at?)))
    }

    /// Returns the lines about the commands that have begun, each with its instant. The commands of
    /// a stage begin and end together.
    #[must_use]
    pub fn log(&self) -> Vec<(Timestamp, String)> {
        let stage = |one: &BegunCommand| (one.performed.command.stage, one.performed.is_recovery);
        let mut log = Vec::new();
        for commands in self.begun.chunk_by(|one, other| stage(one) == stage(other)) {
            for BegunCommand { performed, began_at, .. } in commands {
                let lines = lines::begin(&performed.command, performed.is_recovery, &self.ignored);
                log.extend(lines.into_iter().map(|line| (*began_at, line)));
            }
            for BegunCommand { performed, ended_at, .. } in commands {
                match (ended_at, self.over_at) {
                    (Some(at), _) => {
                        log.extend(lines::end(performed).into_iter().map(|line| (*at, line)));
                    }
                    (None, Some(over_at)) => {
                        log.push((over_at, lines::stopped(&performed.command)));
                    }
                    (None, None) => {}
                }
            }
        }
        log
    }
}

/// A deployment that has begun, as it stands at an instant.
struct DeploymentMoment {
    run: Run,
    /// What has begun, in order.
    begun: Vec<BegunCommand>,
    /// When the next command will be over, if time alone brings it about.
    next_change: Option<Timestamp>,
}

impl DeploymentMoment {
    /// Returns the deployment of a step as it stands at `now`, or `None` if it has not started.
    fn new(
        step: &PlannedStep,
        state: &StepState,
        outputs: &Outputs,
        order: &Order<'_>,
        now: Timestamp,
    ) -> Option<Self> {
        let started_at = state.started_at()?;
        let mut run = run(outputs, order, step);
        let over_at = state.finished_at();
        let (mut begun, mut next_change) =
            begun_commands(&run, step, state, started_at, over_at.unwrap_or(now));
        let count = begun.iter().filter(|one| one.ended_at.is_some()).count();
        if let Some(at) = over_at {
            next_change = None;
            if count < run.performed.len() {
                run = run.stopped_after(order, count);
                let recovery = run.performed.iter().skip(count).cloned();
                let recovered =
                    |performed| BegunCommand { performed, began_at: at, ended_at: Some(at) };
                begun.extend(recovery.map(recovered));
            }
        }
        Some(Self { run, begun, next_change })
    }
}

/// Returns a deploy step, its state and its target.
fn deploy_step(
    execution: &Execution,
    position: usize,
) -> Option<(&PlannedStep, &StepState, &Target)> {
    let (step, state) = execution.step(position)?;
    let target = step.target.as_ref().filter(|_| step.action == Action::Deploy)?;
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
    let (step, state, target) = deploy_step(execution, position)?;
    let outputs = Outputs::of(&Build::of(execution));
    let order = outputs.order(target.environment_type, target.topology, &step.options);
    let DeploymentMoment { run, begun, next_change } =
        DeploymentMoment::new(step, state, &outputs, &order, now)?;
    let over_at = state.finished_at();
    let name = target.name.as_deref().unwrap_or_default();
    let urls = environment_urls(name).map(|(kind, url)| (kind.as_str(), url));
    Some(StepDeployment {
        current: begun
            .iter()
            .find(|one| one.ended_at.is_none() && over_at.is_none())
            .or(begun.last())
            .map(|one| one.performed.command.id),
        begun,
        notes: outputs.notes(&step.installed),
        ignored: order
            .dispatcher_package
            .map(|package| package.ignored_files().map(str::to_owned).collect())
            .unwrap_or_default(),
        summary: lines::summary(&run),
        error: run.outcome.err(),
        next_change,
        urls: urls.into(),
        commands: run.planned,
        over_at,
    })
}

/// Performs the deployment of a step.
fn run(outputs: &Outputs, order: &Order<'_>, step: &PlannedStep) -> Run {
    let problems = outputs.problems(&step.installed);
    if !problems.is_empty() {
        return Run::refused(order, problems.join("; "));
    }
    let mut run = deployment::perform(order, &failures(order, step));
    if run.outcome.is_ok() && matches!(step.outcome, Outcome::Failed | Outcome::Error) {
        // The output of the build decides which commands the deployment has.
        run.outcome = Err("the scenario lets a command fail that is not part of it".into());
    }
    run
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
    let Some((step, state, target)) = deploy_step(execution, position) else { return Vec::new() };
    let outputs = Outputs::of(&Build::of(execution));
    let order = outputs.order(target.environment_type, target.topology, &step.options);
    let Some(DeploymentMoment { run, begun, .. }) =
        DeploymentMoment::new(step, state, &outputs, &order, now)
    else {
        return Vec::new();
    };
    let deployer = Deployer { execution: execution.id, built_by: execution.built_by() };
    let changes =
        begun.iter().filter_map(|one| deployer.change(&order, &one.performed, one.ended_at?));
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

/// Returns the commands that have begun at `last`, and when those that have not ended will end.
fn begun_commands(
    run: &Run,
    step: &PlannedStep,
    state: &StepState,
    started_at: Timestamp,
    last: Timestamp,
) -> (Vec<BegunCommand>, Option<Timestamp>) {
    let mut begun = Vec::new();
    let mut began_at = started_at;
    let completed = run.at(1000).completed;
    for stage in completed.chunk_by(|(one, _), (other, _)| one.command.stage == other.command.stage)
    {
        let end = stage.first().and_then(|(_, thousandth)| step.done_at(state, *thousandth));
        let ended_at = end.filter(|end| *end <= last);
        begun.extend(stage.iter().map(|(performed, _)| BegunCommand {
            performed: (*performed).clone(),
            began_at,
            ended_at,
        }));
        match ended_at {
            Some(at) => began_at = at,
            None => return (begun, end),
        }
    }
    (begun, None)
}

/// Returns the failures of a step: those that a scenario names, or one that explains its outcome.
fn failures(order: &Order<'_>, step: &PlannedStep) -> Vec<Failure> {
    match step.outcome {
        Outcome::Finished | Outcome::Paused => Vec::new(),
        Outcome::Failed | Outcome::Error if !step.failures.is_empty() => step.failures.clone(),
        Outcome::Failed | Outcome::Error
            if order.dispatcher_package.is_some_and(|it| it.problem().is_some()) =>
        {
            Vec::new()
        }
        Outcome::Failed | Outcome::Error => {
            let planned = deployment::plan(order);
            let installs = |command: &&Command| command.kind == CommandKind::InstallClientPackages;
            let command = planned.iter().find(installs).or(planned.first());
            let failure = |command: &Command| Failure {
                command: command.kind,
                instance: None,
                subject: None,
                message: step.message.clone(),
            };
            command.map(failure).into_iter().collect()
        }
    }
}

/// Checks that a command can fail in a deployment of what a build leaves. If `outputs` does not say
/// what that is, the demo's files stand for it, and any package may be meant.
pub fn validate(
    failure: &Failure,
    outputs: Option<&[Output]>,
    environment_type: EnvironmentType,
    topology: Topology,
    options: &StepOptions,
) -> Result<(), String> {
    let is_open = outputs.is_none() && failure.command == CommandKind::InstallClientPackages;
    let subject = failure.subject.clone().filter(|_| !is_open);
    let failure = Failure { subject, ..failure.clone() };
    let outputs = Outputs::of(&Build::new("", "", "", outputs));
    failure.validate(&outputs.order(environment_type, topology, options))
}

/// What a build leaves to be deployed.
struct Outputs {
    packages: Vec<Package>,
    dispatchers: Vec<DispatcherPackage>,
}

impl Outputs {
    fn of(build: &Build<'_>) -> Self {
        let mut outputs = Self { packages: Vec::new(), dispatchers: Vec::new() };
        for BuildFile { file, role, .. } in build.files() {
            match role {
                FileRole::Package(ContentPackage { group, name, version, depends_on }) => {
                    // They were checked when they were written.
                    let depends_on = depends_on.iter().filter_map(|it| it.parse().ok()).collect();
                    outputs.packages.push(Package { group, name, version, file, depends_on });
                }
                FileRole::Dispatcher(entries) => {
                    outputs.dispatchers.push(DispatcherPackage { file, entries });
                }
                FileRole::Other => {}
            }
        }
        outputs
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
            dispatcher_package: self.dispatchers.first(),
            options,
        }
    }

    /// Returns why nothing of it can be deployed to instances with the `installed` packages.
    fn problems(&self, installed: &[PresentPackage]) -> Vec<String> {
        let mut problems = package_problems(&self.packages, installed);
        if self.dispatchers.len() > 1 {
            let files: Vec<_> = self.dispatchers.iter().map(|it| it.file.as_str()).collect();
            let files = files.join(", ");
            problems.push(format!("the build has more than one dispatcher artifact: {files}"));
        }
        problems
    }

    /// Returns the notes of a deployment's log on what it does not do by itself.
    fn notes(&self, installed: &[PresentPackage]) -> Vec<String> {
        let by_aem = met_by_aem(&self.packages).into_iter();
        let by_aem = by_aem.map(|(file, it)| format!("[INFO] {file} depends on {it}: part of AEM"));
        let on_instances = installed.iter().map(|PresentPackage { group, name, version }| {
            format!("[INFO] {group}:{name}:{version} is on the instances already")
        });
        by_aem.chain(on_instances).collect()
    }
}

/// Returns the environments of an execution whose instances may have packages that its build lacks;
/// usually none.
#[must_use]
pub fn environments_to_search(execution: &Execution) -> BTreeSet<EnvironmentId> {
    let outputs = Outputs::of(&Build::of(execution));
    if open_dependencies(&outputs.packages).next().is_none() {
        return BTreeSet::new();
    }
    let deploys = execution.plan.steps.iter().filter(|step| step.action == Action::Deploy);
    deploys.filter_map(|step| Some(step.target.as_ref()?.id)).collect()
}

/// Decides for each deployment of a new execution whether it can succeed, and stores in the plan
/// which needed packages the instances have. `installed` returns the packages on each author and
/// publish instance.
pub fn decide_deployments(
    execution: &mut Execution,
    installed: impl Fn(&Target) -> Vec<Vec<PresentPackage>>,
) {
    let mut plan = Plan::clone(&execution.plan);
    let outputs = Outputs::of(&Build::of(execution));
    for step in plan.steps.iter_mut().filter(|step| step.action == Action::Deploy) {
        let Some(target) = &step.target else { continue };
        step.installed = needed_from(&outputs.packages, &installed(target));
        let order = outputs.order(target.environment_type, target.topology, &step.options);
        let is_doomed = !outputs.problems(&step.installed).is_empty()
            || order.dispatcher_package.is_some_and(|it| it.problem().is_some());
        if is_doomed && matches!(step.outcome, Outcome::Finished | Outcome::Paused) {
            step.outcome = Outcome::Failed;
        }
    }
    if plan != *execution.plan {
        execution.plan = Arc::new(plan);
    }
}

/// Returns the time of the next change of the generated content that happens without a command, or
/// `None`. A cached response is valid only until then.
#[must_use]
pub fn next_change(execution: &Execution, now: Timestamp) -> Option<Timestamp> {
    let due = machine::due_at(execution);
    let running = execution.current_step().filter(|position| {
        matches!(execution.steps.get(*position), Some(StepState::Running { .. }))
    });
    let performed = running.and_then(|position| deployment(execution, position, now)?.next_change);
    [due, performed].into_iter().flatten().min()
}
