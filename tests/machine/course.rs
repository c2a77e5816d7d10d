//! The way of an execution to a state of one of its steps.

use cloudmanager_emulator::domain::execution::machine::{self, Effects, Refusal, StepRequest};
use cloudmanager_emulator::domain::execution::start::StartRequest;
use cloudmanager_emulator::domain::execution::status::StepStatus;
use cloudmanager_emulator::domain::execution::{
    Execution, ExecutionMode, ExecutionStatus, Trigger,
};
use cloudmanager_emulator::domain::pipeline::Action;
use cloudmanager_emulator::domain::time::{Duration, Timestamp};
use serde_json::Value;

use crate::body::{Body, Verb};
use crate::duel::START;
use crate::setup::{Setup, World};

/// An execution on its way, at `now`, as seen from the step at `position`.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    pub execution: Execution,
    pub now: Timestamp,
    pub position: usize,
}

impl Course {
    /// The execution as it is created.
    pub fn start(setup: &Setup, position: usize) -> Self {
        let world = World::new(setup);
        let request = StartRequest::Whole(Trigger::Manual, ExecutionMode::Normal);
        let now = Timestamp::from_millis(START);
        let execution = world.create(world.plan(request, None).unwrap(), 1, now);
        Self { execution, now, position }
    }

    pub fn statuses(&self) -> (StepStatus, ExecutionStatus) {
        (self.execution.steps[self.position].status(), self.execution.status())
    }

    /// Lets time pass until something is due.
    pub fn pass_until_due(&mut self) {
        self.now = machine::due_at(&self.execution).expect("something is due");
        assert_ne!(self.run_until(self.now), Effects::default(), "what is due happens");
    }

    /// What has happened by `now`.
    pub fn run_until(&mut self, now: Timestamp) -> Effects {
        let mut effects = Effects::default();
        machine::run_until(&mut self.execution, now, &mut effects);
        effects
    }

    /// Sends a command to the step, and tells what it brought about.
    pub fn send(&mut self, verb: Verb, body: &Value) -> (Result<(), Refusal>, Effects) {
        let command = match verb {
            Verb::Advance => StepRequest::Advance(body),
            Verb::Cancel => StepRequest::Cancel(body),
        };
        let mut effects = Effects::default();
        let outcome =
            machine::apply(&mut self.execution, self.position, command, self.now, &mut effects);
        (outcome, effects)
    }

    /// Sends a command that is accepted, to the step at `position`.
    pub fn send_to(&mut self, position: usize, verb: Verb, body: &Body) {
        let mut course = Self { position, ..self.clone() };
        let (outcome, _) = course.send(verb, &body.to_json());
        assert_eq!(outcome, Ok(()), "{verb:?} {body:?}");
        self.execution = course.execution;
    }

    /// Goes on until the step at `position` runs or waits; people answer after a minute, yes.
    pub fn go_to(&mut self, position: usize) {
        self.run_until(self.now);
        while let Some(current) = self.execution.current_step().filter(|at| *at < position) {
            if self.execution.steps[current].status() == StepStatus::Waiting {
                self.now = self.now + Duration::from_mins(1);
                let action = self.execution.plan.steps[current].action;
                self.send_to(current, Verb::Advance, &yes(action));
            } else {
                self.pass_until_due();
            }
        }
        assert_eq!(self.execution.current_step(), Some(position));
    }

    /// The body with which somebody lets the step go on that only waits.
    pub fn yes(&self) -> Body {
        yes(self.execution.plan.steps[self.position].action)
    }

    /// The body with which somebody stops the step that only waits.
    pub fn no(&self) -> Body {
        match self.execution.plan.steps[self.position].action {
            Action::Approval => Body::Approved(false),
            Action::Schedule => Body::Cancel(true),
            _ => Body::Start(false),
        }
    }
}

fn yes(action: Action) -> Body {
    match action {
        Action::Approval => Body::Approved(true),
        Action::Schedule => Body::Immediate,
        _ => Body::Start(true),
    }
}
