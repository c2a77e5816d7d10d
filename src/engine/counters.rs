//! Counters of what the engine has done since it started. They feed the metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration as RealDuration;

use super::Engine;

/// The counters. Their order relative to other memory does not matter, so `Relaxed` is enough.
#[derive(Debug, Default)]
pub(super) struct Counters {
    transitions: AtomicU64,
    events: AtomicU64,
    deliveries_succeeded: AtomicU64,
    deliveries_failed: AtomicU64,
    lateness_micros: AtomicU64,
}

/// The values of the counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Performance {
    /// How many times a step changed its status.
    pub transitions: u64,
    /// How many events were recorded for subscribers.
    pub events: u64,
    /// How many delivery attempts succeeded.
    pub deliveries_succeeded: u64,
    /// How many delivery attempts failed.
    pub deliveries_failed: u64,
    /// How late the scheduler handled the last thing that was due, in real time.
    pub lateness: RealDuration,
}

impl Counters {
    /// Counts what a commit has changed.
    pub(super) fn record_commit(&self, transitions: u64, events: u64) {
        self.transitions.fetch_add(transitions, Ordering::Relaxed);
        self.events.fetch_add(events, Ordering::Relaxed);
    }

    /// Counts delivery attempts by their outcome.
    pub(super) fn record_deliveries(&self, succeeded: u64, failed: u64) {
        self.deliveries_succeeded.fetch_add(succeeded, Ordering::Relaxed);
        self.deliveries_failed.fetch_add(failed, Ordering::Relaxed);
    }

    /// Replaces the lateness of the scheduler.
    pub(super) fn record_lateness(&self, lateness: RealDuration) {
        let micros = u64::try_from(lateness.as_micros()).unwrap_or(u64::MAX);
        self.lateness_micros.store(micros, Ordering::Relaxed);
    }
}

impl Engine {
    /// Returns the values of the counters now.
    #[must_use]
    pub fn performance(&self) -> Performance {
        let Counters { transitions, events, lateness_micros, .. } = &self.counters;
        let Counters { deliveries_succeeded, deliveries_failed, .. } = &self.counters;
        Performance {
            transitions: transitions.load(Ordering::Relaxed),
            events: events.load(Ordering::Relaxed),
            deliveries_succeeded: deliveries_succeeded.load(Ordering::Relaxed),
            deliveries_failed: deliveries_failed.load(Ordering::Relaxed),
            lateness: RealDuration::from_micros(lateness_micros.load(Ordering::Relaxed)),
        }
    }
}
