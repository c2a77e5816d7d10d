//! Deployment commands: what is done to one instance.

use crate::domain::word::words;

words! {
    /// What a deployment command does. The names are the API's `stepAction`.
    pub enum CommandKind {
        /// Takes a dispatcher out of the load balancer.
        ManageElbLinksDetach = "manage-elb-links-detach",
        /// Installs an AEM package on an author or publish instance.
        InstallClientPackages = "install-client-packages",
        /// Copies a dispatcher's configuration to a temporary place.
        PerformBackup = "perform-backup",
        /// Deletes a dispatcher's configuration but for the immutable files.
        CleanDispatcherConfiguration = "clean-dispatcher-configuration",
        /// Extracts the dispatcher package but for the immutable files.
        ExtractDispatcherPackage = "extract-dispatcher-package",
        /// Lets the web server check its configuration.
        TestDispatcherConfiguration = "test-dispatcher-configuration",
        /// Puts the configuration into service.
        ReloadDispatcher = "reload-dispatcher",
        /// Brings the configuration back from the backup; only to recover.
        RestoreBackup = "restore-backup",
        /// Invalidates a path in a dispatcher's cache.
        InvalidateDispatcherCache = "invalidate-dispatcher-cache",
        /// Flushes a path from a dispatcher's cache; the path `/` is the whole cache.
        FlushDispatcherCache = "flush-dispatcher-cache",
        /// Puts a dispatcher back into the load balancer.
        ManageElbLinksAttach = "manage-elb-links-attach",
    }
}

impl CommandKind {
    /// Returns the command's default error message, used if the scenario gives none.
    pub(super) fn default_error(self) -> &'static str {
        match self {
            Self::ManageElbLinksDetach | Self::ManageElbLinksAttach => {
                "the load balancer did not answer in time"
            }
            Self::InstallClientPackages => "Package Manager reported an error",
            Self::PerformBackup => "no space left on device",
            Self::CleanDispatcherConfiguration => "a file could not be deleted",
            Self::ExtractDispatcherPackage => "the package could not be extracted",
            Self::TestDispatcherConfiguration => "Syntax error in /etc/httpd/conf.d",
            Self::ReloadDispatcher => "the httpd service did not reload",
            Self::RestoreBackup => "the backup could not be read",
            Self::InvalidateDispatcherCache | Self::FlushDispatcherCache => {
                "the dispatcher did not answer in time"
            }
        }
    }
}

/// A command for one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Number, from 1.
    pub id: u32,
    /// What it does.
    pub kind: CommandKind,
    /// The instance's name.
    pub instance: String,
    /// What it is done with: the file of a package, or a path.
    pub subject: Option<String>,
    /// From 0. Commands of a stage are performed in parallel, one stage after another.
    pub stage: usize,
}
