//! What the work of a step leads to, and how long a step waits.

use cloudmanager_emulator::domain::execution::machine;
use cloudmanager_emulator::domain::execution::status::StepStatus;
use cloudmanager_emulator::domain::pipeline::ImportantFailures::{Ask, Continue, Fail};
use cloudmanager_emulator::domain::scenario::Outcome;
use cloudmanager_emulator::domain::time::Duration;

use crate::course::Course;
use crate::expected::{BREAKS, Expected, FAILS, GOES_ON, IS_DONE, WAITS, check_outcome};
use crate::given::Given::{self, Metric};
use crate::seed::Kind;
use crate::setup::{Problem, Setup};
use crate::state::{State, reach};
use crate::step::Step::{
    self, ApprovalProd, ApprovalStage, CodeQuality, DeployProd, DeployStage, Managed,
    ReportPerformanceTest, Schedule, SecurityTest, Validate,
};
use crate::step::{ALL_WORK_BUT_THE_LAST, WORKING_STEPS};

/// In which kind of pipeline, which steps, given what, become what when their work is done.
const WORK: &[(Kind, &[Step], Given, Expected)] = &[
    (Kind::Production, ALL_WORK_BUT_THE_LAST, Given::Nothing, GOES_ON),
    (Kind::Production, &[DeployProd], Given::Nothing, IS_DONE),
    (Kind::Production, &WORKING_STEPS, Given::Outcome(Outcome::Failed), FAILS),
    (Kind::Production, &WORKING_STEPS, Given::Outcome(Outcome::Error), BREAKS),
    (Kind::Production, &[DeployStage, DeployProd], Given::Outcome(Outcome::Paused), WAITS),
    (Kind::Production, &[Validate], Given::Problem(Problem::BranchIsGone), FAILS),
    (Kind::Production, &[Validate], Given::Problem(Problem::EnvironmentsAreNotReady), FAILS),
    (Kind::Production, &[CodeQuality], Metric("security_rating", "C", Ask), FAILS),
    (Kind::Production, &[CodeQuality], Metric("security_rating", "C", Fail), FAILS),
    (Kind::Production, &[CodeQuality], Metric("security_rating", "C", Continue), FAILS),
    (Kind::Production, &[CodeQuality], Metric("coverage", "49.9", Ask), WAITS),
    (Kind::Production, &[CodeQuality], Metric("coverage", "49.9", Fail), FAILS),
    (Kind::Production, &[CodeQuality], Metric("coverage", "49.9", Continue), GOES_ON),
    (Kind::Production, &[CodeQuality], Metric("coverage", "50", Fail), GOES_ON),
    (Kind::Production, &[CodeQuality], Metric("skipped_tests", "2", Fail), GOES_ON),
    (Kind::Production, &[SecurityTest], Metric("ssl_configuration", "false", Continue), FAILS),
    (Kind::Production, &[SecurityTest], Metric("crxde_support", "false", Ask), WAITS),
    (Kind::Production, &[SecurityTest], Metric("crxde_support", "false", Fail), FAILS),
    (Kind::Production, &[SecurityTest], Metric("crxde_support", "false", Continue), GOES_ON),
    (Kind::Production, &[ReportPerformanceTest], Metric("error_rate", "2", Continue), FAILS),
    (Kind::Production, &[ReportPerformanceTest], Metric("response_time", "3", Ask), WAITS),
    (Kind::Production, &[ReportPerformanceTest], Metric("response_time", "3", Fail), FAILS),
    (Kind::Production, &[ReportPerformanceTest], Metric("response_time", "3", Continue), GOES_ON),
    (Kind::Deployment, &[CodeQuality], Metric("coverage", "49.9", Ask), WAITS),
    (Kind::Deployment, &[DeployStage], Given::Nothing, IS_DONE),
    (Kind::CodeQuality, &[CodeQuality], Given::Nothing, IS_DONE),
    (Kind::CodeQuality, &[CodeQuality], Metric("coverage", "49.9", Ask), FAILS),
    (Kind::CodeQuality, &[CodeQuality], Metric("coverage", "49.9", Fail), FAILS),
    (Kind::CodeQuality, &[CodeQuality], Metric("coverage", "49.9", Continue), IS_DONE),
];

#[test]
fn work_leads_to_what_the_scenario_and_the_gates_say() {
    for (kind, steps, given, expected) in WORK {
        for step in *steps {
            let setup = Setup { kind: *kind, ..given.setup(*step) };
            let mut course = Course::start(&setup, step.position());
            course.go_to(step.position());
            let running = course.clone();
            assert_eq!(running.statuses().0, StepStatus::Running);
            course.pass_until_due();
            let case = format!("{kind:?} {step:?} {given:?}");
            check_outcome(&running, &course, *expected, &case);
        }
    }
}

/// For how many days a step waits.
const PATIENCE: [(i64, &[Step]); 2] = [
    (7, &[CodeQuality, ApprovalStage, SecurityTest, ReportPerformanceTest]),
    (14, &[ApprovalProd, Schedule, Managed]),
];

#[test]
fn nobody_has_patience_for_longer_than_documented() {
    for (days, steps) in PATIENCE {
        for step in steps {
            let Course { execution, now, .. } = reach(*step, State::Waiting);
            let expected = now + Duration::from_days(days);
            assert_eq!(machine::due_at(&execution), Some(expected), "{step:?}");
        }
    }
}
