//! The checker of histories finds each kind of violation, and none where there is none.

use super::history::{History, Read, Sight, Start, Started, Time, Violation, When, Write, check};

fn when(called: u64, answered: u64) -> When {
    When { called, answered: Some(answered) }
}

fn write(value: Option<&str>, when: When) -> Write {
    Write { key: "k".into(), value: value.map(Into::into), when }
}

fn read(value: Option<&str>, called: u64) -> History {
    let reads = vec![Read {
        key: "k".into(),
        value: value.map(Into::into),
        when: when(called, called + 1),
    }];
    History { reads, ..History::default() }
}

fn start(outcome: Started, when: When) -> Start {
    Start { pipeline: 1, outcome, when }
}

fn sight(execution: u64, status: &str, steps: (usize, usize), called: u64) -> Sight {
    let when = when(called, called + 1);
    Sight { execution, status: status.into(), steps, when }
}

/// A history with these executions of the pipeline.
fn with_executions(executions: &[u64]) -> History {
    let executions = [(1, executions.iter().copied().collect())].into();
    History { executions, ..History::default() }
}

#[test]
fn a_write_that_is_lost_undone_or_invented_is_found() {
    let unanswered = When { called: 3, answered: None };
    for (writes, value, is_right) in [
        (vec![], None, true),
        (vec![], Some("a"), false),
        (vec![write(Some("a"), when(1, 2))], Some("a"), true),
        (vec![write(Some("a"), when(1, 2))], None, false),
        (vec![write(Some("a"), when(1, 2)), write(Some("b"), when(3, 4))], Some("a"), false),
        (vec![write(Some("a"), when(1, 4)), write(Some("b"), when(3, 5))], Some("a"), true),
        (vec![write(Some("a"), when(1, 2)), write(None, when(3, 4))], Some("a"), false),
        (vec![write(Some("a"), when(1, 2)), write(Some("b"), unanswered)], Some("a"), true),
        (vec![write(Some("a"), when(1, 2)), write(Some("b"), unanswered)], Some("b"), true),
        (vec![write(Some("a"), when(20, 21))], Some("a"), false),
    ] {
        let history = History { writes: writes.clone(), ..read(value, 10) };
        assert_eq!(check(&history).is_empty(), is_right, "{writes:?} {value:?}");
    }
}

#[test]
fn an_execution_that_is_lost_is_found() {
    let starts = vec![start(Started::Created(7), when(1, 2))];
    let history = |there: &[u64]| History { starts: starts.clone(), ..with_executions(there) };
    assert_eq!(check(&history(&[7])), []);
    assert_eq!(check(&history(&[6])), [Violation::Lost(7)]);
}

#[test]
fn two_executions_at_once_are_found() {
    let starts =
        vec![start(Started::Created(7), when(1, 2)), start(Started::Created(8), when(3, 4))];
    let history = |sights| History { starts: starts.clone(), sights, ..with_executions(&[7, 8]) };
    assert_eq!(check(&history(vec![sight(7, "FINISHED", (1, 1), 5)])), []);
    let running = vec![sight(7, "RUNNING", (1, 0), 5)];
    assert_eq!(check(&history(running)), [Violation::Together(7, 8)]);
}

#[test]
fn executions_out_of_order_are_found() {
    let starts =
        vec![start(Started::Created(8), when(1, 2)), start(Started::Created(7), when(3, 4))];
    let history = History { starts, ..with_executions(&[7, 8]) };
    assert_eq!(check(&history), [Violation::Order(8, 7)]);
}

#[test]
fn a_refusal_without_an_execution_that_runs_is_found() {
    let starts = vec![start(Started::Created(7), when(1, 2)), start(Started::Busy, when(10, 11))];
    let history = |sights| History { starts: starts.clone(), sights, ..with_executions(&[7]) };
    assert_eq!(check(&history(vec![])), []);
    assert_eq!(check(&history(vec![sight(7, "FINISHED", (1, 1), 12)])), []);
    let over = vec![sight(7, "FINISHED", (1, 1), 5)];
    assert_eq!(check(&history(over)), [Violation::NotBusy(1)]);
    let early = History {
        starts: vec![start(Started::Busy, when(1, 2)), start(Started::Created(7), when(3, 4))],
        ..with_executions(&[7])
    };
    assert_eq!(check(&early), [Violation::NotBusy(1)]);
}

#[test]
fn an_execution_that_goes_back_is_found() {
    for (earlier, later, is_right) in [
        (("RUNNING", (2, 1)), ("RUNNING", (2, 1)), true),
        (("RUNNING", (2, 1)), ("FAILED", (2, 2)), true),
        (("RUNNING", (2, 1)), ("NOT_STARTED", (2, 1)), false),
        (("RUNNING", (2, 1)), ("RUNNING", (1, 1)), false),
        (("RUNNING", (2, 2)), ("RUNNING", (2, 1)), false),
        (("FINISHED", (2, 2)), ("CANCELLED", (2, 2)), false),
        (("FINISHED", (2, 2)), ("RUNNING", (2, 2)), false),
    ] {
        let sights = vec![sight(7, earlier.0, earlier.1, 1), sight(7, later.0, later.1, 3)];
        let history = History { sights, ..with_executions(&[7]) };
        assert_eq!(check(&history).is_empty(), is_right, "{earlier:?} {later:?}");
    }
}

#[test]
fn a_clock_that_goes_back_is_found() {
    let time = |now: &str, when| Time { now: now.into(), when };
    let history = |second| History {
        times: vec![time("2026-01-02", when(1, 3)), time("2026-01-01", second)],
        ..History::default()
    };
    assert_eq!(check(&history(when(2, 4))), [], "both at once");
    assert_eq!(check(&history(when(4, 5))), [Violation::Clock("2026-01-01".into())]);
}

#[test]
fn events_that_are_missing_or_in_another_order_are_found() {
    let pairs = |events: &[&str]| -> Vec<(String, String)> {
        events.iter().map(|event| ("7".to_owned(), (*event).to_owned())).collect()
    };
    let events = [("7".to_owned(), vec!["a".to_owned(), "b".to_owned()])];
    for (received, is_right) in [
        (&["a", "b"][..], true),
        (&["a", "a", "b", "a"], true),
        (&["a"], false),
        (&["b", "a"], false),
        (&[], false),
    ] {
        let history = History {
            events: events.clone().into(),
            received: pairs(received),
            ..History::default()
        };
        assert_eq!(check(&history).is_empty(), is_right, "{received:?}");
    }
}
