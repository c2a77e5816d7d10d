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
    /// Commands that are only performed during recovery are not in any plan, so they are refused.
    pub fn validate(&self, order: &Order<'_>) -> Result<(), String> {
        let plan = plan(order);
        if self.find_command(order, &plan).is_some() {
            return Ok(());
        }
        let command = self.command.as_str();
        if self.command == CommandKind::RestoreBackup {
            return Err(format!("{command} is only performed during recovery and can't fail"));
        }
        let candidates = || plan.iter().filter(|one| one.kind == self.command);
        let instances = distinct(candidates().map(|one| one.instance.as_str()));
        if instances.is_empty() {
            let commands = distinct(plan.iter().map(|one| one.kind.as_str())).join(", ");
            let others = if commands.is_empty() { ": it has none" } else { "; it has " };
            return Err(format!("the deployment has no command {command}{others}{commands}"));
        }
        Err(match (&self.instance, &self.subject) {
            (Some(instance), _) if !instances.contains(&instance.as_str()) => {
                let instances = instances.join(", ");
                format!("{command} is not performed on {instance}; it is performed on {instances}")
            }
            (_, subject) => {
                let subject = subject.as_deref().unwrap_or_default();
                let known = distinct(candidates().filter_map(|one| one.subject.as_deref()));
                let known = if known.is_empty() { "nothing".into() } else { known.join(", ") };
                format!("{command} is not performed with {subject}, but with {known}")
            }
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
                && self.subject.as_ref().is_none_or(|wanted| order.is_subject(command, wanted))
        })
    }
}

/// Each of the names once, in the order in which they first come.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}
