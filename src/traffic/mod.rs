//! Metrics, the request journal and fault injection, for every HTTP call.

mod call_log;
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
pub use call_log::LoggedCall;
use faults::Faults;
pub use inject::X_EMULATOR_FAULT;
use journal::Journal;
use metrics::Metrics;
pub use observe::observe;

/// Journal, fault rules and metrics. All of it is in memory and lost at exit.
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
    /// Returns an empty journal, no rules, and new metrics of these operations.
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

    /// Returns the operations.
    #[must_use]
    pub fn operations(&self) -> &Operations {
        &self.0.operations
    }

    /// Returns the journal.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.0.journal
    }

    /// Empties the journal and announces that.
    pub fn clear_journal(&self) {
        let last = self.0.journal.clear();
        self.0.engine.notify_request(last, None);
    }

    /// Returns the fault rules.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// Returns the metrics.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }
}
