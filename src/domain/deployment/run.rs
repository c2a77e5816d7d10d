//! Performing the commands, with failures and recovery.

use std::collections::BTreeMap;

use super::command::{Command, CommandKind};
use super::failure::Failure;
use super::instance::{InstanceState, Instances};
use super::plan::plan;
use super::{DispatcherPackage, Order};

/// A command that was performed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Performed {
    /// The command. If it was planned, it has its planned id; recovery counts on from there.
    pub command: Command,
    /// Its result; the error is its message.
    pub result: Result<(), String>,
    /// Whether it was performed to recover.
    pub is_recovery: bool,
}

/// A deployment from beginning to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The commands that were expected to be performed.
    pub planned: Vec<Command>,
    /// The commands in the order in which they were performed, stage after stage.
    pub performed: Vec<Performed>,
    /// The result of the deployment; the error names each planned command that failed.
    pub outcome: Result<(), String>,
    /// The state of each instance in the end.
    pub instances: Vec<InstanceState>,
}

/// Performs the deployment, with these failures. Those that are about no planned command are
/// left out ([`Failure::validate`]).
#[must_use]
pub fn perform(order: &Order<'_>, failures: &[Failure]) -> Run {
    let plan = plan(order);
    let mut performance = Performer {
        package: order.dispatcher_package,
        failures: messages(order, failures, &plan),
        instances: Instances::before(order),
        performed: Vec::with_capacity(plan.len()),
        next_id: plan.last().map_or(1, |last| last.id.saturating_add(1)),
    };
    let mut errors = Vec::new();
    for stage in plan.chunk_by(|one, other| one.stage == other.stage) {
        errors = performance.perform_stage(stage.to_vec(), false);
        if !errors.is_empty() {
            performance.recover();
            break;
        }
    }
    let errors: Vec<_> = errors
        .into_iter()
        .map(|(command, message)| {
            format!("{} failed on {}: {message}", command.kind.as_str(), command.instance)
        })
        .collect();
    Run {
        planned: plan,
        performed: performance.performed,
        outcome: if errors.is_empty() { Ok(()) } else { Err(errors.join("; ")) },
        instances: performance.instances.into_states(),
    }
}

impl Run {
    /// Returns a deployment that is refused for this reason before its first command.
    #[must_use]
    pub fn refused(order: &Order<'_>, reason: String) -> Self {
        let instances = Instances::before(order);
        Self {
            planned: plan(order),
            performed: Vec::new(),
            outcome: Err(reason),
            instances: instances.into_states(),
        }
    }

    /// Returns the same deployment, stopped after that many commands. Recovery then restores the
    /// instances, as after a failure.
    #[must_use]
    pub fn stopped_after(self, order: &Order<'_>, commands: usize) -> Self {
        let mut performance = Performer {
            package: order.dispatcher_package,
            failures: BTreeMap::new(),
            instances: Instances::before(order),
            performed: self.performed.iter().take(commands).cloned().collect(),
            next_id: self.performed.iter().map(|one| one.command.id).max().unwrap_or(0) + 1,
        };
        for Performed { command, result, .. } in &performance.performed {
            performance.instances.apply(command, result.is_ok());
        }
        performance.recover();
        Self {
            planned: self.planned,
            performed: performance.performed,
            outcome: Err("the deployment was stopped".into()),
            instances: performance.instances.into_states(),
        }
    }
}

/// What tells commands apart: kind, instance and subject.
type Identity = (CommandKind, String, Option<String>);

/// Returns what each command that fails says.
fn messages(
    order: &Order<'_>,
    failures: &[Failure],
    plan: &[Command],
) -> BTreeMap<Identity, String> {
    let mut messages = BTreeMap::new();
    for failure in failures {
        if let Some(command) = failure.find_command(order, plan) {
            messages.entry(identity(command)).or_insert_with(|| {
                failure.message.clone().unwrap_or_else(|| command.kind.default_error().to_owned())
            });
        }
    }
    messages
}

fn identity(command: &Command) -> Identity {
    (command.kind, command.instance.clone(), command.subject.clone())
}

struct Performer<'a> {
    package: Option<&'a DispatcherPackage>,
    /// The failures that have not happened.
    failures: BTreeMap<Identity, String>,
    instances: Instances<'a>,
    performed: Vec<Performed>,
    /// The id of the next command of the recovery.
    next_id: u32,
}

impl Performer<'_> {
    /// Performs all commands of a stage, even if some fail, and returns those that failed.
    fn perform_stage(
        &mut self,
        commands: Vec<Command>,
        is_recovery: bool,
    ) -> Vec<(Command, String)> {
        let mut errors = Vec::new();
        for command in commands {
            let result = self.result_of(&command);
            self.instances.apply(&command, result.is_ok());
            if let Err(message) = &result {
                errors.push((command.clone(), message.clone()));
            }
            self.performed.push(Performed { command, result, is_recovery });
        }
        errors
    }

    /// Returns the result of a command. A failure happens only once, so recovery can succeed.
    fn result_of(&mut self, command: &Command) -> Result<(), String> {
        if command.kind == CommandKind::CleanDispatcherConfiguration
            && let Some(problem) = self.package.and_then(DispatcherPackage::problem)
        {
            return Err(problem);
        }
        self.failures.remove(&identity(command)).map_or(Ok(()), Err)
    }

    /// Gives each dispatcher a configuration that can stay, and attaches it: a configuration that is
    /// not in service is restored, unless its test passed.
    fn recover(&mut self) {
        let unsettled = self.instances.unsettled();
        self.perform_with_retry(CommandKind::RestoreBackup, self.instances.untested());
        self.perform_with_retry(CommandKind::ReloadDispatcher, unsettled);
        self.perform_with_retry(CommandKind::ManageElbLinksAttach, self.instances.detached());
    }

    /// Performs a command on each of the instances, and repeats it once where it fails.
    fn perform_with_retry(&mut self, kind: CommandKind, instances: Vec<String>) {
        let mut instances = instances;
        while !instances.is_empty() {
            let stage = self.performed.last().map_or(0, |last| last.command.stage + 1);
            let mut commands = Vec::with_capacity(instances.len());
            for instance in instances {
                let id = self.next_id;
                self.next_id = id.saturating_add(1);
                commands.push(Command { id, kind, instance, subject: None, stage });
            }
            let errors = self.perform_stage(commands, true);
            instances = errors.into_iter().map(|(command, _)| command.instance).collect();
        }
    }
}
