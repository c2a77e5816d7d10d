//! What a deployment writes into the log of its step.

use super::command::{Command, CommandKind};
use super::instance::{Configuration, InstanceState};
use super::run::{Performed, Run};

impl Performed {
    /// The block of lines about the command, from its beginning to its end.
    #[must_use]
    pub fn log_lines(&self) -> Vec<String> {
        let (kind, instance) = (self.command.kind, &self.command.instance);
        let name = kind.as_str();
        let purpose = if self.is_recovery { " to recover" } else { "" };
        let mut lines = vec![
            format!("[INFO] Begin {name} for {instance}{purpose}"),
            format!("[INFO] {}", describe(&self.command)),
        ];
        match &self.result {
            Ok(()) => {
                if kind == CommandKind::TestDispatcherConfiguration {
                    lines.push("[INFO] Syntax OK".to_owned());
                }
                lines.push(format!("[INFO] End {name} for {instance}: ok"));
            }
            Err(message) => {
                lines.extend(message.lines().map(|line| format!("[ERROR] {line}")));
                lines.push(format!("[ERROR] End {name} for {instance}: failed"));
            }
        }
        lines
    }
}

impl Run {
    /// After a failed deployment, one line on the state of each instance; otherwise nothing.
    #[must_use]
    pub fn summary_lines(&self) -> Vec<String> {
        if self.outcome.is_ok() {
            return Vec::new();
        }
        self.instances
            .iter()
            .map(|state| format!("[WARN] {}: {}", state.instance, summarize(state)))
            .collect()
    }
}

fn describe(command: &Command) -> String {
    let instance = &command.instance;
    let subject = command.subject.as_deref().unwrap_or_default();
    match command.kind {
        CommandKind::ManageElbLinksDetach => format!("Removing {instance} from the load balancer"),
        CommandKind::InstallClientPackages => format!("Installing {subject} via Package Manager"),
        CommandKind::PerformBackup => "Copying /etc/httpd to a temporary folder".to_owned(),
        CommandKind::CleanDispatcherConfiguration => {
            "Deleting all files in /etc/httpd but the immutable ones".to_owned()
        }
        CommandKind::ExtractDispatcherPackage => {
            format!("Extracting {subject} to /etc/httpd, without immutable files")
        }
        CommandKind::TestDispatcherConfiguration => "Running httpd -t".to_owned(),
        CommandKind::ReloadDispatcher => "Reloading the httpd service".to_owned(),
        CommandKind::RestoreBackup => "Restoring /etc/httpd from its backup".to_owned(),
        CommandKind::InvalidateDispatcherCache => format!("Invalidating {subject}"),
        CommandKind::FlushDispatcherCache => format!("Flushing {subject}"),
        CommandKind::ManageElbLinksAttach => format!("Adding {instance} to the load balancer"),
    }
}

fn summarize(state: &InstanceState) -> String {
    let configuration = match state.configuration {
        None if state.installed.is_empty() => return "nothing was installed".to_owned(),
        None => return format!("installed {}", state.installed.join(", ")),
        Some(Configuration::Unchanged) => "the configuration is unchanged",
        Some(Configuration::Deployed) => "the new configuration is in service",
        Some(Configuration::Restored) => "the configuration was restored from its backup",
    };
    let place =
        if state.attached == Some(true) { "in the load balancer" } else { "out of service" };
    format!("{place}; {configuration}")
}
