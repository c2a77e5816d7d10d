//! The calls themselves: they are journalled, measured, and made to fail where that was asked for.

pub mod faults;
mod inject;
pub mod journal;
pub mod metrics;
mod observe;
pub mod redact;
pub mod wire;

use std::sync::Arc;

use crate::engine::Engine;
use crate::http::operations::Operations;
use faults::Faults;
pub use inject::X_EMULATOR_FAULT;
use journal::Journal;
use metrics::Metrics;
pub use observe::observe;

/// What is known of the calls, and what is to be done to them. All of it is gone at exit.
#[derive(Clone)]
pub struct Traffic(Arc<TrafficParts>);

struct TrafficParts {
    engine: Arc<Engine>,
    operations: Arc<Operations>,
    journal: Journal,
    faults: Faults,
    metrics: Metrics,
}

impl Traffic {
    /// Nothing is known yet of calls to these operations.
    #[must_use]
    pub fn new(engine: Arc<Engine>, operations: Arc<Operations>) -> Self {
        let metrics = Metrics::new(operations.count());
        Self(Arc::new(TrafficParts {
            engine,
            operations,
            journal: Journal::default(),
            faults: Faults::default(),
            metrics,
        }))
    }

    /// The operations that there are.
    #[must_use]
    pub fn operations(&self) -> &Operations {
        &self.0.operations
    }

    /// The calls that were made last.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.0.journal
    }

    /// Empties the journal, and tells those who follow what changes.
    pub fn clear_journal(&self) {
        let last = self.0.journal.clear();
        self.0.engine.tell_request(last, None);
    }

    /// The rules by which calls fail.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// The figures.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }
}
