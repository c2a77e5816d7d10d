//! Graphs of performance tests: the course of a metric over the time of the test.

use std::fmt::Write;
use std::io;

use serde::Serialize;

use crate::domain::gate::Metric;
use crate::domain::noise::Noise;
use crate::domain::time::{Duration, Timestamp};

use super::{ArtifactFile, ArtifactType};

/// How many points a graph has: an even number, see [`Shape::Mean`].
const POINTS: u16 = 60;

/// How the value of a metric relates to the points of its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Their mean: the points of each half balance those of the other.
    Mean,
    /// The highest of them.
    Peak,
}

/// A metric of which graphs are drawn.
#[derive(Debug, PartialEq, Eq)]
struct GraphSubject {
    kpi: &'static str,
    /// The name of the files, without an extension.
    file: &'static str,
    unit: &'static str,
    shape: Shape,
    csv: ArtifactType,
    json: ArtifactType,
}

const SUBJECTS: &[GraphSubject] = &[
    GraphSubject {
        kpi: "error_rate",
        file: "load-error",
        unit: "percent",
        shape: Shape::Mean,
        csv: ArtifactType::LoadErrorGraphCsv,
        json: ArtifactType::LoadErrorGraphJson,
    },
    GraphSubject {
        kpi: "response_time",
        file: "load-response-time",
        unit: "seconds",
        shape: Shape::Mean,
        csv: ArtifactType::LoadResponseTimeGraphCsv,
        json: ArtifactType::LoadResponseTimeGraphJson,
    },
    GraphSubject {
        kpi: "peak_resp_time",
        file: "load-peak-response-time",
        unit: "seconds",
        shape: Shape::Peak,
        csv: ArtifactType::LoadPeakResponseTimeGraphCsv,
        json: ArtifactType::LoadPeakResponseTimeGraphJson,
    },
    GraphSubject {
        kpi: "cpu_utilization_rate",
        file: "cpu-percent",
        unit: "percent",
        shape: Shape::Mean,
        csv: ArtifactType::CpuPercentCsv,
        json: ArtifactType::CpuPercentJson,
    },
    GraphSubject {
        kpi: "disk_io_wait_time",
        file: "cpu-io-wait-percent",
        unit: "percent",
        shape: Shape::Mean,
        csv: ArtifactType::CpuIOWaitPercentCsv,
        json: ArtifactType::CpuIOWaitPercentJson,
    },
    GraphSubject {
        kpi: "disk_bandwidth_util",
        file: "disk-utilization-percent",
        unit: "percent",
        shape: Shape::Mean,
        csv: ArtifactType::DiskUtilizationPercentCsv,
        json: ArtifactType::DiskUtilizationPercentJson,
    },
    GraphSubject {
        kpi: "network_bandwidth_util",
        file: "network-bandwidth",
        unit: "percent",
        shape: Shape::Mean,
        csv: ArtifactType::NetworkBandwidthCsv,
        json: ArtifactType::NetworkBandwidthJson,
    },
];

/// A metric over the time of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    subject: &'static GraphSubject,
    target: f64,
    points: Vec<Point>,
}

#[derive(Clone, Debug, PartialEq)]
struct Point {
    at: Timestamp,
    value: f64,
}

/// A graph as its JSON file has it.
#[derive(Serialize)]
struct GraphBody<'a> {
    kpi: &'a str,
    unit: &'a str,
    target: f64,
    points: Vec<PointBody>,
}

#[derive(Serialize)]
struct PointBody {
    time: String,
    value: f64,
}

impl Graph {
    /// Returns the graph that leads to a metric, over a test that began at that instant and took so
    /// long; other seeds give other points. None for a metric of which no graphs are drawn.
    #[must_use]
    pub fn of(metric: &Metric, began: Timestamp, duration: Duration, seed: &str) -> Option<Self> {
        let subject = SUBJECTS.iter().find(|subject| subject.kpi == metric.kpi)?;
        let noise = Noise::of(&[seed, subject.kpi]);
        let actual = number(&metric.actual);
        let points = (0..POINTS)
            .map(|position| Point {
                at: began + share(duration, position),
                value: rounded(actual * factor(subject.shape, noise, position)),
            })
            .collect();
        Some(Self { subject, target: number(&metric.expected), points })
    }

    /// Returns the points as CSV: time, value and target.
    #[must_use]
    pub fn csv(&self) -> ArtifactFile {
        let Self { subject, target, points } = self;
        let mut text = format!("time,{},target\n", subject.kpi);
        for Point { at, value } in points {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{at},{value},{target}");
        }
        let file = format!("{}.csv", subject.file);
        ArtifactFile::new(subject.csv, file, text.into_bytes())
    }

    /// Returns the points as JSON, with what they are about.
    pub fn json(&self) -> io::Result<ArtifactFile> {
        let Self { subject, target, points } = self;
        let body = GraphBody {
            kpi: subject.kpi,
            unit: subject.unit,
            target: *target,
            points: points
                .iter()
                .map(|Point { at, value }| PointBody { time: at.to_string(), value: *value })
                .collect(),
        };
        let file = format!("{}.json", subject.file);
        Ok(ArtifactFile::new(subject.json, file, serde_json::to_vec(&body)?))
    }
}

/// Returns how long after the beginning a point is: the first at once, the last at the end.
fn share(duration: Duration, position: u16) -> Duration {
    let millis = duration.as_millis().saturating_mul(i64::from(position));
    Duration::from_millis(millis).divided_by(i64::from(POINTS - 1))
}

/// Returns the factor by which a point differs from the value of the metric.
fn factor(shape: Shape, noise: Noise, position: u16) -> f64 {
    match shape {
        Shape::Mean => {
            let mirrored = POINTS - 1 - position;
            let deviation = 0.3 * (noise.share(u64::from(position.min(mirrored))) - 0.5);
            if position < mirrored { 1.0 + deviation } else { 1.0 - deviation }
        }
        Shape::Peak if u64::from(position) == noise.below(0, u64::from(POINTS)) => 1.0,
        Shape::Peak => 1.0 - 0.6 * noise.share(1 + u64::from(position)),
    }
}

/// Returns the value of a metric, within what can be drawn.
fn number(text: &str) -> f64 {
    let number = text.parse::<f64>().unwrap_or(0.0);
    if number.is_nan() { 0.0 } else { number.clamp(-1e12, 1e12) }
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests;
