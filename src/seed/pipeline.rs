//! Builds a pipeline from its part of a seed document.

use std::collections::BTreeSet;

use super::NOT_YET;
use super::document::{PhaseDocument, PipelineDocument, StepDocument};
use super::fields::{check_ref, read_id};
use super::outputs::ZipFiles;
use crate::domain::environment::EnvironmentType;
use crate::domain::id::{PhaseId, PipelineId, StepId};
use crate::domain::invalid::{Place, one_of};
use crate::domain::pipeline::{
    Action, Phase, PhaseKind, PhaseType, Pipeline, PipelineKind, PipelineTrigger, Step,
    StepOptions, possible_steps,
};
use crate::domain::program::Program;
use crate::domain::repository::DEFAULT_BRANCH;
use crate::domain::scenario_document::ScenarioDocument;
use crate::domain::text::{NAME, TITLE};

/// Builds a pipeline of `program`, whose environments and repositories are known.
pub(super) fn build(
    place: &mut Place<'_>,
    document: &PipelineDocument,
    program: &Program,
    zips: &mut ZipFiles,
) -> Option<(Pipeline, Option<ScenarioDocument>)> {
    place.check_length("name", &document.name, &TITLE);
    let id: Option<PipelineId> = read_id(place, "id", &document.id);
    let mut ids = Identifiers::new(id, document);
    let mut phases = Vec::new();
    for (index, phase) in document.phases.iter().enumerate() {
        let mut place = place.at(&format!("phases[{index}]"));
        phases.push(build_phase(&mut place, phase, index, program, &mut ids));
    }
    let phases = phases.into_iter().collect::<Option<Vec<_>>>()?;
    let mut pipeline = Pipeline {
        id: id?,
        program_id: program.id,
        name: document.name.clone(),
        trigger: document.trigger.unwrap_or(PipelineTrigger::Manual),
        important_failures: document.important_metric_failures,
        created_at: NOT_YET,
        updated_at: NOT_YET,
        phases,
        variables: Vec::new(),
        cache_invalidated_at: None,
    };
    if let Some(problem) = problem_with_shape(&pipeline) {
        place.wrong("phases", problem);
        return None;
    }
    let kind = pipeline.kind();
    for (index, (phase, written)) in pipeline.phases.iter_mut().zip(&document.phases).enumerate() {
        let mut place = place.at(&format!("phases[{index}]"));
        phase.steps = build_steps(&mut place, written, kind, phase, &mut ids);
    }
    let mut scenario = document.scenario.clone();
    if let Some(scenario) = &mut scenario {
        scenario.check(program, &pipeline, zips, &mut place.at("scenario"));
        zips.add_digests(scenario);
    }
    Some((pipeline, scenario))
}

/// Generates identifiers that the document leaves out.
struct Identifiers {
    taken: BTreeSet<i64>,
    next: i64,
}

impl Identifiers {
    /// Begins at the identifier of the pipeline and skips those that the document uses.
    fn new(pipeline: Option<PipelineId>, document: &PipelineDocument) -> Self {
        let phases = document.phases.iter();
        let steps = phases.clone().flat_map(|phase| phase.steps.iter().flatten());
        let written = phases
            .filter_map(|phase| phase.id.as_deref())
            .chain(steps.filter_map(|step| step.id.as_deref()));
        Self {
            taken: written.filter_map(|id| id.parse().ok()).collect(),
            next: pipeline.and_then(|id| id.number().checked_mul(100)).unwrap_or_default(),
        }
    }

    fn make(&mut self) -> i64 {
        loop {
            self.next = self.next.checked_add(1).unwrap_or(1);
            if self.taken.insert(self.next) {
                return self.next;
            }
        }
    }
}

fn build_phase(
    place: &mut Place<'_>,
    document: &PhaseDocument,
    index: usize,
    program: &Program,
    ids: &mut Identifiers,
) -> Option<Phase> {
    let foreign = match document.phase_type {
        PhaseType::Validate => vec![
            ("repositoryId", &document.repository_id),
            ("branch", &document.branch),
            ("environmentId", &document.environment_id),
        ],
        PhaseType::Build => vec![("environmentId", &document.environment_id)],
        PhaseType::Deploy => {
            vec![("repositoryId", &document.repository_id), ("branch", &document.branch)]
        }
    };
    for (field, _) in foreign.iter().filter(|(_, value)| value.is_some()) {
        place.wrong(field, "is not allowed in this type of phase");
    }
    let kind = match document.phase_type {
        PhaseType::Validate => PhaseKind::Validate,
        PhaseType::Build => {
            let text = document.repository_id.as_deref().unwrap_or_default();
            let repository_id = read_id(place, "repositoryId", text)?;
            if !program.repositories.contains_key(&repository_id) {
                place.wrong("repositoryId", format!("the program has no repository {text}"));
            }
            let branch = document.branch.clone().unwrap_or_else(|| DEFAULT_BRANCH.into());
            check_ref(place, "branch", &branch);
            PhaseKind::Build { repository_id, branch }
        }
        PhaseType::Deploy => {
            let text = document.environment_id.as_deref().unwrap_or_default();
            let environment_id = read_id(place, "environmentId", text)?;
            let Some(environment) = program.environments.get(&environment_id) else {
                place.wrong("environmentId", format!("the program has no environment {text}"));
                return None;
            };
            PhaseKind::Deploy { environment_id, environment_type: environment.environment_type }
        }
    };
    let phase_type = document.phase_type;
    let usual_name = match phase_type {
        PhaseType::Validate => phase_type.to_string(),
        PhaseType::Build => format!("{phase_type}_{index}"),
        PhaseType::Deploy => format!("{phase_type}_{}", index.saturating_sub(1)),
    };
    let id = match &document.id {
        Some(text) => read_id(place, "id", text)?,
        None => PhaseId::new(ids.make()),
    };
    let name = document.name.clone().unwrap_or(usual_name);
    place.check_length("name", &name, &NAME);
    Some(Phase { id, name, kind, steps: Vec::new() })
}

/// Returns what is wrong with the order and number of the phases, or with their identifiers.
fn problem_with_shape(pipeline: &Pipeline) -> Option<&'static str> {
    let mut kinds = pipeline.phases.iter().map(|phase| &phase.kind);
    if !matches!(kinds.next(), Some(PhaseKind::Validate))
        || !matches!(kinds.next(), Some(PhaseKind::Build { .. }))
    {
        return Some("must begin with a VALIDATE and a BUILD phase");
    }
    let environments: Vec<_> = pipeline.phases[2..].iter().map(Phase::environment_type).collect();
    match environments.as_slice() {
        []
        | [Some(EnvironmentType::Dev | EnvironmentType::Stage)]
        | [Some(EnvironmentType::Stage), Some(EnvironmentType::Prod)] => {}
        _ => {
            return Some(
                "must go on with no DEPLOY phase, with one to a dev or stage environment, \
                 or with one to a stage and one to a prod environment",
            );
        }
    }
    let distinct =
        |values: Vec<String>| values.len() == values.iter().collect::<BTreeSet<_>>().len();
    if !distinct(pipeline.phases.iter().map(|phase| phase.name.clone()).collect()) {
        return Some("must have different names");
    }
    if !distinct(pipeline.phases.iter().map(|phase| phase.id.to_string()).collect()) {
        return Some("must have different ids");
    }
    None
}

fn build_steps(
    place: &mut Place<'_>,
    document: &PhaseDocument,
    kind: PipelineKind,
    phase: &Phase,
    ids: &mut Identifiers,
) -> Vec<Step> {
    let possible = possible_steps(kind, &phase.kind);
    let mut steps = match &document.steps {
        Some(written) => read_steps(place, written, possible, phase, ids),
        None => required_steps(phase).iter().map(|action| usual_step(*action, ids)).collect(),
    };
    let has = |steps: &[Step], action| steps.iter().any(|step: &Step| step.action == action);
    for action in required_steps(phase).iter().filter(|action| !has(&steps, **action)) {
        place.wrong("steps", format!("must have the step {}", action.as_str()));
    }
    let performance = has(&steps, Action::LoadTest) || has(&steps, Action::AssetsTest);
    match (performance, has(&steps, Action::ReportPerformanceTest)) {
        // The report belongs to the tests: it comes and goes with them.
        (true, false) => steps.push(usual_step(Action::ReportPerformanceTest, ids)),
        (false, true) => {
            place.wrong("steps", "reportPerformanceTest needs loadTest or assetsTest");
        }
        _ => {}
    }
    steps.sort_by_key(|step| possible.iter().position(|action| *action == step.action));
    steps
}

fn required_steps(phase: &Phase) -> &'static [Action] {
    match phase.kind {
        PhaseKind::Validate => &[Action::Validate],
        PhaseKind::Build { .. } => &[Action::Build, Action::CodeQuality],
        PhaseKind::Deploy { .. } => &[Action::Deploy],
    }
}

fn usual_step(action: Action, ids: &mut Identifiers) -> Step {
    Step { id: StepId::new(ids.make()), action, options: StepOptions::default() }
}

fn read_steps(
    place: &mut Place<'_>,
    documents: &[StepDocument],
    possible: &[Action],
    phase: &Phase,
    ids: &mut Identifiers,
) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let place = &mut place.at(&format!("steps[{index}]"));
        let StepDocument { id, name, options } = document;
        let Some(action) = possible.iter().find(|action| action.as_str() == name) else {
            let names: Vec<_> = possible.iter().map(|action| action.as_str()).collect();
            place.wrong("name", one_of(name, &names));
            continue;
        };
        if steps.iter().any(|step| step.action == *action) {
            place.wrong("name", "the phase already has this step");
        }
        for problem in options.problems(*action, phase.environment_type()) {
            place.wrong("options", problem);
        }
        let id = match id {
            Some(text) => read_id(place, "id", text),
            None => Some(StepId::new(ids.make())),
        };
        steps.extend(id.map(|id| Step { id, action: *action, options: options.clone() }));
    }
    steps
}
