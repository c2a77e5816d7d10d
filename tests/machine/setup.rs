//! What an execution is started with, and how it is started.

use std::collections::BTreeMap;

use cloudmanager_emulator::domain::environment::{EnvironmentStatus, EnvironmentType};
use cloudmanager_emulator::domain::execution::start::{
    self, NewExecution, StartContext, StartRefusal, StartRequest,
};
use cloudmanager_emulator::domain::execution::{Execution, ExecutionMode, Trigger};
use cloudmanager_emulator::domain::id::ExecutionId;
use cloudmanager_emulator::domain::pace::Pace;
use cloudmanager_emulator::domain::pipeline::{Action, ImportantFailures, PhaseKind, Pipeline};
use cloudmanager_emulator::domain::program::Program;
use cloudmanager_emulator::domain::scenario::{Entry, Outcome, Scenario};
use cloudmanager_emulator::domain::time::{Duration, Timestamp};

use crate::seed::{self, Kind};

/// A step of a pipeline: its action, and its environment where it has one.
pub type Place = (Action, Option<EnvironmentType>);

/// How a step goes, as far as no gate decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    pub outcome: Outcome,
    /// Milliseconds, instead of what the pace says.
    pub duration: Option<i64>,
}

/// What a metric comes out as, and what that leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The step whose gate has the metric.
    pub gate: Action,
    pub kpi: &'static str,
    pub value: &'static str,
    pub failure: Option<Severity>,
}

/// How grave the failure of a metric is, where it has an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Critical,
    Important,
}

/// What is wrong with what the pipeline refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    BranchIsGone,
    EnvironmentsAreNotReady,
}

/// Everything that an execution depends on.
#[derive(Clone, Debug)]
pub struct Setup {
    pub kind: Kind,
    /// The optional steps of a production pipeline that are there.
    pub optional: Vec<Place>,
    pub important_failures: ImportantFailures,
    pub fates: Vec<(Place, Fate)>,
    pub readings: Vec<Reading>,
    /// The step whose entry in the scenario carries the metrics of the performance gate.
    pub performance_host: Action,
    pub problem: Option<Problem>,
    pub trigger: Trigger,
    pub mode: ExecutionMode,
    pub emergency_mode: bool,
    pub pace: Pace,
}

impl Setup {
    /// An execution of the whole pipeline in which everything passes at once.
    pub fn of(kind: Kind) -> Self {
        Self {
            kind,
            optional: OPTIONAL.to_vec(),
            important_failures: ImportantFailures::Ask,
            fates: Vec::new(),
            readings: Vec::new(),
            performance_host: Action::ReportPerformanceTest,
            problem: None,
            trigger: Trigger::Manual,
            mode: ExecutionMode::Normal,
            emergency_mode: true,
            pace: Pace::Quick,
        }
    }
}

const STAGE: Option<EnvironmentType> = Some(EnvironmentType::Stage);
const PROD: Option<EnvironmentType> = Some(EnvironmentType::Prod);

/// The steps that a production pipeline may do without.
pub const OPTIONAL: [Place; 8] = [
    (Action::Approval, STAGE),
    (Action::SecurityTest, STAGE),
    (Action::LoadTest, STAGE),
    (Action::AssetsTest, STAGE),
    (Action::ContentAudit, STAGE),
    (Action::Approval, PROD),
    (Action::Schedule, PROD),
    (Action::Managed, PROD),
];

/// Program, pipeline and scenario as the machine takes them.
#[derive(Debug)]
pub struct World {
    program: Program,
    pipeline: Pipeline,
    scenario: Scenario,
    pace: Pace,
}

impl World {
    pub fn new(setup: &Setup) -> Self {
        let mut world = Self {
            program: seed::PROGRAM.clone(),
            pipeline: seed::pipeline(setup.kind),
            scenario: scenario(setup),
            pace: setup.pace,
        };
        world.program.emergency_mode = setup.emergency_mode;
        world.pipeline.important_failures = setup.important_failures;
        world.leave_out_steps(&setup.optional);
        match setup.problem {
            None => {}
            Some(Problem::BranchIsGone) => world.remove_branch(),
            Some(Problem::EnvironmentsAreNotReady) => world.set_environments_updating(),
        }
        world
    }

    fn leave_out_steps(&mut self, kept: &[Place]) {
        let tested = kept.contains(&(Action::LoadTest, STAGE))
            || kept.contains(&(Action::AssetsTest, STAGE));
        for phase in &mut self.pipeline.phases {
            let environment = phase.environment_type();
            phase.steps.retain(|step| {
                let place = (step.action, environment);
                match step.action {
                    Action::ReportPerformanceTest => tested,
                    _ => !OPTIONAL.contains(&place) || kept.contains(&place),
                }
            });
        }
    }

    fn remove_branch(&mut self) {
        for phase in &mut self.pipeline.phases {
            if let PhaseKind::Build { branch, .. } = &mut phase.kind {
                "gone".clone_into(branch);
            }
        }
    }

    fn set_environments_updating(&mut self) {
        for environment in self.program.environments.values_mut() {
            environment.status = EnvironmentStatus::Updating;
        }
    }

    /// What the request asks for, if it can be started.
    pub fn plan(
        &self,
        request: StartRequest,
        last: Option<&Execution>,
    ) -> Result<NewExecution, StartRefusal> {
        let Self { program, pipeline, scenario, pace } = self;
        start::plan(
            request,
            StartContext { program, pipeline, last, source: None, scenario, pace: *pace },
        )
    }

    /// The execution as it is created.
    pub fn create(&self, planned: NewExecution, id: i64, at: Timestamp) -> Execution {
        planned.create(ExecutionId::new(id), &self.pipeline, None, at)
    }
}

fn scenario(setup: &Setup) -> Scenario {
    let mut entries: BTreeMap<Place, Entry> = BTreeMap::new();
    for (place, fate) in &setup.fates {
        let entry = entries.entry(*place).or_insert_with(|| empty_entry(*place));
        entry.outcome = fate.outcome;
        entry.duration = fate.duration.map(Duration::from_millis);
    }
    for reading in &setup.readings {
        let action = match reading.gate {
            Action::ReportPerformanceTest => setup.performance_host,
            action => action,
        };
        let place = (action, None);
        let entry = entries.entry(place).or_insert_with(|| empty_entry(place));
        entry.metrics.insert(reading.kpi.into(), reading.value.into());
    }
    Scenario { entries: entries.into_values().collect() }
}

fn empty_entry((action, environment_type): Place) -> Entry {
    Entry {
        action,
        environment_type,
        outcome: Outcome::default(),
        failures: Vec::new(),
        outputs: None,
        message: None,
        duration: None,
        metrics: BTreeMap::new(),
        log: Vec::new(),
    }
}
