//! Scenarios: how the next executions of a pipeline differ from "everything succeeds".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::build::Output;
use super::deployment::Failure;
use super::environment::EnvironmentType;
use super::pipeline::Action;
use super::time::Duration;
use super::word::words;

words! {
    /// How an automated step ends, unless its quality gate decides.
    #[derive(Default)]
    #[schema(as = ScenarioOutcome)]
    pub enum Outcome {
        /// As it should.
        #[default]
        Finished = "FINISHED",
        /// By a fault on the customer's side.
        Failed = "FAILED",
        /// By a fault on the system's side.
        Error = "ERROR",
        /// deploy only: the step pauses after half of its duration. When it is resumed, it runs the
        /// rest and finishes.
        Paused = "PAUSED",
    }
}

/// A line that a scenario adds to a step's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtraLine {
    /// The text, without a line end.
    pub line: String,
    /// How many times the line is added, at least once.
    pub times: u64,
}

/// The outcome and other properties of the steps that this entry matches.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The action of the steps.
    pub action: Action,
    /// The environment of the steps, if the entry is only for one.
    pub environment_type: Option<EnvironmentType>,
    /// How they end.
    pub outcome: Outcome,
    /// Deployment commands that fail, of a deploy step that is to fail.
    pub failures: Vec<Failure>,
    /// What the build leaves, if the scenario says so.
    pub outputs: Option<Vec<Output>>,
    /// What they say when they fail.
    pub message: Option<String>,
    /// How long they run, instead of what the pace says.
    pub duration: Option<Duration>,
    /// Actual values of metrics by kpi.
    pub metrics: BTreeMap<String, String>,
    /// Lines added to their logs.
    pub log: Vec<ExtraLine>,
}

impl Entry {
    /// Returns whether the entry is about a step.
    #[must_use]
    pub fn matches(&self, action: Action, environment: Option<EnvironmentType>) -> bool {
        self.action == action
            && self.environment_type.is_none_or(|wanted| environment == Some(wanted))
    }
}

/// How an execution goes: at most one entry for each step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scenario {
    /// The entries.
    pub entries: Vec<Entry>,
}

impl Scenario {
    /// Returns the entry about a step.
    #[must_use]
    pub fn find_entry(
        &self,
        action: Action,
        environment: Option<EnvironmentType>,
    ) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.matches(action, environment))
    }

    /// Returns the actual metric values for the gate of a step. Those of the performance gate may
    /// stand at any of the performance steps.
    #[must_use]
    pub fn metrics_for(&self, action: Action) -> BTreeMap<String, String> {
        let sources: &[Action] = match action {
            Action::ReportPerformanceTest => &PERFORMANCE_STEPS,
            Action::LoadTest | Action::AssetsTest => &[],
            _ => &[action],
        };
        self.entries
            .iter()
            .filter(|entry| sources.contains(&entry.action))
            .flat_map(|entry| entry.metrics.clone())
            .collect()
    }
}

/// The steps that share the performance gate.
pub const PERFORMANCE_STEPS: [Action; 3] =
    [Action::LoadTest, Action::AssetsTest, Action::ReportPerformanceTest];
