//! Reads scenario documents and collects their mistakes.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::outputs::{ZipFiles, read_outputs};
use crate::content::deployment;
use crate::domain::build::Output;
use crate::domain::deployment::Failure;
use crate::domain::environment::EnvironmentType;
use crate::domain::gate::Gate;
use crate::domain::invalid::{InvalidFields, Place};
use crate::domain::pipeline::{Action, PhaseKind, Pipeline};
use crate::domain::program::Program;
use crate::domain::scenario::{Entry, ExtraLine, Outcome, PERFORMANCE_STEPS, Scenario};
use crate::domain::scenario_document::{EntryDocument, LogLineDocument, ScenarioDocument};
use crate::domain::time::Duration;
use crate::input;

/// The longest message or log line, in bytes.
const LONGEST_TEXT: usize = 64 * 1024;

/// The most entries of a scenario: several for each action and type of environment.
const MOST_ENTRIES: usize = 100;

/// The most failures, and the most log lines, of an entry.
const MOST_ITEMS: usize = 1000;

/// The most bytes of all messages and log lines of a scenario. Each execution has a copy.
const LARGEST_TEXTS: usize = 256 * 1024;

/// The most bytes that a scenario adds to the log of a step.
const LARGEST_LOG: u64 = 1024 * 1024 * 1024;

/// What a line in a log takes beside its text, in bytes: an instant, a space and the line end.
const LINE_OVERHEAD: u64 = 30;

impl ScenarioDocument {
    /// Returns the scenario of a pipeline of `program`, or every wrong field.
    pub fn read(&self, program: &Program, pipeline: &Pipeline) -> Result<Scenario, InvalidFields> {
        let mut zips = ZipFiles::Refused;
        InvalidFields::collect(|place| Some(self.check(program, pipeline, &mut zips, place)))
    }

    /// Like [`Self::read`], for a scenario that is stored: its zip files are, too.
    pub fn read_stored(
        &self,
        program: &Program,
        pipeline: &Pipeline,
    ) -> Result<Scenario, InvalidFields> {
        let mut zips = ZipFiles::Stored;
        InvalidFields::collect(|place| Some(self.check(program, pipeline, &mut zips, place)))
    }

    /// Like [`Self::read`], at a place in a larger document. Entries with mistakes are left out.
    pub(super) fn check(
        &self,
        program: &Program,
        pipeline: &Pipeline,
        zips: &mut ZipFiles,
        place: &mut Place<'_>,
    ) -> Scenario {
        if self.times == Some(0) {
            place.wrong("times", "must be at least 1");
        }
        if self.steps.len() > MOST_ENTRIES {
            place.wrong("steps", format!("must not have more than {MOST_ENTRIES} entries"));
        }
        if self.steps.iter().map(EntryDocument::text_length).sum::<usize>() > LARGEST_TEXTS {
            let message = format!("must not have more than {LARGEST_TEXTS} bytes of texts in all");
            place.wrong("steps", message);
        }
        let outputs = self.read_outputs(zips, place);
        let parts = EntryContext { program, pipeline, outputs: outputs.as_deref() };
        let steps = self.steps.iter().take(MOST_ENTRIES).enumerate();
        let entries: Vec<_> = steps
            .filter_map(|(index, entry)| {
                entry.read(parts, &mut place.at(&format!("steps[{index}]")))
            })
            .collect();
        for (phase, step) in pipeline.steps() {
            let environment = phase.environment_type();
            let matching =
                entries.iter().filter(|entry| entry.matches(step.action, environment)).count();
            if matching > 1 {
                let environment = environment.map_or("", EnvironmentType::as_str);
                let step = format!("{environment} {}", step.action.as_str());
                place.wrong("steps", format!("has two entries for {}", step.trim()));
            }
        }
        Scenario { entries }
    }

    /// Returns what the build leaves, if an entry for the build step says so.
    fn read_outputs(&self, zips: &mut ZipFiles, place: &mut Place<'_>) -> Option<Vec<Output>> {
        let mut outputs = None;
        for (index, entry) in self.steps.iter().take(MOST_ENTRIES).enumerate() {
            let Some(builds) = &entry.builds else { continue };
            let place = &mut place.at(&format!("steps[{index}]"));
            if entry.action == Action::Build.as_str() {
                outputs = Some(read_outputs(builds, zips, place));
            } else {
                place.wrong("builds", "is only allowed for the step build");
            }
        }
        outputs
    }
}

/// What an entry of a scenario is read with.
#[derive(Clone, Copy)]
struct EntryContext<'a> {
    program: &'a Program,
    pipeline: &'a Pipeline,
    /// What the build leaves, if the scenario says so.
    outputs: Option<&'a [Output]>,
}

impl EntryDocument {
    /// The bytes of the texts that each execution has a copy of.
    fn text_length(&self) -> usize {
        let lines = self.log.iter().map(|line| line.text_and_times().0.len());
        self.message.as_ref().map_or(0, String::len) + lines.sum::<usize>()
    }

    fn read(&self, parts: EntryContext<'_>, place: &mut Place<'_>) -> Option<Entry> {
        let EntryContext { pipeline, outputs, .. } = parts;
        let known = place.count();
        let action = read_word::<Action>(place, "action", &self.action);
        let named = self.environment_type.as_deref();
        let environment_type =
            named.map(|name| read_word::<EnvironmentType>(place, "environmentType", name));
        match action {
            None => {}
            Some(action) if action.waits_for_a_person() => {
                place
                    .wrong("action", format!("{} only waits and can't have an entry", self.action));
            }
            // The type could not be read, which has been reported.
            Some(_) if environment_type == Some(None) => {}
            Some(action) => self.check_step(action, environment_type.flatten(), pipeline, place),
        }
        let outcome = match self.outcome.as_deref() {
            None if !self.failures.is_empty() => Outcome::Failed,
            None => Outcome::Finished,
            Some(name) => read_word(place, "outcome", name).unwrap_or_default(),
        };
        if outcome == Outcome::Paused && action.is_some_and(|action| action != Action::Deploy) {
            place.wrong("outcome", "PAUSED is only for a deploy step");
        }
        let duration = self.duration.as_deref().and_then(|text| {
            Duration::parse(text).map_err(|error| place.wrong("duration", error.to_string())).ok()
        });
        let metrics = self.read_metrics(action, place);
        let log = self.read_log(place);
        if !self.failures.is_empty() && !matches!(outcome, Outcome::Failed | Outcome::Error) {
            place.wrong(
                "failures",
                "are only allowed with the outcome FAILED or ERROR, or with none",
            );
        }
        if self.failures.len() > MOST_ITEMS {
            place.wrong("failures", format!("must not be more than {MOST_ITEMS}"));
        }
        for (index, failure) in self.failures.iter().take(MOST_ITEMS).enumerate() {
            let wanted = environment_type.flatten();
            if let Some(problem) = problem_with(failure, parts, action, wanted) {
                place.wrong(&format!("failures[{index}]"), problem);
            }
        }
        if self.message.as_ref().is_some_and(|message| message.len() > LONGEST_TEXT) {
            place.wrong("message", format!("must not be longer than {LONGEST_TEXT} bytes"));
        }
        (place.count() == known).then_some(())?;
        Some(Entry {
            action: action?,
            environment_type: environment_type.flatten(),
            outcome,
            failures: self.failures.clone(),
            outputs: outputs.filter(|_| self.builds.is_some()).map(<[_]>::to_vec),
            message: self.message.clone(),
            duration,
            metrics,
            log,
        })
    }

    /// Checks that the pipeline has a step with this action, on this environment if one is given.
    fn check_step(
        &self,
        action: Action,
        wanted: Option<EnvironmentType>,
        pipeline: &Pipeline,
        place: &mut Place<'_>,
    ) {
        let found = pipeline.steps().any(|(phase, step)| {
            step.action == action
                && wanted.is_none_or(|wanted| phase.environment_type() == Some(wanted))
        });
        if !found {
            place.wrong("action", format!("the pipeline has no step {}", self.action));
        }
    }

    fn read_metrics(
        &self,
        action: Option<Action>,
        place: &mut Place<'_>,
    ) -> BTreeMap<String, String> {
        let gate = action.and_then(|action| match action {
            action if PERFORMANCE_STEPS.contains(&action) => Some(Gate::Performance),
            action => Gate::of(action),
        });
        let mut metrics = BTreeMap::new();
        for (kpi, value) in &self.metrics {
            let field = format!("metrics.{kpi}");
            let value = match value {
                Value::String(text) => text.clone(),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                _ => {
                    place.wrong(&field, "must be a string, a number, true or false");
                    continue;
                }
            };
            match (gate, action) {
                (Some(gate), _) => {
                    if let Some(problem) = gate.problem_with(kpi, &value) {
                        place.wrong(&field, problem);
                    }
                }
                (None, Some(_)) => place.wrong(&field, format!("{} has no gate", self.action)),
                (None, None) => {}
            }
            metrics.insert(kpi.clone(), value);
        }
        metrics
    }

    fn read_log(&self, place: &mut Place<'_>) -> Vec<ExtraLine> {
        if self.log.len() > MOST_ITEMS {
            place.wrong("log", format!("must not have more than {MOST_ITEMS} items"));
        }
        let lengths = self.log.iter().map(LogLineDocument::text_and_times);
        let length = lengths.fold(0, |sum: u64, (line, times)| {
            sum.saturating_add(times.saturating_mul(line.len() as u64 + LINE_OVERHEAD))
        });
        if length > LARGEST_LOG {
            place.wrong("log", format!("must not add more than {LARGEST_LOG} bytes"));
        }
        let mut lines = Vec::new();
        for (index, entry) in self.log.iter().take(MOST_ITEMS).enumerate() {
            let (line, times) = entry.text_and_times();
            if times == 0 {
                place.wrong(&format!("log[{index}].times"), "must be at least 1");
            }
            if line.len() > LONGEST_TEXT {
                let message = format!("must not be longer than {LONGEST_TEXT} bytes");
                place.wrong(&format!("log[{index}]"), message);
            }
            lines.push(ExtraLine { line: line.to_owned(), times });
        }
        lines
    }
}

/// Returns why a command can't fail in any of the matching deployments, or `None` if it can in one.
fn problem_with(
    failure: &Failure,
    EntryContext { program, pipeline, outputs }: EntryContext<'_>,
    action: Option<Action>,
    environment_type: Option<EnvironmentType>,
) -> Option<String> {
    if action.is_some_and(|action| action != Action::Deploy) {
        return Some("only deployments have commands that fail".into());
    }
    let mut problem = None;
    for (phase, step) in pipeline.steps() {
        let PhaseKind::Deploy { environment_id, environment_type: found } = phase.kind else {
            continue;
        };
        if step.action != Action::Deploy || environment_type.is_some_and(|wanted| wanted != found) {
            continue;
        }
        let environment = program.environments.get(&environment_id);
        let topology = environment.map(|environment| environment.topology).unwrap_or_default();
        match deployment::validate(failure, outputs, found, topology, &step.options) {
            Ok(()) => return None,
            Err(message) => problem = Some(message),
        }
    }
    problem
}

/// Reads a word of a vocabulary.
fn read_word<T: DeserializeOwned>(place: &mut Place<'_>, field: &str, word: &str) -> Option<T> {
    input::read_word(word).map_err(|message| place.wrong(field, message)).ok()
}
