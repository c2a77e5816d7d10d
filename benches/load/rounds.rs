//! Rounds of measurements, and what counts of them.

use std::time::Duration;

/// How often each rate is measured; the median counts.
pub const ROUNDS: usize = 5;

/// How long a rate is measured.
pub const ROUND: Duration = Duration::from_secs(3);

pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

pub fn median<T: Copy + PartialOrd>(mut values: Vec<T>) -> Option<T> {
    values.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    values.get(values.len() / 2).copied()
}
