//! A second, small account of how executions go, written from the rules of Cloud Manager. It
//! shares the words of the machine, but none of its decisions.

mod view;

use cloudmanager_emulator::domain::environment::EnvironmentType;
use cloudmanager_emulator::domain::event::{Event, EventKind};
use cloudmanager_emulator::domain::execution::status::StepStatus;
use cloudmanager_emulator::domain::execution::{ExecutionMode, ExecutionStatus, Trigger};
use cloudmanager_emulator::domain::pace::Pace;
use cloudmanager_emulator::domain::pipeline::Action;
use cloudmanager_emulator::domain::time::Timestamp;
use serde_json::{Value, json};

use crate::body::{Body, Verb};
use crate::rules::{
    GATES, PEOPLE, PRODUCTION_DEPLOYMENT, READINGS, SILENT, STOPPABLE, TESTS, Verdict,
    check_pauses, failures, places, verdict, work,
};
use crate::setup::{Place, Problem, Setup, Severity};

pub use view::{StepView, View};

const DAY: i64 = 24 * 60 * 60 * 1000;

#[derive(Clone, Debug)]
struct Step {
    place: Place,
    /// Milliseconds of work.
    work: i64,
    verdict: Verdict,
    /// The important metrics that fail.
    failures: Vec<&'static str>,
    status: StepStatus,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    updated_at: Option<i64>,
    /// When time alone changes it.
    alarm: Option<i64>,
    is_scheduled: bool,
    resumed_at: Option<i64>,
    input: Option<Value>,
    timed_out: bool,
}

/// What somebody's answer does to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    GoOn,
    GoOnAt(i64),
    Resume,
    /// The execution ends with the step.
    End(StepStatus),
    /// The step ends; the execution takes its time.
    Stop,
}

/// What becomes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    Accepted,
    /// The command is not offered.
    NotOffered,
    /// The body does not fit.
    Misfit,
}

/// An execution.
#[derive(Clone, Debug)]
pub struct Model {
    setup: Setup,
    trigger: Trigger,
    status: ExecutionStatus,
    updated_at: i64,
    finished_at: Option<i64>,
    /// When time alone changes the execution itself: at its creation, while it is stopped, and
    /// after its last step.
    alarm: Option<i64>,
    /// The pauses before the steps, and after the last one.
    pauses: Vec<i64>,
    steps: Vec<Step>,
    pub events: Vec<Event>,
    /// How many times a step changed its status.
    pub transitions: u64,
}

impl Model {
    /// A whole execution; emergency executions do without the tests.
    pub fn whole(setup: &Setup, mode: ExecutionMode, pauses: Vec<i64>, at: i64) -> Self {
        let steps = places(setup)
            .filter(|(action, _)| mode == ExecutionMode::Normal || !TESTS.contains(action))
            .map(|place| Step::new(setup, place, work(setup, place, 1)))
            .collect();
        Self::created(setup, setup.trigger, steps, pauses, at)
    }

    /// The production deployment once more, with the artifacts that are there.
    pub fn re_execution(setup: &Setup, pauses: Vec<i64>, at: i64) -> Self {
        let build = (Action::Build, None);
        let steps = [((Action::Validate, None), 1), (build, 10), (PRODUCTION_DEPLOYMENT, 1)]
            .map(|(place, share)| Step::new(setup, place, work(setup, place, share)))
            .into();
        Self::created(setup, Trigger::ReExecute, steps, pauses, at)
    }

    fn created(
        setup: &Setup,
        trigger: Trigger,
        steps: Vec<Step>,
        pauses: Vec<i64>,
        at: i64,
    ) -> Self {
        check_pauses(setup.pace, steps.len(), &pauses);
        Self {
            pauses,
            setup: setup.clone(),
            trigger,
            status: ExecutionStatus::NotStarted,
            updated_at: at,
            finished_at: None,
            alarm: Some(at),
            steps,
            events: Vec::new(),
            transitions: 0,
        }
    }

    pub fn step_count(&self) -> usize {
        self.steps.len()
    }

    /// The step that runs or waits, or the last that did.
    pub fn current(&self) -> usize {
        self.steps.iter().rposition(|step| step.status != StepStatus::NotStarted).unwrap_or(0)
    }

    pub fn is_over(&self) -> bool {
        self.finished_at.is_some()
    }

    /// When time alone next changes anything.
    pub fn due_at(&self) -> Option<i64> {
        self.alarm.or_else(|| self.steps.iter().find_map(|step| step.alarm))
    }

    pub fn pass_until(&mut self, now: i64) {
        while let Some(at) = self.due_at().filter(|at| *at <= now) {
            match self.status {
                ExecutionStatus::NotStarted => {
                    self.status = ExecutionStatus::Running;
                    self.alarm = None;
                    self.tell(EventKind::ExecutionStarted, at, None);
                    self.pause(0, at);
                }
                ExecutionStatus::Cancelling => self.end(ExecutionStatus::Cancelled, at),
                _ if self.alarm.is_some() => self.end(ExecutionStatus::Finished, at),
                _ => self.ring(at),
            }
        }
    }

    /// What comes next has to wait until a pause is over.
    fn pause(&mut self, position: usize, at: i64) {
        let until = Some(at + self.pauses[position]);
        match self.steps.get_mut(position) {
            Some(step) => step.alarm = until,
            None => self.alarm = until,
        }
    }

    /// The time of a step has come: it runs, waits, or has still to begin.
    fn ring(&mut self, at: i64) {
        let alarmed = self.steps.iter().position(|step| step.alarm.is_some());
        let position = alarmed.expect("a step is due");
        if self.steps[position].status == StepStatus::NotStarted {
            return self.begin(position, at);
        }
        let step = &mut self.steps[position];
        let halfway = step.verdict == Verdict::Pause && step.resumed_at.is_none();
        match (step.status, step.verdict) {
            (StepStatus::Waiting, _) if step.is_scheduled => {
                self.close(position, StepStatus::Finished, at);
            }
            (StepStatus::Waiting, _) => {
                step.timed_out = true;
                let status = step.rejected();
                self.close(position, status, at);
            }
            (_, Verdict::Ask) => self.wait(position, at),
            (_, Verdict::Pause) if halfway => self.wait(position, at),
            (_, Verdict::Finish | Verdict::Pause) => self.close(position, StepStatus::Finished, at),
            (_, Verdict::Fail) => self.close(position, StepStatus::Failed, at),
            (_, Verdict::Break) => self.close(position, StepStatus::Error, at),
        }
    }

    fn begin(&mut self, position: usize, at: i64) {
        let step = &mut self.steps[position];
        step.started_at = Some(at);
        let action = step.place.0;
        if PEOPLE.contains(&action) {
            self.wait(position, at);
            return;
        }
        let work = if step.verdict == Verdict::Pause { step.work / 2 } else { step.work };
        step.alarm = Some(at + work);
        self.turn(position, StepStatus::Running, at);
        if !SILENT.contains(&action) {
            self.tell(EventKind::StepStarted, at, Some(position));
        }
    }

    fn wait(&mut self, position: usize, at: i64) {
        self.turn(position, StepStatus::Waiting, at);
        let step = &mut self.steps[position];
        step.alarm = step.patience_in_days().map(|days| at + days * DAY);
        self.tell(EventKind::StepWaiting, at, Some(position));
    }

    fn turn(&mut self, position: usize, status: StepStatus, at: i64) {
        let step = &mut self.steps[position];
        step.status = status;
        step.updated_at = Some(at);
        self.transitions += 1;
    }

    /// The step ends, and what follows from that.
    fn close(&mut self, position: usize, status: StepStatus, at: i64) {
        self.shut(position, status, at);
        match status {
            StepStatus::Finished => self.pause(position + 1, at),
            StepStatus::Failed => self.end(ExecutionStatus::Failed, at),
            StepStatus::Error => self.end(ExecutionStatus::Error, at),
            _ => self.end(ExecutionStatus::Cancelled, at),
        }
    }

    fn shut(&mut self, position: usize, status: StepStatus, at: i64) {
        self.turn(position, status, at);
        let step = &mut self.steps[position];
        step.finished_at = Some(at);
        step.alarm = None;
        self.tell(EventKind::StepEnded, at, Some(position));
    }

    fn end(&mut self, status: ExecutionStatus, at: i64) {
        self.status = status;
        self.updated_at = at;
        self.finished_at = Some(at);
        self.alarm = None;
        self.tell(EventKind::ExecutionEnded, at, None);
    }

    fn tell(&mut self, kind: EventKind, at: i64, step: Option<usize>) {
        self.events.push(Event { kind, at: Timestamp::from_millis(at), step });
    }

    /// Whether the command is offered on the step.
    pub fn offers(&self, verb: Verb, position: usize) -> bool {
        let Step { status, place, .. } = &self.steps[position];
        match (verb, status) {
            (_, StepStatus::Waiting) => true,
            (Verb::Cancel, StepStatus::Running) => STOPPABLE.contains(&place.0),
            _ => false,
        }
    }

    /// Whether the step can be executed again, if no execution has been started since.
    pub fn is_re_executable(&self, position: usize) -> bool {
        let Step { place, status, .. } = &self.steps[position];
        let is_over =
            !matches!(status, StepStatus::NotStarted | StepStatus::Running | StepStatus::Waiting);
        *place == PRODUCTION_DEPLOYMENT
            && is_over
            && self.is_over()
            && !matches!(self.trigger, Trigger::Rollback | Trigger::PushUpgrades)
            && self.setup.problem != Some(Problem::BranchIsGone)
    }

    /// Does what somebody asks at `now`, up to which time has passed.
    pub fn react(&mut self, position: usize, verb: Verb, body: &Body, now: i64) -> Reaction {
        if !self.offers(verb, position) {
            return Reaction::NotOffered;
        }
        let Some(effect) = self.steps[position].effect(verb, body, now) else {
            return Reaction::Misfit;
        };
        let step = &mut self.steps[position];
        step.input = Some(match body {
            Body::Overrides(_) => json!({ "override": true }),
            body => body.to_json(),
        });
        match effect {
            Effect::GoOn => self.close(position, StepStatus::Finished, now),
            Effect::GoOnAt(at) => {
                step.is_scheduled = true;
                step.alarm = Some(at);
                step.updated_at = Some(now);
            }
            Effect::Resume => {
                step.resumed_at = Some(now);
                step.alarm = Some(now + step.work - step.work / 2);
                self.turn(position, StepStatus::Running, now);
            }
            Effect::End(status) => self.close(position, status, now),
            Effect::Stop => {
                self.shut(position, StepStatus::Cancelled, now);
                self.status = ExecutionStatus::Cancelling;
                self.updated_at = now;
                self.alarm = Some(now + self.stopping_time());
            }
        }
        Reaction::Accepted
    }

    fn stopping_time(&self) -> i64 {
        match self.setup.pace {
            Pace::Immediate => 0,
            Pace::Quick => 1_000,
            Pace::Realistic => 10_000,
        }
    }

    /// A body that is accepted where the command is offered on the step.
    pub fn right_body(&self, position: usize, verb: Verb) -> Body {
        let Step { place: (action, _), status, failures, .. } = &self.steps[position];
        match (verb, action) {
            (Verb::Advance, Action::Approval) => Body::Approved(true),
            (Verb::Advance, Action::Schedule) => Body::Immediate,
            (Verb::Advance, Action::Managed) => Body::Start(true),
            (Verb::Advance, Action::Deploy) => Body::Resume(true),
            (Verb::Advance, _) => {
                Body::Overrides(failures.iter().map(|kpi| (*kpi, true)).collect())
            }
            (Verb::Cancel, _) if *status == StepStatus::Running => Body::Cancel(true),
            (Verb::Cancel, Action::Approval) => Body::Approved(false),
            (Verb::Cancel, Action::Schedule) => Body::Cancel(true),
            (Verb::Cancel, Action::Managed) => Body::Start(false),
            (Verb::Cancel, Action::Deploy) => Body::Resume(false),
            (Verb::Cancel, _) => Body::Override(false),
        }
    }
}

impl Step {
    fn new(setup: &Setup, place: Place, work: i64) -> Self {
        Self {
            place,
            work,
            verdict: verdict(setup, place),
            failures: failures(setup, place.0, Severity::Important),
            status: StepStatus::NotStarted,
            started_at: None,
            finished_at: None,
            updated_at: None,
            alarm: None,
            is_scheduled: false,
            resumed_at: None,
            input: None,
            timed_out: false,
        }
    }

    /// What an answer does; nothing if it does not fit.
    fn effect(&self, verb: Verb, body: &Body, now: i64) -> Option<Effect> {
        use Action::{Approval, Deploy, Managed, Schedule};
        use Verb::{Advance, Cancel};
        let action = self.place.0;
        if self.status == StepStatus::Running {
            return (*body == Body::Cancel(true)).then_some(Effect::Stop);
        }
        match (verb, action, body) {
            (Advance, gate, Body::Overrides(metrics)) if GATES.contains(&gate) => {
                self.is_overridden_by(metrics).then_some(Effect::GoOn)
            }
            (Advance, Approval, Body::Approved(true))
            | (Advance, Managed, Body::Start(true))
            | (Advance, Schedule, Body::Immediate) => Some(Effect::GoOn),
            (Advance, Schedule, Body::Scheduled(at, _)) if *at >= now => Some(Effect::GoOnAt(*at)),
            (Advance, Deploy, Body::Resume(true)) => Some(Effect::Resume),
            (Cancel, gate, Body::Override(false)) if GATES.contains(&gate) => {
                Some(Effect::End(StepStatus::Failed))
            }
            (Cancel, Approval, Body::Approved(false))
            | (Cancel, Schedule, Body::Cancel(true))
            | (Cancel, Managed, Body::Start(false) | Body::Override(false))
            | (_, Deploy, Body::Resume(false)) => Some(Effect::End(StepStatus::Cancelled)),
            _ => None,
        }
    }

    fn is_overridden_by(&self, metrics: &[(&'static str, bool)]) -> bool {
        let belongs = |kpi: &str| {
            READINGS.iter().any(|reading| reading.gate == self.place.0 && reading.kpi == kpi)
        };
        metrics.iter().all(|(kpi, value)| *value && belongs(kpi))
            && self.failures.iter().all(|kpi| metrics.contains(&(*kpi, true)))
    }

    /// How it ends when somebody says no, or nobody says anything.
    fn rejected(&self) -> StepStatus {
        if GATES.contains(&self.place.0) { StepStatus::Failed } else { StepStatus::Cancelled }
    }

    fn patience_in_days(&self) -> Option<i64> {
        match self.place {
            (Action::Deploy, _) => None,
            (_, Some(EnvironmentType::Prod)) => Some(14),
            _ => Some(7),
        }
    }
}
