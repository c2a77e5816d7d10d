//! Random setups, and random things that happen to an execution.

use cloudmanager_emulator::domain::environment::EnvironmentType;
use cloudmanager_emulator::domain::execution::{ExecutionMode, Trigger};
use cloudmanager_emulator::domain::pace::Pace;
use cloudmanager_emulator::domain::pipeline::{Action, ImportantFailures};
use cloudmanager_emulator::domain::scenario::Outcome;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use crate::body::{Body, Offset, Verb};
use crate::duel::Duel;
use crate::rules::READINGS;
use crate::seed::Kind;
use crate::setup::{Fate, OPTIONAL, Place, Problem, Reading, Setup};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Something that happens to an execution.
#[derive(Clone, Debug)]
pub enum Move {
    /// The step does its work, or is advanced.
    GoOn,
    /// Time passes, in milliseconds.
    Pass(i64),
    /// Time passes until that many milliseconds after something is due.
    PassUntilDue(i64),
    Command(Target, Verb, Content),
    ReExecute(Target),
}

/// At which step a command is aimed.
#[derive(Clone, Debug)]
pub enum Target {
    Current,
    Any(Index),
}

/// What a command says.
#[derive(Clone, Debug)]
pub enum Content {
    Right,
    Fixed(Body),
    /// Milliseconds from now.
    ScheduledIn(i64, Offset),
    Overrides(Overrides),
}

/// How a list of overrides differs from the right one.
#[derive(Clone, Debug)]
pub enum Overrides {
    WithoutTheFirst,
    With(&'static str),
    WithdrawingTheLast,
}

impl Move {
    pub fn make(&self, duel: &mut Duel) {
        match self {
            Self::GoOn => Self::go_on(duel),
            Self::Pass(millis) => duel.pass_until(duel.now + millis),
            Self::PassUntilDue(offset) => {
                let due = duel.model.due_at().unwrap_or(duel.now);
                duel.pass_until(duel.now.max(due + offset));
            }
            Self::Command(target, verb, content) => {
                let position = target.position(duel);
                let body = content.body(duel, position, *verb);
                duel.command(position, *verb, &body);
            }
            Self::ReExecute(target) => duel.re_execute(target.position(duel)),
        }
    }

    fn go_on(duel: &mut Duel) {
        if duel.model.offers(Verb::Advance, duel.model.current()) {
            Self::Command(Target::Current, Verb::Advance, Content::Right).make(duel);
        } else {
            Self::PassUntilDue(0).make(duel);
        }
    }
}

impl Target {
    fn position(&self, duel: &Duel) -> usize {
        match self {
            Self::Current => duel.model.current(),
            Self::Any(index) => index.index(duel.model.step_count()),
        }
    }
}

impl Content {
    fn body(&self, duel: &Duel, position: usize, verb: Verb) -> Body {
        match self {
            Self::Right => duel.model.right_body(position, verb),
            Self::Fixed(body) => body.clone(),
            Self::ScheduledIn(millis, offset) => Body::Scheduled(duel.now + millis, *offset),
            Self::Overrides(overrides) => {
                overrides.change(duel.model.right_body(position, Verb::Advance))
            }
        }
    }
}

impl Overrides {
    fn change(&self, right: Body) -> Body {
        let Body::Overrides(mut metrics) = right else { return right };
        match self {
            Self::WithoutTheFirst if metrics.is_empty() => {}
            Self::WithoutTheFirst => drop(metrics.remove(0)),
            Self::With(kpi) => metrics.push((kpi, true)),
            Self::WithdrawingTheLast => {
                if let Some((_, value)) = metrics.last_mut() {
                    *value = false;
                }
            }
        }
        Body::Overrides(metrics)
    }
}

pub fn setup() -> impl Strategy<Value = Setup> {
    let pipeline = (
        prop_oneof![
            4 => Just(Kind::Production),
            1 => Just(Kind::Deployment),
            1 => Just(Kind::CodeQuality),
        ],
        subsequence(OPTIONAL.to_vec(), 0..=OPTIONAL.len()),
        select(
            &[
                ImportantFailures::Ask,
                ImportantFailures::Ask,
                ImportantFailures::Fail,
                ImportantFailures::Continue,
            ][..],
        ),
    );
    let scenario = (
        fates(),
        readings(),
        select(&[Action::LoadTest, Action::AssetsTest, Action::ReportPerformanceTest][..]),
        prop_oneof![
            18 => Just(None),
            1 => Just(Some(Problem::BranchIsGone)),
            1 => Just(Some(Problem::EnvironmentsAreNotReady)),
        ],
    );
    let start = (
        select(
            &[
                Trigger::Manual,
                Trigger::Manual,
                Trigger::OnCommit,
                Trigger::PushUpgrades,
                Trigger::Rollback,
            ][..],
        ),
        prop_oneof![3 => Just(ExecutionMode::Normal), 1 => Just(ExecutionMode::Emergency)],
        proptest::bool::weighted(0.8),
        select(&[Pace::Immediate, Pace::Quick, Pace::Realistic][..]),
    );
    (pipeline, scenario, start).prop_map(|(pipeline, scenario, start)| Setup {
        kind: pipeline.0,
        optional: pipeline.1,
        important_failures: pipeline.2,
        fates: scenario.0,
        readings: scenario.1,
        performance_host: scenario.2,
        problem: scenario.3,
        trigger: start.0,
        mode: start.1,
        emergency_mode: start.2,
        pace: start.3,
    })
}

/// What a scenario can be about: all steps that work.
const PLACES: [Place; 12] = [
    (Action::Validate, None),
    (Action::Build, None),
    (Action::CodeQuality, None),
    (Action::Deploy, None),
    (Action::Deploy, Some(EnvironmentType::Dev)),
    (Action::Deploy, Some(EnvironmentType::Stage)),
    (Action::Deploy, Some(EnvironmentType::Prod)),
    (Action::SecurityTest, None),
    (Action::LoadTest, None),
    (Action::AssetsTest, None),
    (Action::ReportPerformanceTest, None),
    (Action::ContentAudit, None),
];

/// At most one fate for each step.
fn fates() -> impl Strategy<Value = Vec<(Place, Fate)>> {
    subsequence(PLACES.to_vec(), 0..=3)
        .prop_map(|mut places| {
            if places.contains(&(Action::Deploy, None)) {
                places.retain(|(action, only)| *action != Action::Deploy || only.is_none());
            }
            places
        })
        .prop_flat_map(|places| {
            places
                .into_iter()
                .map(|place| fate(place.0).prop_map(move |fate| (place, fate)))
                .collect::<Vec<_>>()
        })
}

fn fate(action: Action) -> impl Strategy<Value = Fate> {
    let pauses = u32::from(action == Action::Deploy) * 8;
    let outcome = prop_oneof![
        10 => Just(Outcome::Finished),
        1 => Just(Outcome::Failed),
        1 => Just(Outcome::Error),
        pauses => Just(Outcome::Paused),
    ];
    let duration = select(&[None, None, Some(0), Some(1), Some(3), Some(7_001), Some(DAY)][..]);
    (outcome, duration).prop_map(|(outcome, duration)| Fate { outcome, duration })
}

/// At most one reading of each metric.
fn readings() -> impl Strategy<Value = Vec<Reading>> {
    subsequence(READINGS.to_vec(), 0..=5).prop_map(|mut readings| {
        readings.dedup_by_key(|reading| reading.kpi);
        readings
    })
}

/// Up to 40 moves; the first ones lead straight on, so that every step has its turn.
pub fn moves() -> impl Strategy<Value = Vec<Move>> {
    (0..=16_usize, vec(one_move(), 0..=24)).prop_map(|(straight, moves)| {
        std::iter::repeat_n(Move::GoOn, straight).chain(moves).collect()
    })
}

fn one_move() -> impl Strategy<Value = Move> {
    let verb = || select(&[Verb::Advance, Verb::Cancel][..]);
    prop_oneof![
        2 => Just(Move::GoOn),
        4 => length_of_time().prop_map(Move::Pass),
        2 => (-1..=1_i64).prop_map(Move::PassUntilDue),
        1 => Just(Move::Command(Target::Current, Verb::Advance, Content::Right)),
        1 => Just(Move::Command(Target::Current, Verb::Cancel, Content::Right)),
        4 => schedule().prop_map(|at| Move::Command(Target::Current, Verb::Advance, at)),
        8 => (verb(), content())
            .prop_map(|(verb, content)| Move::Command(Target::Current, verb, content)),
        2 => (any::<Index>(), verb(), content())
            .prop_map(|(index, verb, content)| Move::Command(Target::Any(index), verb, content)),
        1 => Just(Move::ReExecute(Target::Current)),
        1 => any::<Index>().prop_map(|index| Move::ReExecute(Target::Any(index))),
    ]
}

/// Milliseconds, from none to somewhat more than anybody has patience for.
pub fn length_of_time() -> impl Strategy<Value = i64> {
    prop_oneof![6 => 0..3_i64, 3 => 0..10_000_i64, 2 => 0..3_600_000_i64, 1 => 0..15 * DAY]
}

fn content() -> impl Strategy<Value = Content> {
    let kpis: Vec<_> = READINGS.iter().map(|reading| reading.kpi).collect();
    let overrides = prop_oneof![
        Just(Overrides::WithoutTheFirst),
        select(kpis).prop_map(Overrides::With),
        Just(Overrides::WithdrawingTheLast),
    ];
    prop_oneof![
        2 => Just(Content::Right),
        3 => select(&Body::FIXED[..]).prop_map(Content::Fixed),
        1 => schedule(),
        2 => overrides.prop_map(Content::Overrides),
    ]
}

fn schedule() -> impl Strategy<Value = Content> {
    let offset = select(&[Offset::Zulu, Offset::Plain, Offset::OneHourEast][..]);
    (prop_oneof![-2..3_i64, 0..20 * DAY], offset)
        .prop_map(|(millis, offset)| Content::ScheduledIn(millis, offset))
}
