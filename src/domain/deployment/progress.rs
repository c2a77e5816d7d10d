//! How far a deployment is at a given part of its time.

use super::command::CommandKind;
use super::run::{Performed, Run};

/// The share of a stage that installs packages; all others have 1.
const INSTALLATION_WEIGHT: i64 = 10;

/// How far a deployment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentProgress<'a> {
    /// The completed commands, each with the thousandth of the total time at which it ended.
    pub completed: Vec<(&'a Performed, i64)>,
    /// What is being done; of a stage, the first command. None when all is over.
    pub current: Option<&'a Performed>,
}

impl DeploymentProgress<'_> {
    /// Returns the id of the current command; when all is over, of the last one.
    #[must_use]
    pub fn current_id(&self) -> Option<u32> {
        let last = || self.completed.last().map(|(performed, _)| *performed);
        self.current.or_else(last).map(|performed| performed.command.id)
    }
}

impl Run {
    /// Returns how far the deployment is when that many thousandths of its time are over. The
    /// commands of a stage are completed together, at its end.
    #[must_use]
    pub fn at(&self, thousandths: i64) -> DeploymentProgress<'_> {
        let mut progress = DeploymentProgress { completed: Vec::new(), current: None };
        for (stage, end) in self.stages() {
            if end <= thousandths {
                progress.completed.extend(stage.iter().map(|performed| (performed, end)));
            } else {
                progress.current = stage.first();
                break;
            }
        }
        progress
    }

    /// Returns the stages, each with the thousandth at which it ends: later than 0, the last one at
    /// 1000.
    fn stages(&self) -> impl Iterator<Item = (&[Performed], i64)> {
        let stages =
            || self.performed.chunk_by(|one, other| one.command.stage == other.command.stage);
        let total: i64 = stages().map(weight).sum();
        stages().scan(0, move |passed, stage| {
            *passed += weight(stage);
            Some((stage, (*passed * 1000 + total - 1) / total))
        })
    }
}

fn weight(stage: &[Performed]) -> i64 {
    let installs = |one: &Performed| one.command.kind == CommandKind::InstallClientPackages;
    if stage.iter().any(installs) { INSTALLATION_WEIGHT } else { 1 }
}
