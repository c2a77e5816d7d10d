//! What callers did and were told, and what must hold of it. Pure: moments are numbers that grow.

use std::collections::{BTreeMap, BTreeSet};

/// From when to when something was under way; without an end if nobody was told how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    pub called: u64,
    pub answered: Option<u64>,
}

/// A change of one thing: its new value, or none if it is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    pub key: String,
    pub value: Option<String>,
    pub when: When,
}

/// What somebody was told of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    pub key: String,
    pub value: Option<String>,
    pub when: When,
}

/// What came of the wish to start a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Started {
    /// This execution.
    Created(u64),
    /// The pipeline was executed already.
    Busy,
}

/// A wish to start a pipeline that was answered.
#[derive(Clone, Debug)]
pub struct Start {
    pub pipeline: u32,
    pub outcome: Started,
    pub when: When,
}

/// What somebody saw of an execution.
#[derive(Clone, Debug)]
pub struct Sight {
    pub execution: u64,
    pub status: String,
    /// How many steps have begun and have ended.
    pub steps: (usize, usize),
    pub when: When,
}

/// What somebody saw on the emulator's clock, in a form that sorts.
#[derive(Clone, Debug)]
pub struct Time {
    pub now: String,
    pub when: When,
}

/// Everything that happened.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub writes: Vec<Write>,
    pub reads: Vec<Read>,
    pub starts: Vec<Start>,
    pub sights: Vec<Sight>,
    pub times: Vec<Time>,
    /// The executions that there are in the end, by pipeline.
    pub executions: BTreeMap<u32, BTreeSet<u64>>,
    /// The events of each execution, in their order.
    pub events: BTreeMap<String, Vec<String>>,
    /// Execution and event, as a subscriber received them.
    pub received: Vec<(String, String)>,
}

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A read that no order of the writes explains: a write was lost, undone or never made. What was
    /// read, and all writes.
    Read(Read, Vec<Write>),
    /// An execution that somebody was told of is not there.
    Lost(u64),
    /// Two executions of a pipeline at once.
    Together(u64, u64),
    /// Later executions have smaller numbers.
    Order(u64, u64),
    /// A pipeline was said to be executed, and can't have been.
    NotBusy(u32),
    /// An execution went back.
    Back(u64),
    /// The clock went back.
    Clock(String),
    /// An execution's events did not all arrive, or in another order.
    Events(String),
}

impl When {
    /// Whether this was over before the other began.
    fn precedes(self, other: Self) -> bool {
        self.answered.is_some_and(|answered| answered < other.called)
    }
}

/// Everything that must not be.
pub fn check(history: &History) -> Vec<Violation> {
    let mut found = check_reads(history);
    found.extend(check_starts(history));
    found.extend(check_refusals(history));
    found.extend(check_sights(history));
    found.extend(check_times(history));
    found.extend(check_events(history));
    found
}

/// A value can be read if a write of it began before the read ended, and no other write lies
/// wholly between the two.
fn check_reads(history: &History) -> Vec<Violation> {
    let mut writes: BTreeMap<&str, Vec<Write>> = BTreeMap::new();
    for read in &history.reads {
        // Before all writes there was nothing.
        let nothing = Write {
            key: read.key.clone(),
            value: None,
            when: When { called: 0, answered: Some(0) },
        };
        writes.entry(&read.key).or_insert_with(|| vec![nothing]);
    }
    for write in &history.writes {
        if let Some(writes) = writes.get_mut(write.key.as_str()) {
            writes.push(write.clone());
        }
    }
    let explains = |write: &Write, read: &Read, others: &[Write]| {
        write.value == read.value
            && !read.when.precedes(write.when)
            && !others
                .iter()
                .any(|other| write.when.precedes(other.when) && other.when.precedes(read.when))
    };
    let is_wrong = |read: &&Read| {
        let writes = &writes[read.key.as_str()];
        !writes.iter().any(|write| explains(write, read, writes))
    };
    let found = history.reads.iter().filter(is_wrong);
    found.map(|read| Violation::Read(read.clone(), writes[read.key.as_str()].clone())).collect()
}

fn is_over(status: &str) -> bool {
    ["FINISHED", "FAILED", "ERROR", "CANCELLED"].contains(&status)
}

/// What is known of an execution: moments between which it began, ran and was over.
#[derive(Clone, Copy, Default)]
struct Known {
    /// When somebody asked for it to be started.
    wanted: Option<u64>,
    /// When somebody last began to look and found it running.
    ran: u64,
    /// When somebody first was told that it is over.
    over: Option<u64>,
}

fn known(history: &History) -> BTreeMap<u64, Known> {
    let mut known: BTreeMap<u64, Known> = BTreeMap::new();
    for start in &history.starts {
        if let Started::Created(execution) = start.outcome {
            known.entry(execution).or_default().wanted = Some(start.when.called);
        }
    }
    for sight in &history.sights {
        let known = known.entry(sight.execution).or_default();
        if is_over(&sight.status) {
            known.over = known.over.into_iter().chain(sight.when.answered).min();
        } else {
            known.ran = known.ran.max(sight.when.called);
        }
    }
    known
}

/// What was started is there; nothing else of the pipeline ran from its start to the next one.
fn check_starts(history: &History) -> Vec<Violation> {
    let known = known(history);
    let created = history.starts.iter().filter_map(|start| match start.outcome {
        Started::Created(execution) => Some((start, execution)),
        Started::Busy => None,
    });
    let created: Vec<_> = created.collect();
    let mut found = Vec::new();
    for (start, execution) in &created {
        let there = history.executions.get(&start.pipeline);
        if !there.is_some_and(|there| there.contains(execution)) {
            found.push(Violation::Lost(*execution));
        }
        for (later, other) in &created {
            if later.pipeline != start.pipeline || !start.when.precedes(later.when) {
                continue;
            }
            if other <= execution {
                found.push(Violation::Order(*execution, *other));
            }
            if later.when.answered.is_some_and(|answered| answered < known[execution].ran) {
                found.push(Violation::Together(*execution, *other));
            }
        }
    }
    found
}

/// A pipeline is refused only while an execution of it may run: one that can have begun, and was not
/// known to be over before.
fn check_refusals(history: &History) -> Vec<Violation> {
    let known = known(history);
    let can_run = |refused: &Start, execution: &u64| {
        let Known { wanted, over, .. } = known.get(execution).copied().unwrap_or_default();
        let began =
            wanted.is_none_or(|wanted| refused.when.answered.is_none_or(|end| wanted < end));
        began && over.is_none_or(|over| over >= refused.when.called)
    };
    let refusals = history.starts.iter().filter(|start| start.outcome == Started::Busy);
    refusals
        .filter(|refused| {
            let mut there = history.executions.get(&refused.pipeline).into_iter().flatten();
            !there.any(|execution| can_run(refused, execution))
        })
        .map(|refused| Violation::NotBusy(refused.pipeline))
        .collect()
}

fn rank(status: &str) -> usize {
    match status {
        "NOT_STARTED" => 0,
        "RUNNING" => 1,
        "CANCELLING" => 2,
        _ => 3,
    }
}

/// An execution only goes on, and stays as it ended.
fn check_sights(history: &History) -> Vec<Violation> {
    let mut by_execution: BTreeMap<u64, Vec<&Sight>> = BTreeMap::new();
    for sight in &history.sights {
        by_execution.entry(sight.execution).or_default().push(sight);
    }
    let goes_back = |earlier: &Sight, later: &Sight| {
        earlier.when.precedes(later.when)
            && (rank(&earlier.status) > rank(&later.status)
                || earlier.steps.0 > later.steps.0
                || earlier.steps.1 > later.steps.1
                || is_over(&earlier.status) && earlier.status != later.status)
    };
    let went_back = |sights: &[&Sight]| {
        sights.iter().any(|earlier| sights.iter().any(|later| goes_back(earlier, later)))
    };
    let back = by_execution.into_iter().filter(|(_, sights)| went_back(sights));
    back.map(|(execution, _)| Violation::Back(execution)).collect()
}

fn check_times(history: &History) -> Vec<Violation> {
    let goes_back =
        |later: &Time, earlier: &Time| earlier.when.precedes(later.when) && earlier.now > later.now;
    let went_back = |later: &&Time| history.times.iter().any(|earlier| goes_back(later, earlier));
    let back = history.times.iter().filter(went_back);
    back.map(|time| Violation::Clock(time.now.clone())).collect()
}

/// Each event arrives at least once; for the first time, in order.
fn check_events(history: &History) -> Vec<Violation> {
    let mut seen = BTreeSet::new();
    let mut arrived: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (execution, event) in &history.received {
        if seen.insert(event) {
            arrived.entry(execution).or_default().push(event);
        }
    }
    let wrong = history.events.iter().filter(|(execution, events)| {
        let arrived = arrived.get(execution.as_str()).map_or(&[][..], Vec::as_slice);
        !arrived.iter().eq(events.iter())
    });
    wrong.map(|(execution, _)| Violation::Events(execution.clone())).collect()
}
