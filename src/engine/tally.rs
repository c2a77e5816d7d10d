//! What the engine has done since it began, for those who watch it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration as RealDuration;

use super::Engine;

/// What the engine counts.
#[derive(Debug, Default)]
pub(super) struct Tally {
    transitions: AtomicU64,
    events: AtomicU64,
    lateness_micros: AtomicU64,
}

/// What an engine has done since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Performance {
    /// How many times a step changed its status.
    pub transitions: u64,
    /// How many events were recorded for subscribers.
    pub events: u64,
    /// How late the scheduler last came to something due, in real time.
    pub lateness: RealDuration,
}

impl Tally {
    /// Something was committed.
    pub(super) fn count(&self, transitions: u64, events: u64) {
        self.transitions.fetch_add(transitions, Ordering::Relaxed);
        self.events.fetch_add(events, Ordering::Relaxed);
    }

    /// The scheduler came to something that late.
    pub(super) fn be_late(&self, lateness: RealDuration) {
        let micros = u64::try_from(lateness.as_micros()).unwrap_or(u64::MAX);
        self.lateness_micros.store(micros, Ordering::Relaxed);
    }
}

impl Engine {
    /// What it has done since it began.
    #[must_use]
    pub fn performance(&self) -> Performance {
        let Tally { transitions, events, lateness_micros } = &self.tally;
        Performance {
            transitions: transitions.load(Ordering::Relaxed),
            events: events.load(Ordering::Relaxed),
            lateness: RealDuration::from_micros(lateness_micros.load(Ordering::Relaxed)),
        }
    }
}
