//! Metrics in Prometheus' text format.

use std::sync::OnceLock;
use std::time::Duration as RealDuration;

use axum::http::StatusCode;
use prometheus::core::Collector;
use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts,
    Registry, Result, TEXT_FORMAT, TextEncoder,
};

use crate::engine::Performance;
use crate::http::operations::Operation;

/// The media type of the text.
pub const CONTENT_TYPE: &str = TEXT_FORMAT;

/// The prefix of every name.
const PREFIX: &str = "cloudmanager_emulator";

/// Upper bounds of latencies, in seconds. The last is just above the 28 s after which a call to
/// Cloud Manager is answered with 503.
const BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0];

/// The label of calls without an operation.
const NO_OPERATION: &str = "none";

/// The status label of calls without a whole answer.
const NO_STATUS: &str = "none";

/// The metrics of calls.
pub struct Metrics {
    requests: IntCounterVec,
    durations: HistogramVec,
    /// Indexed by the number of the operation.
    by_operation: Vec<OperationMetrics>,
}

/// The metrics that most calls of an operation use, kept because finding them by their labels takes
/// longer than counting. They are created with the first call: Prometheus shows every metric that
/// exists, and operations that nobody calls would fill the text with zeros.
#[derive(Default)]
struct OperationMetrics {
    succeeded: OnceLock<IntCounter>,
    duration: OnceLock<Histogram>,
}

/// Values that are read when the metrics are rendered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Unfinished executions.
    pub running_executions: i64,
    /// Deliveries that are still to be made.
    pub pending_deliveries: i64,
}

impl Metrics {
    /// Returns the metrics of this many operations; nothing is counted yet.
    #[must_use]
    pub fn new(operations: usize) -> Self {
        let help = "Requests by operation and response status.";
        let requests = Opts::new("requests_total", help).namespace(PREFIX);
        let help = "Time until the response to a request began.";
        let durations = HistogramOpts::new("request_duration_seconds", help)
            .namespace(PREFIX)
            .buckets(BUCKETS.to_vec());
        Self {
            requests: valid(IntCounterVec::new(requests, &["operation", "status"])),
            durations: valid(HistogramVec::new(durations, &["operation"])),
            by_operation: (0..operations).map(|_| OperationMetrics::default()).collect(),
        }
    }

    /// Counts a call that is over.
    pub fn count(
        &self,
        operation: Option<&Operation>,
        status: Option<StatusCode>,
        took: RealDuration,
    ) {
        let id = operation.map_or(NO_OPERATION, |operation| &operation.id);
        let known = operation.and_then(|operation| self.by_operation.get(operation.number));
        let code = status.as_ref().map_or(NO_STATUS, StatusCode::as_str);
        let counter = || self.requests.with_label_values(&[id, code]);
        let duration = || self.durations.with_label_values(&[id]);
        let took = took.as_secs_f64();
        match known {
            Some(known) => known.duration.get_or_init(duration).observe(took),
            None => duration().observe(took),
        }
        match known.filter(|_| status == Some(StatusCode::OK)) {
            Some(known) => known.succeeded.get_or_init(counter).inc(),
            None => counter().inc(),
        }
    }

    /// Returns all metrics as text, with the current ones of the engine.
    #[must_use]
    pub fn render(&self, performance: Performance, gauges: Gauges) -> String {
        let Performance { transitions, events, deliveries_succeeded, deliveries_failed, lateness } =
            performance;
        let Gauges { running_executions, pending_deliveries } = gauges;
        let registry = Registry::new();
        register(&registry, self.requests.clone());
        register(&registry, self.durations.clone());

        let help = "Unfinished executions.";
        let running = valid(IntGauge::with_opts(options("running_executions", help)));
        running.set(running_executions);
        register(&registry, running);
        let help = "Status changes of steps.";
        let counter = valid(IntCounter::with_opts(options("transitions_total", help)));
        counter.inc_by(transitions);
        register(&registry, counter);
        let help = "Events that were recorded for subscribers.";
        let counter = valid(IntCounter::with_opts(options("events_total", help)));
        counter.inc_by(events);
        register(&registry, counter);
        let help = "Attempts to deliver an event to a subscriber, by result.";
        let attempts = options("event_deliveries_total", help);
        let counter = valid(IntCounterVec::new(attempts, &["outcome"]));
        counter.with_label_values(&["delivered"]).inc_by(deliveries_succeeded);
        counter.with_label_values(&["failed"]).inc_by(deliveries_failed);
        register(&registry, counter);
        let help = "Events that have not been delivered yet.";
        let pending = valid(IntGauge::with_opts(options("pending_event_deliveries", help)));
        pending.set(pending_deliveries);
        register(&registry, pending);
        let help = "How late the scheduler handled the last due timer, in real time.";
        let gauge = valid(Gauge::with_opts(options("scheduler_lateness_seconds", help)));
        gauge.set(lateness.as_secs_f64());
        register(&registry, gauge);
        valid(TextEncoder::new().encode_to_string(&registry.gather()))
    }
}

fn options(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace(PREFIX)
}

fn register(registry: &Registry, collector: impl Collector + 'static) {
    valid(registry.register(Box::new(collector)));
}

/// Unwraps a result that can fail only for bad names, labels or buckets. They are constants of this
/// file, so any test that renders the metrics would find a bad one.
fn valid<T>(made: Result<T>) -> T {
    made.expect("names, labels and buckets of the metrics are valid")
}
