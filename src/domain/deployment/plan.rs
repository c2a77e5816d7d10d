//! The planned commands of a deployment: those that are performed if nothing fails.

use crate::domain::environment::EnvironmentType;

use super::command::{Command, CommandKind};
use super::package::in_dependency_order;
use super::{InstanceKind, Order};

/// Commands of one kind and subject, one for each of the instances.
struct Task<'a> {
    kind: CommandKind,
    instances: &'a [String],
    subject: Option<String>,
}

/// Returns the commands in the order in which they are expected to be performed.
#[must_use]
pub fn plan(order: &Order<'_>) -> Vec<Command> {
    let mut plan = CommandPlan { order, commands: Vec::new(), stage: 0 };
    let authors = order.instances(InstanceKind::Author);
    let publishers = order.instances(InstanceKind::Publish);
    let dispatchers = order.instances(InstanceKind::Dispatcher);
    if order.environment_type == EnvironmentType::Prod {
        for task in installations(order, &authors) {
            plan.stage([task]);
        }
        for (publisher, dispatcher) in publishers.chunks(1).zip(dispatchers.chunks(1)) {
            plan.deploy(publisher, dispatcher);
        }
    } else {
        plan.deploy(&[authors, publishers].concat(), &dispatchers);
    }
    plan.commands
}

struct CommandPlan<'a> {
    order: &'a Order<'a>,
    commands: Vec<Command>,
    stage: usize,
}

impl CommandPlan<'_> {
    /// Deploys all artifacts to these instances, AEM and dispatcher packages in parallel. The
    /// caches are emptied when the new content and the new rules are both there.
    fn deploy(&mut self, aem_instances: &[String], dispatchers: &[String]) {
        let task = |kind| Task { kind, instances: dispatchers, subject: None };
        if self.order.detaches_dispatchers() {
            self.stage([task(CommandKind::ManageElbLinksDetach)]);
        }
        let mut installations = installations(self.order, aem_instances).into_iter();
        let mut configuration = configuration(self.order, dispatchers).into_iter();
        loop {
            let side_by_side: Vec<_> =
                installations.next().into_iter().chain(configuration.next()).collect();
            if side_by_side.is_empty() {
                break;
            }
            self.stage(side_by_side);
        }
        for (kind, paths) in self.order.cache_paths() {
            self.stage(paths.into_iter().map(|path| Task { subject: Some(path), ..task(kind) }));
        }
        if self.order.detaches_dispatchers() {
            self.stage([task(CommandKind::ManageElbLinksAttach)]);
        }
    }

    /// Adds a stage: the commands of all these tasks are performed in parallel.
    fn stage<'a>(&mut self, tasks: impl IntoIterator<Item = Task<'a>>) {
        for Task { kind, instances, subject } in tasks {
            for instance in instances {
                let id = self.commands.last().map_or(1, |last| last.id.saturating_add(1));
                let (instance, subject) = (instance.clone(), subject.clone());
                self.commands.push(Command { id, kind, instance, subject, stage: self.stage });
            }
        }
        self.stage = self.commands.last().map_or(0, |last| last.stage + 1);
    }
}

/// Package after package, each on all of the instances.
fn installations<'a>(order: &Order<'_>, instances: &'a [String]) -> Vec<Task<'a>> {
    in_dependency_order(order.packages)
        .into_iter()
        .map(|package| Task {
            kind: CommandKind::InstallClientPackages,
            instances,
            subject: Some(package.file.clone()),
        })
        .collect()
}

/// Returns the tasks that deploy the dispatcher package; empty if there is none.
fn configuration<'a>(order: &Order<'_>, instances: &'a [String]) -> Vec<Task<'a>> {
    let Some(package) = order.dispatcher_package else { return Vec::new() };
    [
        (CommandKind::PerformBackup, None),
        (CommandKind::CleanDispatcherConfiguration, None),
        (CommandKind::ExtractDispatcherPackage, Some(package.file.clone())),
        (CommandKind::TestDispatcherConfiguration, None),
        (CommandKind::ReloadDispatcher, None),
    ]
    .map(|(kind, subject)| Task { kind, instances, subject })
    .into()
}
