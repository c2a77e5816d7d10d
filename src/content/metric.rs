//! Metrics in words.

use crate::domain::gate::{Comparator, Metric, Severity};

/// Returns a metric in words.
pub(super) fn describe(metric: &Metric) -> String {
    let Metric { kpi, severity, comparator, expected, actual, passed } = metric;
    let level = match (passed, severity) {
        (true, _) => "[INFO] passed",
        (false, Severity::Informational) => "[WARN] failed",
        (false, Severity::Critical | Severity::Important) => "[ERROR] failed",
    };
    let comparator = match comparator {
        Comparator::Gt => "more than",
        Comparator::Gte => "at least",
        Comparator::Lt => "less than",
        Comparator::Lte => "at most",
        Comparator::Eq => "",
        Comparator::Neq => "other than",
    };
    format!("{level}: {kpi} is {actual}, expected {comparator} {expected}").replace("  ", " ")
}
