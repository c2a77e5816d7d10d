//! The tables of Cloud Manager's rules from which the model is made, and what they say about a
//! setup.

use cloudmanager_emulator::domain::environment::EnvironmentType;
use cloudmanager_emulator::domain::pace::Pace;
use cloudmanager_emulator::domain::pipeline::{Action, ImportantFailures};
use cloudmanager_emulator::domain::scenario::Outcome;

use crate::seed::Kind;
use crate::setup::{Place, Problem, Reading, Setup, Severity};

/// Values at and around the limits of some metrics of each gate.
pub const READINGS: [Reading; 24] = {
    use Action::{CodeQuality, ReportPerformanceTest, SecurityTest};
    use Severity::{Critical, Important};
    [
        reading(CodeQuality, "security_rating", "A", None),
        reading(CodeQuality, "security_rating", "B", Some(Important)),
        reading(CodeQuality, "security_rating", "C", Some(Critical)),
        reading(CodeQuality, "reliability_rating", "C", None),
        reading(CodeQuality, "reliability_rating", "D", Some(Important)),
        reading(CodeQuality, "sqale_rating", "B", Some(Important)),
        reading(CodeQuality, "coverage", "50", None),
        reading(CodeQuality, "coverage", "49.9", Some(Important)),
        reading(CodeQuality, "skipped_tests", "2", None),
        reading(SecurityTest, "ssl_configuration", "false", Some(Critical)),
        reading(SecurityTest, "crxde_support", "false", Some(Important)),
        reading(SecurityTest, "davex_health_check", "false", Some(Important)),
        reading(SecurityTest, "webdav_health_check", "true", None),
        reading(SecurityTest, "replication_and_transport_users", "false", None),
        reading(ReportPerformanceTest, "error_rate", "1.9", None),
        reading(ReportPerformanceTest, "error_rate", "2", Some(Critical)),
        reading(ReportPerformanceTest, "cpu_utilization_rate", "79.9", None),
        reading(ReportPerformanceTest, "response_time", "2.9", None),
        reading(ReportPerformanceTest, "response_time", "3", Some(Important)),
        reading(ReportPerformanceTest, "peak_resp_time", "18", Some(Important)),
        reading(ReportPerformanceTest, "views_per_minute", "99", Some(Important)),
        reading(ReportPerformanceTest, "views_per_minute", "100", None),
        reading(ReportPerformanceTest, "disk_bandwidth_util", "90", Some(Important)),
        reading(ReportPerformanceTest, "requests_per_minute", "6000", None),
    ]
};

const fn reading(
    gate: Action,
    kpi: &'static str,
    value: &'static str,
    failure: Option<Severity>,
) -> Reading {
    Reading { gate, kpi, value, failure }
}

/// The steps at which a gate decides.
pub const GATES: [Action; 3] =
    [Action::CodeQuality, Action::SecurityTest, Action::ReportPerformanceTest];

/// The steps that do nothing but wait.
pub const PEOPLE: [Action; 3] = [Action::Approval, Action::Schedule, Action::Managed];

/// The steps that can be cancelled while they run.
pub const STOPPABLE: [Action; 5] = [
    Action::Build,
    Action::SecurityTest,
    Action::LoadTest,
    Action::AssetsTest,
    Action::ReportPerformanceTest,
];

/// The steps whose start is not told.
pub const SILENT: [Action; 4] =
    [Action::CodeQuality, Action::Approval, Action::Schedule, Action::Managed];

/// The security and performance tests, which emergency executions leave out.
pub const TESTS: [Action; 4] =
    [Action::SecurityTest, Action::LoadTest, Action::AssetsTest, Action::ReportPerformanceTest];

/// All steps of a production pipeline in order; the other kinds have fewer.
const ORDER: [Place; 14] = {
    const STAGE: Option<EnvironmentType> = Some(EnvironmentType::Stage);
    const PROD: Option<EnvironmentType> = Some(EnvironmentType::Prod);
    [
        (Action::Validate, None),
        (Action::Build, None),
        (Action::CodeQuality, None),
        (Action::Deploy, STAGE),
        (Action::Approval, STAGE),
        (Action::SecurityTest, STAGE),
        (Action::LoadTest, STAGE),
        (Action::AssetsTest, STAGE),
        (Action::ReportPerformanceTest, STAGE),
        (Action::ContentAudit, STAGE),
        (Action::Approval, PROD),
        (Action::Schedule, PROD),
        (Action::Managed, PROD),
        (Action::Deploy, PROD),
    ]
};

pub const PRODUCTION_DEPLOYMENT: Place = (Action::Deploy, Some(EnvironmentType::Prod));

/// What the work of a step leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Finish,
    Fail,
    Break,
    /// Somebody is asked.
    Ask,
    /// It stops halfway until somebody lets it go on.
    Pause,
}

/// The steps of the pipeline in order.
pub fn places(setup: &Setup) -> impl Iterator<Item = Place> {
    let kept = setup.optional.clone();
    let tested =
        kept.iter().any(|(action, _)| matches!(action, Action::LoadTest | Action::AssetsTest));
    let is_there = move |place: &Place| match place {
        (Action::Validate | Action::Build | Action::CodeQuality | Action::Deploy, _) => true,
        (Action::ReportPerformanceTest, _) => tested,
        place => kept.contains(place),
    };
    let dev = (Action::Deploy, Some(EnvironmentType::Dev));
    let (whole, own) = match setup.kind {
        Kind::Production => (&ORDER[..], None),
        Kind::Deployment => (&ORDER[..3], Some(dev)),
        Kind::CodeQuality => (&ORDER[..3], None),
    };
    whole.iter().copied().filter(is_there).chain(own)
}

fn fate(setup: &Setup, (action, environment): Place) -> (Outcome, Option<i64>) {
    setup
        .fates
        .iter()
        .find(|((of, only), _)| *of == action && (only.is_none() || *only == environment))
        .map_or((Outcome::Finished, None), |(_, fate)| (fate.outcome, fate.duration))
}

/// How long a step works: what the scenario says, or its share of what the pace says.
pub fn work(setup: &Setup, place: Place, share: i64) -> i64 {
    let usual = setup.pace.duration(place.0, place.1).as_millis();
    fate(setup, place).1.unwrap_or(usual / share)
}

/// Checks the lengths of the pauses before the steps, and of the one after the last.
pub fn check_pauses(pace: Pace, steps: usize, pauses: &[i64]) {
    assert_eq!(pauses.len(), steps + 1);
    for (position, pause) in pauses.iter().enumerate() {
        let expected = match pace {
            Pace::Immediate | Pace::Quick => 0..=0,
            Pace::Realistic if position == 0 => 3_000..=5_000,
            Pace::Realistic if position == steps => 15_000..=20_000,
            Pace::Realistic => 1_000..=21_000,
        };
        assert!(expected.contains(pause), "{pause} before step {position}");
    }
}

pub fn failures(setup: &Setup, gate: Action, severity: Severity) -> Vec<&'static str> {
    setup
        .readings
        .iter()
        .filter(|reading| reading.gate == gate && reading.failure == Some(severity))
        .map(|reading| reading.kpi)
        .collect()
}

pub fn verdict(setup: &Setup, place: Place) -> Verdict {
    match fate(setup, place).0 {
        Outcome::Failed => return Verdict::Fail,
        Outcome::Error => return Verdict::Break,
        Outcome::Paused => return Verdict::Pause,
        Outcome::Finished => {}
    }
    let action = place.0;
    let is_invalid = match setup.problem {
        None => false,
        Some(Problem::BranchIsGone) => true,
        Some(Problem::EnvironmentsAreNotReady) => setup.kind != Kind::CodeQuality,
    };
    if action == Action::Validate && is_invalid
        || !failures(setup, action, Severity::Critical).is_empty()
    {
        return Verdict::Fail;
    }
    let nothing_failed = failures(setup, action, Severity::Important).is_empty();
    match setup.important_failures {
        _ if nothing_failed => Verdict::Finish,
        ImportantFailures::Continue => Verdict::Finish,
        ImportantFailures::Fail => Verdict::Fail,
        ImportantFailures::Ask if setup.kind == Kind::CodeQuality => Verdict::Fail,
        ImportantFailures::Ask => Verdict::Ask,
    }
}
