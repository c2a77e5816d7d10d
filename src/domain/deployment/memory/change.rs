//! What a deployment does to instances that stays.

use super::files::DeployedArtifact;
use super::package::InstalledPackage;
use crate::domain::deployment::{CommandKind, Order, Performed};
use crate::domain::id::ExecutionId;
use crate::domain::time::Timestamp;

/// Something that an execution does to an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceChange {
    /// When.
    pub at: Timestamp,
    /// The execution.
    pub execution: ExecutionId,
    /// The instance's name.
    pub instance: String,
    /// What.
    pub action: InstanceAction,
}

/// What is done to an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstanceAction {
    /// A package is installed.
    Install(InstalledPackage),
    /// A dispatcher enters the load balancer, or leaves it.
    Attach(bool),
    /// The configuration is copied.
    BackUp,
    /// All but the immutable files are deleted.
    Clean,
    /// The files of an artifact are added.
    Extract(DeployedArtifact, Vec<String>),
    /// The configuration becomes that of the backup.
    Restore,
    /// A path of the cache is invalidated or flushed.
    EmptyCache(CommandKind, String),
    /// The deployment is over and needs its backup no more.
    DropBackup,
}

/// Whose artifacts are deployed by which execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deployer {
    /// The execution that deploys.
    pub execution: ExecutionId,
    /// The execution that built the artifacts.
    pub built_by: ExecutionId,
}

impl Deployer {
    /// Returns what a command of the deployment changes on its instance, or `None` if nothing.
    #[must_use]
    pub fn change(
        self,
        order: &Order<'_>,
        performed: &Performed,
        at: Timestamp,
    ) -> Option<InstanceChange> {
        let command = &performed.command;
        let action = if performed.result.is_ok() {
            self.action(order, performed, at)?
        } else if command.kind == CommandKind::CleanDispatcherConfiguration
            && order.dispatcher_package.is_some_and(|package| package.problem().is_none())
        {
            // One that fails by itself may have deleted any of the files: the worst case.
            InstanceAction::Clean
        } else {
            return None;
        };
        let instance = command.instance.clone();
        Some(InstanceChange { at, execution: self.execution, instance, action })
    }

    /// Returns what a command that succeeds does.
    fn action(
        self,
        order: &Order<'_>,
        performed: &Performed,
        at: Timestamp,
    ) -> Option<InstanceAction> {
        let Self { execution, built_by } = self;
        let command = &performed.command;
        Some(match command.kind {
            CommandKind::ManageElbLinksDetach => InstanceAction::Attach(false),
            CommandKind::ManageElbLinksAttach => InstanceAction::Attach(true),
            CommandKind::InstallClientPackages => {
                let file = command.subject.as_ref()?;
                let package = order.packages.iter().find(|package| package.file == *file)?;
                InstanceAction::Install(InstalledPackage {
                    group: package.group.clone(),
                    name: package.name.clone(),
                    version: package.version.clone(),
                    file: file.clone(),
                    execution,
                    built_by,
                    installed_at: at,
                })
            }
            CommandKind::PerformBackup => InstanceAction::BackUp,
            CommandKind::CleanDispatcherConfiguration => InstanceAction::Clean,
            CommandKind::ExtractDispatcherPackage => {
                let package = order.dispatcher_package?;
                let artifact = DeployedArtifact { file: package.file.clone(), execution, built_by };
                InstanceAction::Extract(artifact, package.files().map(str::to_owned).collect())
            }
            CommandKind::RestoreBackup => InstanceAction::Restore,
            kind @ (CommandKind::InvalidateDispatcherCache | CommandKind::FlushDispatcherCache) => {
                InstanceAction::EmptyCache(kind, command.subject.clone()?)
            }
            CommandKind::TestDispatcherConfiguration | CommandKind::ReloadDispatcher => {
                return None;
            }
        })
    }
}
