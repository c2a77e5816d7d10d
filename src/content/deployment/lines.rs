//! What a deployment writes into the log of its step: commands, and in the end instances.

use crate::domain::deployment::{
    Command, CommandKind, Configuration, InstanceState, Performed, Run,
};

/// Returns the lines about the beginning of a command. The dispatcher artifact contains the
/// `ignored` immutable files.
pub(super) fn begin(command: &Command, is_recovery: bool, ignored: &[String]) -> Vec<String> {
    let (name, instance) = (command.kind.as_str(), &command.instance);
    let purpose = if is_recovery { " to recover" } else { "" };
    let mut lines = vec![
        format!("[INFO] Begin {name} for {instance}{purpose}"),
        format!("[INFO] {}", describe(command)),
    ];
    if command.kind == CommandKind::ExtractDispatcherPackage && !ignored.is_empty() {
        let (count, files) = (ignored.len(), ignored.join(", "));
        lines.push(format!("[INFO] Ignoring {count} immutable files: {files}"));
    }
    lines
}

/// Returns the lines about the end of a command.
pub(super) fn end(performed: &Performed) -> Vec<String> {
    let Performed { command, result, is_recovery: _ } = performed;
    let (name, instance) = (command.kind.as_str(), &command.instance);
    let mut lines = Vec::new();
    match result {
        Ok(()) => {
            if command.kind == CommandKind::TestDispatcherConfiguration {
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

/// Returns the line about a command that was stopped before its end.
pub(super) fn stopped(command: &Command) -> String {
    format!("[WARN] End {} for {}: stopped", command.kind.as_str(), command.instance)
}

/// After a failed deployment, the reason if no command tells it, and one line on the state of each
/// instance; otherwise nothing.
pub(super) fn summary(run: &Run) -> Vec<String> {
    let Err(error) = &run.outcome else { return Vec::new() };
    let is_told = run.performed.iter().any(|one| one.result.is_err());
    let error = (!is_told).then(|| format!("[ERROR] {error}"));
    let states = run.instances.iter();
    let states = states.map(|state| format!("[WARN] {}: {}", state.instance, summarize(state)));
    error.into_iter().chain(states).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::{
        DispatcherPackage, Failure, IMMUTABLE_FILES, Order, Package, perform,
    };
    use crate::domain::environment::{EnvironmentType, Topology};
    use crate::domain::pipeline::StepOptions;

    fn full_file_set() -> Vec<String> {
        let own = ["conf.d/enabled_vhosts/a.vhost", "conf.dispatcher.d/enabled_farms/a.any"];
        own.into_iter().chain(IMMUTABLE_FILES).map(str::to_owned).collect()
    }

    fn package(name: &str) -> Package {
        Package {
            group: "weretail".into(),
            name: name.into(),
            version: "2.1.0".into(),
            file: format!("{name}-2.1.0.zip"),
            depends_on: Vec::new(),
        }
    }

    /// Returns a deployment to an author and so many pairs, in which a command of that kind may
    /// fail.
    fn deployment(
        environment_type: EnvironmentType,
        pairs: u32,
        fails: Option<CommandKind>,
    ) -> Run {
        let order = Order {
            environment_type,
            topology: Topology { authors: 1, pairs, cold_standby: false },
            region: "uswest2",
            packages: &[package("core"), package("ui.apps")],
            dispatcher_package: Some(&DispatcherPackage {
                file: "dispatcher-2.1.0.zip".into(),
                entries: std::sync::Arc::new(full_file_set()),
            }),
            options: &StepOptions::default(),
        };
        let failure = |command| Failure {
            command,
            instance: None,
            subject: None,
            message: Some("because".into()),
        };
        perform(&order, &fails.into_iter().map(failure).collect::<Vec<_>>())
    }

    #[test]
    fn a_deployment_that_fails_ends_with_the_state_of_each_instance() {
        let fails = CommandKind::TestDispatcherConfiguration;
        let run = deployment(EnvironmentType::Prod, 2, Some(fails));
        assert_eq!(
            summary(&run),
            [
                "[WARN] author1uswest2: installed core-2.1.0.zip, ui.apps-2.1.0.zip",
                "[WARN] publish1uswest2: installed core-2.1.0.zip, ui.apps-2.1.0.zip",
                "[WARN] publish2uswest2: nothing was installed",
                "[WARN] dispatcher1uswest2: in the load balancer; \
                 the configuration was restored from its backup",
                "[WARN] dispatcher2uswest2: in the load balancer; the configuration is unchanged",
            ]
        );
    }

    #[test]
    fn only_a_deployment_that_fails_has_a_summary() {
        for environment_type in [EnvironmentType::Dev, EnvironmentType::Prod] {
            let run = deployment(environment_type, 1, None);
            assert_eq!(run.outcome, Ok(()));
            assert_eq!(summary(&run), [""; 0]);
            for command in run.planned {
                let run = deployment(environment_type, 1, Some(command.kind));
                assert!(run.outcome.is_err(), "{command:?}");
                assert_eq!(summary(&run).len(), 3, "{command:?}");
            }
        }
    }

    #[test]
    fn a_command_logs_its_beginning_and_its_end() {
        let run = deployment(EnvironmentType::Dev, 1, Some(CommandKind::PerformBackup));
        let begins: Vec<_> = run.performed[1..]
            .iter()
            .map(|one| begin(&one.command, one.is_recovery, &[]))
            .collect();
        let ends: Vec<_> = run.performed[1..].iter().map(end).collect();
        assert_eq!(
            begins[0],
            [
                "[INFO] Begin install-client-packages for author1uswest2",
                "[INFO] Installing core-2.1.0.zip via Package Manager",
            ]
        );
        assert_eq!(ends[0], ["[INFO] End install-client-packages for author1uswest2: ok"]);
        assert_eq!(
            begins[2],
            [
                "[INFO] Begin perform-backup for dispatcher1uswest2",
                "[INFO] Copying /etc/httpd to a temporary folder",
            ]
        );
        assert_eq!(
            ends[2],
            ["[ERROR] because", "[ERROR] End perform-backup for dispatcher1uswest2: failed"]
        );
        assert_eq!(
            begins[3][0],
            "[INFO] Begin manage-elb-links-attach for dispatcher1uswest2 to recover"
        );
    }
}
