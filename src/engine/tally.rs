//! What the engine has done since it began, for those who watch it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration as RealDuration;

use super::Engine;

/// What the engine counts.
#[derive(Debug, Default)]
pub(super) struct Tally {
    transitions: AtomicU64,
    events: AtomicU64,
    deliveries_made: AtomicU64,
    deliveries_in_vain: AtomicU64,
    lateness_micros: AtomicU64,
}

/// What an engine has done since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Performance {
    /// How many times a step changed its status.
    pub transitions: u64,
    /// How many events were recorded for subscribers.
    pub events: u64,
    /// How often a subscriber took what was delivered.
    pub deliveries_made: u64,
    /// How often one did not.
    pub deliveries_in_vain: u64,
    /// How late the scheduler last came to something due, in real time.
    pub lateness: RealDuration,
}

impl Tally {
    /// Something was committed.
    pub(super) fn count(&self, transitions: u64, events: u64) {
        self.transitions.fetch_add(transitions, Ordering::Relaxed);
        self.events.fetch_add(events, Ordering::Relaxed);
    }

    /// So many deliveries were taken, and so many were not.
    pub(super) fn count_deliveries(&self, made: u64, in_vain: u64) {
        self.deliveries_made.fetch_add(made, Ordering::Relaxed);
        self.deliveries_in_vain.fetch_add(in_vain, Ordering::Relaxed);
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
        let Tally { transitions, events, lateness_micros, .. } = &self.tally;
        let Tally { deliveries_made, deliveries_in_vain, .. } = &self.tally;
        Performance {
            transitions: transitions.load(Ordering::Relaxed),
            events: events.load(Ordering::Relaxed),
            deliveries_made: deliveries_made.load(Ordering::Relaxed),
            deliveries_in_vain: deliveries_in_vain.load(Ordering::Relaxed),
            lateness: RealDuration::from_micros(lateness_micros.load(Ordering::Relaxed)),
        }
    }
}
