//! Failures that a scenario asks for.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Order;
use super::command::{Command, CommandKind};
use super::plan::plan;

/// A command that fails the first time it is performed on the instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Failure {
    /// The command.
    pub command: CommandKind,
    /// The name of the instance; if absent, the first instance on which the command is performed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What the command is performed with: a package by its file name, its name or `group:name`, or
    /// a path of the dispatcher's cache. If absent, the first command on the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The error message; the usual one of the command if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Failure {
    /// Checks that the deployment has such a command; the error says which ones it has.
    ///
    /// A command that is only performed to recover is no part of any plan.
    pub fn validate(&self, order: &Order<'_>) -> Result<(), String> {
        let plan = plan(order);
        if self.find_command(order, &plan).is_some() {
            return Ok(());
        }
        let command = self.command.as_str();
        if self.command == CommandKind::RestoreBackup {
            return Err(format!("{command} is only performed during recovery and can't fail"));
        }
        let instances = distinct(
            plan.iter().filter(|one| one.kind == self.command).map(|one| one.instance.as_str()),
        );
        if let Some(instance) = &self.instance
            && !instances.is_empty()
            && !instances.contains(&instance.as_str())
        {
            let instances = instances.join(", ");
            return Err(format!(
                "{command} is not performed on {instance}; it is performed on {instances}"
            ));
        }
        let subjects = plan.iter().filter(|one| one.kind == self.command);
        let subjects = distinct(subjects.filter_map(|one| one.subject.as_deref()));
        if let (Some(subject), false) = (&self.subject, instances.is_empty()) {
            return Err(if subjects.is_empty() {
                format!("{command} has no subject")
            } else {
                let subjects = subjects.join(", ");
                format!(
                    "{command} is not performed with {subject}; it is performed with {subjects}"
                )
            });
        }
        let commands = distinct(plan.iter().map(|one| one.kind.as_str())).join(", ");
        Err(if commands.is_empty() {
            format!("the deployment has no command {command}: it has none")
        } else {
            format!("the deployment has no command {command}; it has {commands}")
        })
    }

    /// Returns the planned command that it is about.
    pub(super) fn find_command<'a>(
        &self,
        order: &Order<'_>,
        plan: &'a [Command],
    ) -> Option<&'a Command> {
        plan.iter().find(|command| {
            command.kind == self.command
                && self.instance.as_ref().is_none_or(|wanted| command.instance == *wanted)
                && self.subject.as_ref().is_none_or(|wanted| names(wanted, order, command))
        })
    }
}

/// Returns whether a scenario means the subject of a command.
fn names(wanted: &str, order: &Order<'_>, command: &Command) -> bool {
    let Some(subject) = &command.subject else { return false };
    let mut packages = order.packages.iter().filter(|package| package.file == *subject);
    subject.split(", ").any(|path| path == wanted) || packages.any(|it| it.is_named(wanted))
}

/// Each of the names once, in the order in which they first come.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}
