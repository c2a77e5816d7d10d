//! Metrics in words.

use crate::domain::gate::{Comparator, Metric, Severity};

/// Returns a line about a metric for a log.
pub(super) fn describe(metric: &Metric) -> String {
    let level = match (metric.passed, metric.severity) {
        (true, _) => "[INFO] passed",
        (false, Severity::Informational) => "[WARN] failed",
        (false, Severity::Critical | Severity::Important) => "[ERROR] failed",
    };
    format!("{level}: {}", expectation(metric))
}

/// Returns the value of a metric and the value that was expected, in words.
pub(super) fn expectation(metric: &Metric) -> String {
    let Metric { kpi, severity: _, comparator, expected, actual, passed: _ } = metric;
    let comparator = match comparator {
        Comparator::Gt => "more than",
        Comparator::Gte => "at least",
        Comparator::Lt => "less than",
        Comparator::Lte => "at most",
        Comparator::Eq => "",
        Comparator::Neq => "other than",
    };
    format!("{kpi} is {actual}, expected {comparator} {expected}").replace("  ", " ")
}
