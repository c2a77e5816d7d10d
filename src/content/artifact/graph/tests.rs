//! Graphs of metrics.

use std::collections::BTreeMap;

use super::*;
use crate::domain::gate::Gate;
use crate::domain::program::Kpis;

fn metrics() -> Vec<Metric> {
    Gate::Performance.evaluate(Kpis::default(), &BTreeMap::new())
}

fn metric(kpi: &str) -> Metric {
    metrics().into_iter().find(|metric| metric.kpi == kpi).unwrap()
}

fn graph(metric: &Metric, seed: &str) -> Option<Graph> {
    let began = Timestamp::parse("2026-11-23T02:41:07.000Z").unwrap();
    Graph::of(metric, began, Duration::from_mins(30), seed)
}

#[test]
fn metrics_with_a_type_in_the_api_have_graphs() {
    let drawn: Vec<_> = metrics()
        .iter()
        .filter_map(|metric| graph(metric, "1"))
        .map(|graph| graph.csv().artifact.file)
        .collect();
    assert_eq!(
        drawn,
        [
            "load-error.csv",
            "cpu-percent.csv",
            "cpu-io-wait-percent.csv",
            "load-response-time.csv",
            "load-peak-response-time.csv",
            "disk-utilization-percent.csv",
            "network-bandwidth.csv",
        ]
    );
}

#[test]
fn points_span_the_test_and_lead_to_the_metric() {
    for metric in metrics() {
        let Some(graph) = graph(&metric, "1") else { continue };
        let first = graph.points.first().unwrap();
        let last = graph.points.last().unwrap();
        assert_eq!(first.at.to_string(), "2026-11-23T02:41:07.000+0000");
        assert_eq!(last.at.to_string(), "2026-11-23T03:11:07.000+0000");
        let values = graph.points.iter().map(|point| point.value);
        let value = match graph.subject.shape {
            Shape::Mean => values.sum::<f64>() / f64::from(POINTS),
            Shape::Peak => values.fold(0.0, f64::max),
        };
        assert!((value - number(&metric.actual)).abs() < 0.002, "{metric:?}: {value}");
    }
}

#[test]
fn files_follow_from_the_seed() {
    let metric = metric("response_time");
    let files = |seed| {
        let graph = graph(&metric, seed).unwrap();
        (graph.csv(), graph.json().unwrap())
    };
    assert_eq!(files("1"), files("1"));
    assert_ne!(files("1").0.artifact.md5, files("2").0.artifact.md5);
    assert_ne!(files("1").1.artifact.md5, files("2").1.artifact.md5);
}

#[test]
fn csv_and_json_have_the_same_points() {
    let graph = graph(&metric("response_time"), "1").unwrap();
    let csv = String::from_utf8(graph.csv().content).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&graph.json().unwrap().content).unwrap();
    assert_eq!(json["target"], 3.0);
    assert_eq!(json["unit"], "seconds");
    let rows: Vec<_> = csv.lines().collect();
    assert_eq!(rows[0], "time,response_time,target");
    let points = json["points"].as_array().unwrap();
    assert_eq!(rows.len(), 1 + points.len());
    for (row, point) in rows[1..].iter().zip(points) {
        let (time, value) = (point["time"].as_str().unwrap(), point["value"].as_f64().unwrap());
        assert_eq!(*row, format!("{time},{value},3"));
    }
}

#[test]
fn any_value_and_any_time_can_be_drawn() {
    for actual in ["0", "-1", "1e308", "NaN", "high", ""] {
        let metric = Metric { actual: actual.into(), ..metric("error_rate") };
        for duration in [Duration::ZERO, Duration::from_millis(i64::MAX)] {
            let graph = Graph::of(&metric, Timestamp::MAX, duration, "").unwrap();
            assert!(graph.points.iter().all(|point| point.value.is_finite()));
            assert!(graph.json().is_ok());
        }
    }
}
