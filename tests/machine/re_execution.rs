//! When the production deployment can be executed again, and what is said where it can't.

use std::sync::Arc;

use cloudmanager_emulator::domain::execution::links::{self, Unavailable};
use cloudmanager_emulator::domain::execution::plan::{Code, KnownBuild};
use cloudmanager_emulator::domain::execution::start::{StartRefusal, StartRequest};
use cloudmanager_emulator::domain::execution::{Execution, ExecutionMode, Trigger};
use cloudmanager_emulator::domain::id::{ExecutionId, StepId};
use cloudmanager_emulator::domain::pipeline::Action;
use cloudmanager_emulator::domain::scenario::Outcome;

use crate::course::Course;
use crate::duel::{START, at};
use crate::seed::Kind;
use crate::setup::{Fate, Setup, World};

/// The position of the production deployment in a pipeline without optional steps.
const DEPLOYMENT: usize = 4;

fn setup() -> Setup {
    Setup { optional: Vec::new(), ..Setup::of(Kind::Production) }
}

/// An execution whose production deployment is over in that way.
fn deployed(outcome: Outcome) -> Execution {
    let fate = Fate { outcome, duration: None };
    let environment = Some(cloudmanager_emulator::domain::environment::EnvironmentType::Prod);
    let fates = vec![((Action::Deploy, environment), fate)];
    let mut course = Course::start(&Setup { fates, ..setup() }, DEPLOYMENT);
    course.go_to(DEPLOYMENT);
    course.pass_until_due();
    course.execution
}

#[test]
fn a_production_deployment_that_is_over_is_re_executable_however_it_ended() {
    for outcome in [Outcome::Finished, Outcome::Failed, Outcome::Error] {
        let execution = deployed(outcome);
        let found: Vec<_> = (0..=DEPLOYMENT)
            .filter(|position| links::re_execute(&execution, *position, true).is_ok())
            .collect();
        assert_eq!(found, [DEPLOYMENT], "{outcome:?}");
    }
}

#[test]
fn the_condition_that_fails_is_named() {
    let over = || deployed(Outcome::Finished);
    let mut running = Course::start(&setup(), DEPLOYMENT);
    running.go_to(DEPLOYMENT);
    let without_commit = {
        let mut execution = over();
        Arc::make_mut(&mut execution.plan).code.commit = None;
        execution
    };
    let begun_by = |trigger| Execution { trigger, ..over() };
    for (execution, position, is_last, reason) in [
        (over(), DEPLOYMENT - 1, true, Unavailable::NotAProductionDeployment),
        (over(), DEPLOYMENT, false, Unavailable::NotTheLastExecution),
        (begun_by(Trigger::Rollback), DEPLOYMENT, true, Unavailable::WrongTrigger),
        (begun_by(Trigger::PushUpgrades), DEPLOYMENT, true, Unavailable::WrongTrigger),
        (running.execution, DEPLOYMENT, true, Unavailable::DeploymentNotOver),
        (without_commit, DEPLOYMENT, true, Unavailable::NoCommit),
    ] {
        assert_eq!(links::re_execute(&execution, position, is_last), Err(reason));
    }
}

#[test]
fn what_names_nothing_is_refused() {
    let world = World::new(&setup());
    let last = deployed(Outcome::Finished);
    let step = Some(last.plan.steps[DEPLOYMENT].id);
    let earlier = ExecutionId::new(last.id.number() - 1);
    for (last, step, source, refusal) in [
        (None, step, None, StartRefusal::NeverExecuted),
        (Some(&last), None, None, StartRefusal::NoSuchStep),
        (Some(&last), Some(StepId::new(1_000_000)), None, StartRefusal::NoSuchStep),
        (Some(&last), step, Some(None), StartRefusal::NotTheLastExecution),
        (Some(&last), step, Some(Some(earlier)), StartRefusal::NotTheLastExecution),
    ] {
        assert_eq!(world.plan(StartRequest::ReExecute { step, source }, last), Err(refusal));
    }
}

#[test]
fn a_re_execution_validates_copies_and_deploys() {
    let world = World::new(&setup());
    let last = deployed(Outcome::Failed);
    let step = Some(last.plan.steps[DEPLOYMENT].id);
    let request = StartRequest::ReExecute { step, source: Some(Some(last.id)) };
    let planned = world.plan(request, Some(&last)).unwrap();
    let again = world.create(planned, 2, at(START));
    let actions: Vec<_> = again.plan.steps.iter().map(|step| step.action).collect();
    assert_eq!(actions, [Action::Validate, Action::Build, Action::Deploy]);
    assert!(again.plan.steps[2].is_production_deployment());
    assert_eq!((again.trigger, again.mode), (Trigger::ReExecute, ExecutionMode::Normal));
    assert_eq!(again.source, Some(last.id));
    let code = again.plan.code.clone();
    assert_eq!(Code { built_by: None, ..code.clone() }, last.plan.code);
    let build = KnownBuild { execution_id: last.id, version: last.artifacts_version() };
    assert_eq!(code.built_by, Some(build));
}
