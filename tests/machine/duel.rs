//! The machine and the model side by side: both do the same, and must look the same.

use cloudmanager_emulator::domain::execution::answer::Answer;
use cloudmanager_emulator::domain::execution::links;
use cloudmanager_emulator::domain::execution::machine::{self, Effects, Refusal, StepRequest};
use cloudmanager_emulator::domain::execution::start::{StartRefusal, StartRequest};
use cloudmanager_emulator::domain::execution::{Execution, ExecutionMode};
use cloudmanager_emulator::domain::time::{Duration, Timestamp};
use serde_json::Value;

use crate::body::{Body, Verb};
use crate::invariants;
use crate::model::{Model, Reaction, StepView, View};
use crate::seed::Kind;
use crate::setup::{Setup, World};

/// When executions are created: 2026-03-05T10:00:00Z.
pub const START: i64 = 1_772_704_800_000;

/// An execution, and what the model says about it.
pub struct Duel {
    setup: Setup,
    world: World,
    pub execution: Execution,
    pub model: Model,
    pub effects: Effects,
    pub now: i64,
}

impl Duel {
    /// Starts what the setup asks for; where that must be refused, the same in normal mode.
    pub fn start(setup: &Setup) -> Self {
        let world = World::new(setup);
        let mode = allowed_mode(setup, &world);
        let planned = world.plan(StartRequest::Whole(setup.trigger, mode), None).unwrap();
        let execution = world.create(planned, 1, Timestamp::from_millis(START));
        let model = Model::whole(setup, mode, pauses(&execution), START);
        let mut duel = Self {
            setup: setup.clone(),
            world,
            execution,
            model,
            effects: Effects::default(),
            now: START,
        };
        duel.begin();
        duel
    }

    /// What was created looks so, and then begins.
    fn begin(&mut self) {
        assert_eq!(view(&self.execution), self.model.view(), "as created");
        self.pass_until(self.now);
    }

    pub fn pass_until(&mut self, now: i64) {
        self.now = now;
        self.model.pass_until(now);
        machine::run_until(&mut self.execution, at(now), &mut self.effects);
        self.compare();
    }

    /// Sends a command to a step.
    pub fn command(&mut self, position: usize, verb: Verb, body: &Body) {
        let reaction = self.model.react(position, verb, body, self.now);
        let before = (self.execution.clone(), self.effects.clone());
        let (execution, effects) = (&mut self.execution, &mut self.effects);
        let outcome = apply(execution, position, verb, &body.to_json(), at(self.now), effects);
        if outcome.is_err() {
            assert_eq!((&*execution, &*effects), (&before.0, &before.1), "refusal_changes_nothing");
        }
        assert_eq!(reaction_of(&outcome), reaction, "{outcome:?} to {verb:?} {body:?}");
        self.pass_until(self.now);
    }

    /// Asks for the step to be executed again; a new execution takes the place of this one.
    pub fn re_execute(&mut self, position: usize) {
        let step = Some(self.execution.plan.steps[position].id);
        let request = StartRequest::ReExecute { step, source: None };
        match self.world.plan(request, Some(&self.execution)) {
            Ok(planned) => {
                assert!(self.model.is_re_executable(position), "the model refuses");
                let id = self.execution.id.number() + 1;
                self.execution = self.world.create(planned, id, at(self.now));
                self.model = Model::re_execution(&self.setup, pauses(&self.execution), self.now);
                self.effects = Effects::default();
                self.begin();
            }
            Err(refusal) => {
                assert!(!self.model.is_re_executable(position), "{refusal:?}");
            }
        }
    }

    fn compare(&self) {
        assert_eq!(view(&self.execution), self.model.view());
        assert_eq!(self.effects.events, self.model.events);
        assert_eq!(self.effects.transitions(), self.model.transitions);
        invariants::check(&self.execution, &self.effects.events, at(self.now));
        self.links_agree_with_commands();
    }

    /// A link is there exactly if its command is accepted with a right body.
    fn links_agree_with_commands(&self) {
        for position in 0..self.execution.steps.len() {
            for verb in [Verb::Advance, Verb::Cancel] {
                let link = match verb {
                    Verb::Advance => links::advance(&self.execution, position),
                    Verb::Cancel => links::cancel(&self.execution, position),
                };
                let body = self.model.right_body(position, verb).to_json();
                let mut execution = self.execution.clone();
                let effects = &mut Effects::default();
                let outcome = apply(&mut execution, position, verb, &body, at(self.now), effects);
                let expected = link.map_err(Refusal::Unavailable);
                assert_eq!(outcome, expected, "links_agree_with_commands: {verb:?} {position}");
            }
            let link = links::re_execute(&self.execution, position, true);
            let step = Some(self.execution.plan.steps[position].id);
            let request = StartRequest::ReExecute { step, source: Some(Some(self.execution.id)) };
            let outcome = self.world.plan(request, Some(&self.execution)).map(|_| ());
            let expected = link.map_err(StartRefusal::NotReExecutable);
            assert_eq!(outcome, expected, "links_agree_with_commands: re-execute {position}");
        }
    }
}

/// The pauses of the plan, in milliseconds.
fn pauses(execution: &Execution) -> Vec<i64> {
    let plan = &execution.plan;
    let before = plan.steps.iter().map(|step| step.pause);
    before.chain([plan.closing_pause]).map(Duration::as_millis).collect()
}

/// The mode in which the setup's execution may start; a mode that may not is refused.
fn allowed_mode(setup: &Setup, world: &World) -> ExecutionMode {
    let refusal = match setup.mode {
        ExecutionMode::Normal => return ExecutionMode::Normal,
        ExecutionMode::Emergency if !setup.emergency_mode => {
            StartRefusal::EmergencyModeNotActivated
        }
        ExecutionMode::Emergency if setup.kind != Kind::Production => {
            StartRefusal::NotAProductionPipeline
        }
        ExecutionMode::Emergency => return ExecutionMode::Emergency,
    };
    let request = StartRequest::Whole(setup.trigger, ExecutionMode::Emergency);
    assert_eq!(world.plan(request, None), Err(refusal));
    ExecutionMode::Normal
}

fn apply(
    execution: &mut Execution,
    position: usize,
    verb: Verb,
    body: &Value,
    now: Timestamp,
    effects: &mut Effects,
) -> Result<(), Refusal> {
    let command = match verb {
        Verb::Advance => StepRequest::Advance(body),
        Verb::Cancel => StepRequest::Cancel(body),
    };
    machine::apply(execution, position, command, now, effects)
}

pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn reaction_of(outcome: &Result<(), Refusal>) -> Reaction {
    match outcome {
        Ok(()) => Reaction::Accepted,
        Err(Refusal::Unavailable(_)) => Reaction::NotOffered,
        Err(Refusal::Invalid(_)) => Reaction::Misfit,
    }
}

fn view(execution: &Execution) -> View {
    View {
        status: execution.status(),
        updated_at: execution.updated_at().as_millis(),
        finished_at: execution.finished_at().map(Timestamp::as_millis),
        due_at: machine::due_at(execution).map(Timestamp::as_millis),
        steps: (0..execution.steps.len()).map(|position| view_step(execution, position)).collect(),
    }
}

fn view_step(execution: &Execution, position: usize) -> StepView {
    let (step, state) = execution.step(position).unwrap();
    let offers = [
        ("advance", links::advance(execution, position)),
        ("cancel", links::cancel(execution, position)),
        ("reExecute", links::re_execute(execution, position, true)),
    ];
    StepView {
        place: (step.action, step.environment_type()),
        status: state.status(),
        started_at: state.started_at().map(Timestamp::as_millis),
        finished_at: state.finished_at().map(Timestamp::as_millis),
        updated_at: state.updated_at().map(Timestamp::as_millis),
        resumed_at: state.resumed_at().map(Timestamp::as_millis),
        input: state.answer().as_ref().map(Answer::to_json),
        timed_out: state.timed_out(),
        offers: offers.into_iter().filter(|offer| offer.1.is_ok()).map(|offer| offer.0).collect(),
    }
}
