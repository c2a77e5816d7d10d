//! Figures for Prometheus.

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

/// The media type of the figures.
pub const CONTENT_TYPE: &str = TEXT_FORMAT;

/// What every name begins with.
const PREFIX: &str = "cloudmanager_emulator";

/// Upper bounds of latencies, in seconds.
const BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0];

/// The operation of a call for which there is none.
const NO_OPERATION: &str = "none";

/// The status of a call that got no whole answer.
const NO_STATUS: &str = "none";

/// What is counted call by call.
pub struct Metrics {
    requests: IntCounterVec,
    durations: HistogramVec,
    /// By the number of the operation.
    usual: Vec<Usual>,
}

/// What most calls to an operation are counted in. Finding it by its labels takes longer than
/// counting. It is made when it is first needed, because what has been made is shown.
#[derive(Default)]
struct Usual {
    succeeded: OnceLock<IntCounter>,
    duration: OnceLock<Histogram>,
}

/// What there is at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Present {
    /// Unfinished executions.
    pub running_executions: i64,
    /// Deliveries that are still to be made.
    pub pending_deliveries: i64,
}

impl Metrics {
    /// Nothing has been counted of so many operations.
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
            usual: (0..operations).map(|_| Usual::default()).collect(),
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
        let usual = operation.and_then(|operation| self.usual.get(operation.number));
        let code = status.as_ref().map_or(NO_STATUS, StatusCode::as_str);
        let counter = || self.requests.with_label_values(&[id, code]);
        let duration = || self.durations.with_label_values(&[id]);
        let took = took.as_secs_f64();
        match usual {
            Some(usual) => usual.duration.get_or_init(duration).observe(took),
            None => duration().observe(took),
        }
        match usual.filter(|_| status == Some(StatusCode::OK)) {
            Some(usual) => usual.succeeded.get_or_init(counter).inc(),
            None => counter().inc(),
        }
    }

    /// All figures as text, with those of the engine as they are.
    #[must_use]
    pub fn render(&self, performance: Performance, present: Present) -> String {
        let Performance { transitions, events, deliveries_made, deliveries_in_vain, lateness } =
            performance;
        let Present { running_executions, pending_deliveries } = present;
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
        counter.with_label_values(&["delivered"]).inc_by(deliveries_made);
        counter.with_label_values(&["failed"]).inc_by(deliveries_in_vain);
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

/// Names, labels and buckets are those of this file: the first test would find a bad one.
fn valid<T>(made: Result<T>) -> T {
    made.expect("names, labels and buckets of the metrics are valid")
}
