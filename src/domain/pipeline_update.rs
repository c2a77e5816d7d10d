//! Updates of a pipeline: only the fields that are sent change, and either all of them or none.

use std::collections::BTreeSet;

use serde::Deserialize;
use utoipa::ToSchema;

use super::environment::EnvironmentType;
use super::id::{EnvironmentId, RepositoryId};
use super::invalid::{InvalidField, InvalidFields, Place};
use super::pipeline::{Action, Phase, PhaseKind, Pipeline, StepOptions};
use super::program::Program;
use super::repository::DEFAULT_BRANCH;
use super::text::problem_with_ref;
use super::time::Timestamp;

/// The changes of a pipeline.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct PipelineUpdate {
    /// The phases that change.
    #[serde(default)]
    phases: Vec<PhaseUpdate>,
}

/// The changes of the phase with a type and name.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PipelinePhaseUpdate)]
struct PhaseUpdate {
    /// `BUILD` or `DEPLOY`.
    #[serde(rename = "type")]
    phase_type: String,
    /// Optional if the pipeline has only one phase of the type.
    name: Option<String>,
    /// For build phases: the repository.
    repository_id: Option<String>,
    /// For build phases: a branch, or a tag as `refs/tags/…`; `master` if absent and another
    /// repository is given.
    #[schema(min_length = 1, max_length = 255, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    branch: Option<String>,
    /// For deploy phases: an environment of the same type as the current one.
    environment_id: Option<String>,
    /// The steps that change.
    #[serde(default)]
    steps: Vec<StepUpdate>,
}

/// The changes of a step.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = PipelineStepUpdate)]
struct StepUpdate {
    /// The action of the step.
    name: Option<String>,
    #[serde(default)]
    options: OptionsUpdate,
}

/// The options that can be changed.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PipelineStepUpdateOptions)]
struct OptionsUpdate {
    /// For deploy steps: paths to invalidate on the dispatchers, at most 100.
    dispatcher_cache_invalidation_paths: Option<Vec<String>>,
    /// For deploy steps: paths to flush from the dispatchers, at most 100.
    dispatcher_cache_flush_paths: Option<Vec<String>>,
}

/// Reports a field of an update, with what was sent.
fn wrong(place: &mut Place<'_>, field: &str, message: impl Into<String>, value: &str) {
    place.report(InvalidField::new(field, message).with_value(value));
}

impl PipelineUpdate {
    /// Changes a pipeline of `program`, or returns everything that is wrong.
    pub fn apply(
        &self,
        program: &Program,
        pipeline: &mut Pipeline,
        now: Timestamp,
    ) -> Result<(), InvalidFields> {
        pipeline.updated_at = now;
        InvalidFields::collect(|place| {
            let mut changed = BTreeSet::new();
            for (index, update) in self.phases.iter().enumerate() {
                let place = &mut place.at(&format!("phases[{index}]"));
                let Some(position) = update.find(pipeline, place) else { continue };
                let phase = &mut pipeline.phases[position];
                if !changed.insert(position) {
                    wrong(place, "name", "the phase is listed twice", &phase.name);
                }
                update.apply(program, phase, place);
            }
            Some(())
        })
    }
}

impl PhaseUpdate {
    /// Returns the position of the phase that type and name identify.
    fn find(&self, pipeline: &Pipeline, place: &mut Place<'_>) -> Option<usize> {
        let is_meant = |phase: &Phase| {
            phase.kind.phase_type().as_str() == self.phase_type
                && self.name.as_ref().is_none_or(|name| phase.name == *name)
        };
        let mut found = (0..pipeline.phases.len()).filter(|at| is_meant(&pipeline.phases[*at]));
        match (found.next(), found.next(), &self.name) {
            (Some(position), None, _) => Some(position),
            (Some(_), Some(_), _) => {
                let message = "must be given: the pipeline has several phases of this type";
                wrong(place, "name", message, "");
                None
            }
            (None, _, name) => {
                let (field, value) = match name {
                    Some(name) => ("name", name),
                    None => ("type", &self.phase_type),
                };
                let message = format!("the pipeline has no such {} phase", self.phase_type);
                wrong(place, field, message, value);
                None
            }
        }
    }

    fn apply(&self, program: &Program, phase: &mut Phase, place: &mut Place<'_>) {
        match &mut phase.kind {
            PhaseKind::Validate => {}
            PhaseKind::Build { repository_id, branch } => {
                self.apply_repository(program, repository_id, branch, place);
                self.apply_branch(branch, place);
            }
            PhaseKind::Deploy { environment_id, environment_type } => {
                self.apply_environment(program, environment_id, *environment_type, place);
            }
        }
        let mut changed = BTreeSet::new();
        for (index, update) in self.steps.iter().enumerate() {
            let place = &mut place.at(&format!("steps[{index}]"));
            if !changed.insert(update.name()) {
                wrong(place, "name", "the step is listed twice", update.name());
            }
            update.apply(phase, place);
        }
    }

    /// Another repository without a branch means its default branch: the old name may not exist
    /// there.
    fn apply_repository(
        &self,
        program: &Program,
        repository_id: &mut RepositoryId,
        branch: &mut String,
        place: &mut Place<'_>,
    ) {
        let Some(text) = &self.repository_id else { return };
        match text.parse().ok().filter(|id| program.repositories.contains_key(id)) {
            Some(id) => {
                if id != *repository_id && self.branch.is_none() {
                    DEFAULT_BRANCH.clone_into(branch);
                }
                *repository_id = id;
            }
            None => wrong(place, "repositoryId", "the program has no such repository", text),
        }
    }

    fn apply_branch(&self, branch: &mut String, place: &mut Place<'_>) {
        let Some(name) = &self.branch else { return };
        if let Some(problem) = problem_with_ref(name) {
            wrong(place, "branch", problem, name);
        }
        branch.clone_from(name);
    }

    fn apply_environment(
        &self,
        program: &Program,
        environment_id: &mut EnvironmentId,
        wanted: EnvironmentType,
        place: &mut Place<'_>,
    ) {
        let Some(text) = &self.environment_id else { return };
        match text.parse().ok().and_then(|id| program.environments.get(&id)) {
            None => wrong(place, "environmentId", "the program has no such environment", text),
            Some(found) if found.environment_type != wanted => {
                let message = format!("must be a {} environment", wanted.as_str());
                wrong(place, "environmentId", message, text);
            }
            Some(found) => *environment_id = found.id,
        }
    }
}

impl StepUpdate {
    /// Returns the action of the step; only deploy steps have options that can be changed.
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(Action::Deploy.as_str())
    }

    fn apply(&self, phase: &mut Phase, place: &mut Place<'_>) {
        let OptionsUpdate { dispatcher_cache_invalidation_paths, dispatcher_cache_flush_paths } =
            &self.options;
        let environment = phase.environment_type();
        let name = self.name();
        let Some(step) = phase.steps.iter_mut().find(|step| step.action.as_str() == name) else {
            wrong(place, "name", "the phase has no such step", name);
            return;
        };
        let sent = StepOptions {
            dispatcher_cache_invalidation_paths: dispatcher_cache_invalidation_paths.clone(),
            dispatcher_cache_flush_paths: dispatcher_cache_flush_paths.clone(),
            ..StepOptions::default()
        };
        for problem in sent.problems(step.action, environment) {
            wrong(place, "options", problem, name);
        }
        let options = &mut step.options;
        if let Some(paths) = dispatcher_cache_invalidation_paths {
            options.dispatcher_cache_invalidation_paths = Some(paths.clone());
        }
        if let Some(paths) = dispatcher_cache_flush_paths {
            options.dispatcher_cache_flush_paths = Some(paths.clone());
        }
    }
}
