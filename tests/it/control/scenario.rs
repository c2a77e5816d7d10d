//! `…/pipeline/{id}/scenario`

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{CODE_QUALITY, PRODUCTION, TestApp};

const SCENARIO: &str = "/_emulator/program/4/pipeline/1/scenario";

#[tokio::test]
async fn a_scenario_is_put_read_and_deleted() {
    let app = TestApp::new().await;
    assert_eq!(app.get(SCENARIO).await.status, StatusCode::NOT_FOUND);
    let scenario = json!({"times": 2, "steps": [
        {"action": "codeQuality", "metrics": {"coverage": "41.3"}},
        {"action": "deploy", "environmentType": "prod", "outcome": "FAILED", "message": "no",
            "duration": "PT3M", "log": ["a", {"line": "b", "times": 3}]},
    ]});
    assert_eq!(app.put(SCENARIO, &scenario).await.json(), scenario);
    assert_eq!(app.get(SCENARIO).await.json(), scenario);
    let other = json!({"steps": [{"action": "build", "outcome": "ERROR"}]});
    app.put(SCENARIO, &other).await;
    assert_eq!(app.get(SCENARIO).await.json(), other);
    for _ in 0..2 {
        let answer = app.request(Method::DELETE, SCENARIO, "").await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(app.get(SCENARIO).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn it_holds_for_as_many_executions_as_it_says() {
    let app = TestApp::immediate().await;
    let scenario = json!({"times": 2, "steps": [{"action": "build", "outcome": "FAILED"}]});
    app.scenario(CODE_QUALITY, &scenario).await;
    let mut outcomes = Vec::new();
    for _ in 0..4 {
        let execution = app.start(CODE_QUALITY).await;
        outcomes.push(app.execution(&execution).await.status().to_owned());
        let left = app.get("/_emulator/program/4/pipeline/3/scenario").await;
        outcomes.push(match left.status {
            StatusCode::OK => left.json()["times"].to_string(),
            status => status.as_str().to_owned(),
        });
    }
    let expected = ["FAILED", "1", "FAILED", "404", "FINISHED", "404", "FINISHED", "404"];
    assert_eq!(outcomes, expected);
}

#[tokio::test]
async fn a_refused_start_does_not_use_it_up() {
    let app = TestApp::immediate().await;
    let scenario = json!({"times": 1, "steps": []});
    app.put(SCENARIO, &scenario).await;
    let path = format!("{PRODUCTION}/execution?stepId=2983530");
    assert_eq!(app.request(Method::PUT, &path, "").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(app.get(SCENARIO).await.json()["times"], 1);
}

#[tokio::test]
async fn it_is_frozen_in_the_execution_that_it_starts() {
    let app = TestApp::new().await;
    let slow = json!({"steps": [{"action": "validate", "duration": "P2D"}]});
    app.scenario(CODE_QUALITY, &slow).await;
    let execution = app.start(CODE_QUALITY).await;
    app.scenario(CODE_QUALITY, &json!({"steps": []})).await;
    app.advance("P1D").await;
    assert_eq!(app.execution(&execution).await.progress(), ["validate:RUNNING"]);
    app.advance("P1D").await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.step("validate")["finishedAt"], "2026-03-07T10:00:00.000+0000");
}

#[tokio::test]
async fn every_mistake_is_listed_and_nothing_is_stored() {
    let app = TestApp::new().await;
    let scenario = json!({"times": 0, "steps": [
        {"action": "fly"},
        {"action": "approval", "outcome": "FAILED"},
        {"action": "contentAudit"},
        {"action": "deploy", "environmentType": "dev"},
        {"action": "deploy", "environmentType": "moon"},
        {"action": "build", "outcome": "PAUSED"},
        {"action": "build", "outcome": "GREAT", "duration": "long"},
        {"action": "codeQuality", "metrics": {"coverage": "high", "error_rate": "1", "open_issues": []}},
        {"action": "validate", "metrics": {"coverage": "1"}},
        {"action": "securityTest", "log": [{"line": "x", "times": 0}]},
    ]});
    let answer = app.put(SCENARIO, &scenario).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let errors: Vec<_> = answer.json()["errors"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        errors,
        [
            "steps[0].action",
            "steps[1].action",
            "steps[2].action",
            "steps[3].action",
            "steps[4].environmentType",
            "steps[5].outcome",
            "steps[6].duration",
            "steps[6].outcome",
            "steps[7].metrics.coverage",
            "steps[7].metrics.error_rate",
            "steps[7].metrics.open_issues",
            "steps[8].metrics.coverage",
            "steps[9].log[0].times",
            "times",
        ]
    );
    assert_eq!(answer.json()["errors"]["steps[0].action"]["invalidValue"], "fly");
    assert_eq!(app.get(SCENARIO).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn two_entries_for_one_step_are_refused() {
    let app = TestApp::new().await;
    let scenario = json!({"steps": [
        {"action": "deploy", "outcome": "FAILED"},
        {"action": "deploy", "environmentType": "prod"},
    ]});
    let answer = app.put(SCENARIO, &scenario).await;
    assert_eq!(answer.errors(), "steps: has two entries for prod deploy");
}

#[tokio::test]
async fn bodies_of_another_shape_are_refused() {
    let app = TestApp::new().await;
    for body in [
        Value::Null,
        json!([]),
        json!({"steps": {}}),
        json!({"steps": [{}]}),
        json!({"steps": [{"action": 5}]}),
        json!({"times": -1}),
        json!({"times": 1.5}),
        json!({"step": []}),
    ] {
        let answer = app.put(SCENARIO, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
    }
}

#[tokio::test]
async fn steps_end_as_it_says() {
    let app = TestApp::immediate().await;
    for (action, outcome) in [
        ("validate", "ERROR"),
        ("build", "FAILED"),
        ("codeQuality", "ERROR"),
        ("deploy", "FAILED"),
        ("securityTest", "ERROR"),
        ("loadTest", "FAILED"),
        ("assetsTest", "ERROR"),
        ("reportPerformanceTest", "FAILED"),
    ] {
        let entry = json!({"action": action, "outcome": outcome, "message": "Because."});
        app.scenario(PRODUCTION, &json!({ "steps": [entry] })).await;
        let execution = app.start(PRODUCTION).await;
        let shown = app.execution(&execution).await;
        assert_eq!(shown.status(), outcome, "{action}");
        let last = shown.steps().iter().rfind(|step| step["status"] != "NOT_STARTED").unwrap();
        assert_eq!(
            (last["action"].as_str(), last["status"].as_str()),
            (Some(action), Some(outcome))
        );
        assert_eq!(last["details"]["message"], "Because.");
    }
}

#[tokio::test]
async fn one_that_no_longer_fits_the_pipeline_is_an_error_until_it_is_replaced() {
    let app = TestApp::immediate().await;
    let deploy = json!({"action": "deploy", "environmentType": "dev",
        "failures": [{"command": "flush-dispatcher-cache"}]});
    let flushed = |paths: Value| {
        json!({"phases": [{"type": "DEPLOY", "name": "DEPLOY_1",
        "steps": [{"name": "deploy", "options": {"dispatcherCacheFlushPaths": paths}}]}]})
    };
    let (dev, scenario) = ("/api/program/4/pipeline/2", "/_emulator/program/4/pipeline/2/scenario");
    assert_eq!(app.patch(dev, &flushed(json!(["/content"]))).await.status, StatusCode::OK);
    app.scenario(dev, &json!({"times": 1, "steps": [deploy]})).await;
    assert_eq!(app.patch(dev, &flushed(json!([]))).await.status, StatusCode::OK);

    let start = format!("{dev}/execution");
    for _ in 0..2 {
        let answer = app.request(Method::PUT, &start, "").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
        let errors = answer.errors();
        assert!(errors.contains("steps[0].failures[0]"), "{errors}");
        assert!(
            errors.contains("the deployment has no command flush-dispatcher-cache"),
            "{errors}"
        );
    }
    assert_eq!(app.get(scenario).await.json()["times"], 1, "it is not used up");
    app.delete(scenario).await;
    app.start(dev).await;
}

#[tokio::test]
async fn what_a_scenario_holds_is_bounded() {
    let app = TestApp::new().await;
    let entry = |log: serde_json::Value| json!({"steps": [{"action": "build", "log": log}]});
    let line = |length: usize, times: u64| json!({"line": "x".repeat(length), "times": times});
    let entries: Vec<_> = (0..101).map(|_| json!({"action": "build"})).collect();
    let failures: Vec<_> = (0..1001).map(|_| json!({"command": "reload-dispatcher"})).collect();
    for (scenario, told) in [
        (entry(json!([line(70, u64::MAX)])), "must not add more than 1073741824 bytes"),
        (entry(json!([line(994, 1 << 20), "x"])), "must not add more than 1073741824 bytes"),
        (
            entry(json!(vec!["x".repeat(60_000); 5])),
            "must not have more than 262144 bytes of texts",
        ),
        (entry(json!(vec!["x"; 1001])), "must not have more than 1000 items"),
        (json!({"steps": entries}), "must not have more than 100 entries"),
        (
            json!({"steps": [{"action": "deploy", "failures": failures}]}),
            "must not be more than 1000",
        ),
    ] {
        let answer = app.put(SCENARIO, &scenario).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{told}");
        assert!(answer.errors().contains(told), "{}", answer.errors());
    }
    let most = entry(json!([line(994, 1 << 20)]));
    assert_eq!(app.put(SCENARIO, &most).await.status, StatusCode::OK);
}
