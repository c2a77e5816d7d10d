//! What every input does to every step in every state.

use std::collections::BTreeSet;

use cloudmanager_emulator::domain::execution::ExecutionStatus;
use cloudmanager_emulator::domain::execution::links::Unavailable;
use cloudmanager_emulator::domain::execution::machine::{self, Effects, Refusal};
use cloudmanager_emulator::domain::execution::status::StepStatus;
use cloudmanager_emulator::domain::time::Timestamp;

use crate::body::Verb;
use crate::course::Course;
use crate::expected::Expected::{self, Becomes, Invalid, Never, Refused, Stays};
use crate::expected::{
    FAILS, GOES_ON, IS_BEING_CANCELLED, IS_CANCELLED, IS_DONE, RUNS, WAITS, check_outcome,
};
use crate::state::State::{
    self, Cancelling, Finished, NotStarted, Resumed, Running, Scheduled, Stopped, Waiting,
};
use crate::state::{REACHABLE, reach};
use crate::step::Step::{
    self, ApprovalProd, ApprovalStage, AssetsTest, Build, CodeQuality, ContentAudit, DeployProd,
    DeployStage, LoadTest, Managed, ReportPerformanceTest, Schedule, SecurityTest, Validate,
};
use crate::step::{ALL, ALL_BUT_THE_LAST};

/// What each body leads to.
struct Answers {
    to: &'static [(&'static str, Expected)],
    to_others: Expected,
}

struct Row {
    steps: &'static [Step],
    state: State,
    /// What happens when the execution is due; nothing does a millisecond before.
    due: Expected,
    advance: Answers,
    cancel: Answers,
}

const fn row(
    state: State,
    steps: &'static [Step],
    due: Expected,
    advance: Answers,
    cancel: Answers,
) -> Row {
    Row { steps, state, due, advance, cancel }
}

const fn any(expected: Expected) -> Answers {
    Answers { to: &[], to_others: expected }
}

const fn only(to: &'static [(&'static str, Expected)], to_others: Expected) -> Answers {
    Answers { to, to_others }
}

/// What is refused whatever the body says.
const NOT_STARTED: Answers = any(Refused(Unavailable::NotStarted));
const WORKING: Answers = any(Refused(Unavailable::Working));
const UNCANCELLABLE: Answers = any(Refused(Unavailable::Uncancellable));
const OVER: Answers = any(Refused(Unavailable::Over));
const BEING_CANCELLED: Answers = any(Refused(Unavailable::Cancelling));

const NOTHING: &str = "{}";
const APPROVE: &str = r#"{"approved":true}"#;
const REJECT: &str = r#"{"approved":false}"#;
const APPROVE_AS_TEXT: &str = r#"{"approved":"true"}"#;
const NOW: &str = r#"{"type":"IMMEDIATE"}"#;
const LATER: &str = r#"{"type":"SCHEDULED","schedule":"2026-06-01T14:00:00.000+0200"}"#;
const IN_THE_PAST: &str = r#"{"type":"SCHEDULED","schedule":"2018-11-16T13:45:00.000Z"}"#;
const NO_TIME: &str = r#"{"type":"SCHEDULED"}"#;
const BEGIN: &str = r#"{"start":true}"#;
const DO_NOT_BEGIN: &str = r#"{"start":false}"#;
const RESUME: &str = r#"{"resume":true}"#;
const DO_NOT_RESUME: &str = r#"{"resume":false}"#;
const CANCEL: &str = r#"{"cancel":true}"#;
const DO_NOT_CANCEL: &str = r#"{"cancel":false}"#;
const DO_NOT_OVERRIDE: &str = r#"{"override":false}"#;
const OVERRIDE_NONE: &str = r#"{"metrics":[]}"#;
const COVERAGE: &str = r#"{"metrics":[{"kpi":"coverage","override":true}]}"#;
const COVERAGE_AND_RATING: &str =
    r#"{"metrics":[{"kpi":"coverage","override":true},{"kpi":"sqale_rating","override":true}]}"#;
const COVERAGE_AND_RATING_AND_MORE: &str = r#"{"metrics":[
    {"id":"1","severity":"important","passed":false,"override":true,"actualValue":"41.3",
     "expectedValue":"50","comparator":"GTE","kpi":"coverage"},
    {"kpi":"skipped_tests","override":true},{"kpi":"sqale_rating","override":true}]}"#;
const COVERAGE_BUT_NOT_RATING: &str =
    r#"{"metrics":[{"kpi":"coverage","override":true},{"kpi":"sqale_rating","override":false}]}"#;
const CRXDE_SUPPORT: &str = r#"{"metrics":[{"kpi":"crxde_support","override":true}]}"#;
const RESPONSE_TIME: &str = r#"{"metrics":[{"kpi":"response_time","override":true}]}"#;

/// Code quality waits because of `coverage` and `sqale_rating`, the security test because of
/// `crxde_support`, the performance report because of `response_time`, deployments because they
/// are paused.
const TABLE: &[Row] = &[
    row(NotStarted, &[Validate, Build, CodeQuality, DeployStage], RUNS, NOT_STARTED, NOT_STARTED),
    row(
        NotStarted,
        &[LoadTest, AssetsTest, ReportPerformanceTest, ContentAudit],
        RUNS,
        NOT_STARTED,
        NOT_STARTED,
    ),
    row(NotStarted, &[ApprovalStage, ApprovalProd], WAITS, NOT_STARTED, NOT_STARTED),
    // Nobody answers the step before.
    row(
        NotStarted,
        &[SecurityTest, Schedule, Managed, DeployProd],
        Becomes(StepStatus::NotStarted, ExecutionStatus::Cancelled),
        NOT_STARTED,
        NOT_STARTED,
    ),
    row(
        Running,
        &[Validate, CodeQuality, DeployStage, ContentAudit],
        GOES_ON,
        WORKING,
        UNCANCELLABLE,
    ),
    row(Running, &[DeployProd], IS_DONE, WORKING, UNCANCELLABLE),
    row(
        Running,
        &[Build, SecurityTest, LoadTest, AssetsTest, ReportPerformanceTest],
        GOES_ON,
        WORKING,
        only(&[(CANCEL, IS_BEING_CANCELLED)], Invalid("cancel")),
    ),
    row(
        Waiting,
        &[CodeQuality],
        FAILS,
        only(
            &[
                (COVERAGE_AND_RATING, GOES_ON),
                (COVERAGE_AND_RATING_AND_MORE, GOES_ON),
                (COVERAGE_BUT_NOT_RATING, Invalid("metrics[1].override")),
                (CRXDE_SUPPORT, Invalid("metrics[0].kpi")),
                (RESPONSE_TIME, Invalid("metrics[0].kpi")),
            ],
            Invalid("metrics"),
        ),
        only(&[(DO_NOT_OVERRIDE, FAILS)], Invalid("override")),
    ),
    row(
        Waiting,
        &[SecurityTest],
        FAILS,
        only(
            &[
                (CRXDE_SUPPORT, GOES_ON),
                (COVERAGE, Invalid("metrics[0].kpi")),
                (COVERAGE_AND_RATING, Invalid("metrics[0].kpi")),
                (COVERAGE_AND_RATING_AND_MORE, Invalid("metrics[0].kpi")),
                (COVERAGE_BUT_NOT_RATING, Invalid("metrics[0].kpi")),
                (RESPONSE_TIME, Invalid("metrics[0].kpi")),
            ],
            Invalid("metrics"),
        ),
        only(&[(DO_NOT_OVERRIDE, FAILS)], Invalid("override")),
    ),
    row(
        Waiting,
        &[ReportPerformanceTest],
        FAILS,
        only(
            &[
                (RESPONSE_TIME, GOES_ON),
                (COVERAGE, Invalid("metrics[0].kpi")),
                (COVERAGE_AND_RATING, Invalid("metrics[0].kpi")),
                (COVERAGE_AND_RATING_AND_MORE, Invalid("metrics[0].kpi")),
                (COVERAGE_BUT_NOT_RATING, Invalid("metrics[0].kpi")),
                (CRXDE_SUPPORT, Invalid("metrics[0].kpi")),
            ],
            Invalid("metrics"),
        ),
        only(&[(DO_NOT_OVERRIDE, FAILS)], Invalid("override")),
    ),
    row(
        Waiting,
        &[ApprovalStage, ApprovalProd],
        IS_CANCELLED,
        only(&[(APPROVE, GOES_ON)], Invalid("approved")),
        only(&[(REJECT, IS_CANCELLED)], Invalid("approved")),
    ),
    row(
        Waiting,
        &[Schedule],
        IS_CANCELLED,
        only(
            &[
                (NOW, GOES_ON),
                (LATER, WAITS),
                (IN_THE_PAST, Invalid("schedule")),
                (NO_TIME, Invalid("schedule")),
            ],
            Invalid("type"),
        ),
        only(&[(CANCEL, IS_CANCELLED)], Invalid("cancel")),
    ),
    row(
        Scheduled,
        &[Schedule],
        GOES_ON,
        only(
            &[
                (NOW, GOES_ON),
                (LATER, WAITS),
                (IN_THE_PAST, Invalid("schedule")),
                (NO_TIME, Invalid("schedule")),
            ],
            Invalid("type"),
        ),
        only(&[(CANCEL, IS_CANCELLED)], Invalid("cancel")),
    ),
    row(
        Waiting,
        &[Managed],
        IS_CANCELLED,
        only(&[(BEGIN, GOES_ON)], Invalid("start")),
        only(&[(DO_NOT_BEGIN, IS_CANCELLED), (DO_NOT_OVERRIDE, IS_CANCELLED)], Invalid("start")),
    ),
    row(
        Waiting,
        &[DeployStage, DeployProd],
        Never,
        only(&[(RESUME, RUNS), (DO_NOT_RESUME, IS_CANCELLED)], Invalid("resume")),
        only(&[(DO_NOT_RESUME, IS_CANCELLED)], Invalid("resume")),
    ),
    row(Resumed, &[DeployStage], GOES_ON, WORKING, UNCANCELLABLE),
    row(Resumed, &[DeployProd], IS_DONE, WORKING, UNCANCELLABLE),
    row(Finished, ALL_BUT_THE_LAST, Stays, OVER, OVER),
    row(Finished, &[DeployProd], Never, OVER, OVER),
    row(Stopped, &ALL, Never, OVER, OVER),
    row(
        Cancelling,
        &[Build, SecurityTest, LoadTest, AssetsTest, ReportPerformanceTest],
        IS_CANCELLED,
        OVER,
        BEING_CANCELLED,
    ),
    row(
        Cancelling,
        &[Validate, CodeQuality, DeployStage, ApprovalStage],
        Becomes(StepStatus::Finished, ExecutionStatus::Cancelled),
        OVER,
        BEING_CANCELLED,
    ),
    row(
        Cancelling,
        &[ContentAudit, ApprovalProd, Schedule, Managed, DeployProd],
        Becomes(StepStatus::NotStarted, ExecutionStatus::Cancelled),
        NOT_STARTED,
        BEING_CANCELLED,
    ),
];

/// Bodies that no row mentions.
const OTHER_BODIES: [&str; 4] = [NOTHING, APPROVE_AS_TEXT, DO_NOT_CANCEL, OVERRIDE_NONE];

#[test]
fn every_input_does_in_every_state_what_the_table_says() {
    let bodies = bodies();
    for (state, steps) in REACHABLE {
        for step in steps {
            let rows: Vec<_> =
                TABLE.iter().filter(|row| row.state == state && row.steps.contains(step)).collect();
            let [row] = rows.as_slice() else { panic!("{step:?} {state:?}: {}", rows.len()) };
            let course = reach(*step, state);
            check_due(&course, row.due, &format!("{step:?} {state:?}"));
            for body in &bodies {
                for (verb, answers) in [(Verb::Advance, &row.advance), (Verb::Cancel, &row.cancel)]
                {
                    let case = format!("{step:?} {state:?} {verb:?} {body}");
                    check_command(&course, verb, body, answers.to(body), &case);
                }
            }
        }
    }
}

/// Every body of the table, to be sent to every step in every state.
fn bodies() -> BTreeSet<&'static str> {
    TABLE
        .iter()
        .flat_map(|row| row.advance.to.iter().chain(row.cancel.to))
        .map(|(body, _)| *body)
        .chain(OTHER_BODIES)
        .collect()
}

impl Answers {
    fn to(&self, body: &str) -> Expected {
        self.to.iter().find(|(known, _)| *known == body).map_or(self.to_others, |found| found.1)
    }
}

fn check_due(course: &Course, expected: Expected, case: &str) {
    let Some(due) = machine::due_at(&course.execution) else {
        assert_eq!(expected, Never, "{case}");
        return;
    };
    let mut early = course.clone();
    let effects = early.run_until(Timestamp::from_millis(due.as_millis() - 1));
    assert_eq!((&early, effects), (course, Effects::default()), "{case}: too early");
    let mut on_time = course.clone();
    on_time.run_until(due);
    check_outcome(course, &on_time, expected, case);
}

fn check_command(course: &Course, verb: Verb, body: &str, expected: Expected, case: &str) {
    let body = serde_json::from_str(body).unwrap();
    let mut after = course.clone();
    let (outcome, effects) = after.send(verb, &body);
    match outcome {
        Ok(()) => check_outcome(course, &after, expected, case),
        Err(refusal) => {
            match (&refusal, expected) {
                (Refusal::Unavailable(reason), Refused(expected)) if *reason == expected => {}
                (Refusal::Invalid(found), Invalid(field)) if found.field == field => {}
                _ => panic!("{case}: {refusal:?}, not {expected:?}"),
            }
            assert_eq!((&after, effects), (course, Effects::default()), "{case}: has changed");
        }
    }
}
