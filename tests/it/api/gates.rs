//! Quality gates: metrics, overriding, rejecting.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{CODE_QUALITY, PRODUCTION, TestApp};

async fn failing(action: &str, metrics: Value) -> (TestApp, String) {
    let app = TestApp::immediate().await;
    app.scenario(PRODUCTION, &json!({"steps": [{"action": action, "metrics": metrics}]})).await;
    let execution = app.start(PRODUCTION).await;
    (app, execution)
}

async fn metrics(app: &TestApp, execution: &str, step: &str) -> Vec<Value> {
    let href = app.execution(execution).await.link(step, "pipeline/metrics").unwrap();
    app.get(&href).await.json()["metrics"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_important_failure_waits_and_is_overridden() {
    let (app, execution) = failing("codeQuality", json!({"coverage": "41.3"})).await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.status(), "RUNNING");
    assert_eq!(shown.progress().last().unwrap(), "codeQuality:WAITING");
    let gate = metrics(&app, &execution, "codeQuality").await;
    let coverage = gate.iter().find(|metric| metric["kpi"] == "coverage").unwrap();
    let expected = json!({"severity": "important", "passed": false, "override": false,
        "actualValue": "41.3", "expectedValue": "50", "comparator": "GTE", "kpi": "coverage"});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(coverage[name], *value, "{name}");
    }

    let answer = json!({"metrics": [{"kpi": "coverage", "override": true}]});
    app.accept(&execution, "codeQuality", "pipeline/advance", &answer).await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.step("codeQuality")["status"], "FINISHED");
    assert_eq!(shown.step("codeQuality")["details"]["input"], json!({"override": true}));
    let gate = metrics(&app, &execution, "codeQuality").await;
    let overridden: Vec<_> =
        gate.iter().filter(|metric| metric["override"] == true).map(|it| &it["kpi"]).collect();
    assert_eq!(overridden, ["coverage"]);
    assert!(gate.len() > 1 && gate.iter().all(|metric| metric["override"].is_boolean()));
}

#[tokio::test]
async fn overriding_with_whole_metrics_works_for_every_gate() {
    let gates = [
        ("codeQuality", "codeQuality", json!({"security_rating": "B", "sqale_rating": "C"})),
        ("securityTest", "securityTest", json!({"crxde_support": "false"})),
        ("loadTest", "reportPerformanceTest", json!({"response_time": "9", "peak_resp_time": 30})),
    ];
    for (written_at, waits, values) in gates {
        let (app, execution) = failing(written_at, values).await;
        let mut overrides: Vec<Value> = metrics(&app, &execution, waits)
            .await
            .into_iter()
            .filter(|metric| metric["severity"] == "important" && metric["passed"] == false)
            .collect();
        assert!(!overrides.is_empty());
        for metric in &mut overrides {
            metric["override"] = json!(true);
        }
        let answer = json!({ "metrics": overrides });
        app.accept(&execution, waits, "pipeline/advance", &answer).await;
        let shown = app.execution(&execution).await;
        assert_eq!(shown.progress().last().unwrap(), "prod approval:WAITING", "{waits}");
    }
}

#[tokio::test]
async fn rejecting_fails_step_and_execution() {
    for action in ["codeQuality", "securityTest", "reportPerformanceTest"] {
        let values = match action {
            "codeQuality" => json!({"coverage": 1}),
            "securityTest" => json!({"davex_health_check": false}),
            _ => json!({"views_per_minute": "3"}),
        };
        let (app, execution) = failing(action, values).await;
        app.accept(&execution, action, "pipeline/cancel", &json!({"override": false})).await;
        let shown = app.execution(&execution).await;
        assert_eq!(shown.status(), "FAILED");
        assert_eq!(shown.progress().last().unwrap(), &format!("{action}:FAILED"));
    }
}

#[tokio::test]
async fn a_critical_failure_fails_at_once() {
    for (action, values) in [
        ("codeQuality", json!({"security_rating": "C"})),
        ("securityTest", json!({"ssl_configuration": "false", "crxde_support": "false"})),
        ("reportPerformanceTest", json!({"error_rate": "2"})),
    ] {
        let (app, execution) = failing(action, values).await;
        let shown = app.execution(&execution).await;
        assert_eq!(shown.status(), "FAILED", "{action}");
        assert_eq!(shown.step(action)["status"], "FAILED");
        assert!(shown.step(action)["details"]["message"].as_str().unwrap().contains("failed"));
        assert_eq!(shown.step("prod approval")["status"], "NOT_STARTED");
    }
}

#[tokio::test]
async fn answers_that_do_not_fit_change_nothing() {
    let (app, execution) =
        failing("codeQuality", json!({"coverage": "41.3", "sqale_rating": "B"})).await;
    let before = app.execution(&execution).await.0;
    for (body, expected) in [
        (json!({}), "metrics: must be an array of metrics"),
        (json!([]), "metrics: must be an array of metrics"),
        (json!("x"), "metrics: must be an array of metrics"),
        (json!({"metrics": {}}), "metrics: must be an array of metrics"),
        (
            json!({"metrics": []}),
            "metrics: must override every failed important metric; missing: sqale_rating, coverage",
        ),
        (
            json!({"metrics": [{"kpi": "coverage", "override": true}]}),
            "metrics: must override every failed important metric; missing: sqale_rating",
        ),
        (
            json!({"metrics": [{"kpi": "error_rate", "override": true}]}),
            "metrics[0].kpi: must be a metric of this step's gate",
        ),
        (
            json!({"metrics": [{"kpi": "coverage", "override": true}, {"kpi": "sqale_rating", "override": false}]}),
            "metrics[1].override: must be true",
        ),
        (json!({"metrics": [{"kpi": 5}]}), "metrics[0].kpi: must be a metric of this step's gate"),
        (json!({"metrics": [null]}), "metrics[0].kpi: must be a metric of this step's gate"),
        (json!({"approved": true}), "metrics: must be an array of metrics"),
    ] {
        let answer = app.follow(&execution, "codeQuality", "pipeline/advance", &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.errors(), expected, "{body}");
        assert_eq!(answer.json()["type"], "http://ns.adobe.com/adobecloud/validation-exception");
    }
    for body in [json!({}), json!({"override": true}), json!({"cancel": true})] {
        let answer = app.follow(&execution, "codeQuality", "pipeline/cancel", &body).await;
        assert_eq!(answer.errors(), "override: must be false", "{body}");
    }
    assert_eq!(app.execution(&execution).await.0, before);
}

#[tokio::test]
async fn steps_without_a_gate_have_no_metrics() {
    let app = TestApp::immediate().await;
    let execution = app.start(PRODUCTION).await;
    for step in ["build", "stage deploy", "loadTest", "assetsTest"] {
        assert_eq!(metrics(&app, &execution, step).await, [json!(null); 0], "{step}");
    }
    assert_eq!(metrics(&app, &execution, "codeQuality").await.len(), 9);
    assert_eq!(metrics(&app, &execution, "securityTest").await.len(), 19);
    assert_eq!(metrics(&app, &execution, "reportPerformanceTest").await.len(), 9);
    for step in ["validate", "prod approval", "prod deploy"] {
        let shown = app.execution(&execution).await;
        let path = shown.link(step, "self").unwrap() + "/metrics";
        assert_eq!(app.get(&path).await.status, StatusCode::NOT_FOUND, "{step}");
    }
}

#[tokio::test]
async fn a_gate_is_empty_until_it_is_evaluated() {
    let app = TestApp::new().await;
    let execution = app.start(CODE_QUALITY).await;
    app.advance("PT7S").await;
    assert_eq!(metrics(&app, &execution, "codeQuality").await, [json!(null); 0]);
    app.advance("PT2S").await;
    assert_eq!(metrics(&app, &execution, "codeQuality").await.len(), 9);
}

#[tokio::test]
async fn nobody_can_override_the_last_step_of_a_code_quality_pipeline() {
    let app = TestApp::immediate().await;
    let failing = json!({"steps": [{"action": "codeQuality", "metrics": {"coverage": "1"}}]});
    app.scenario(CODE_QUALITY, &failing).await;
    let execution = app.start(CODE_QUALITY).await;
    assert_eq!(app.execution(&execution).await.status(), "FAILED");
}

#[tokio::test]
async fn the_performance_gate_follows_the_targets_of_the_program() {
    let app = TestApp::immediate().await;
    let targets = r#"{"kpis":{"responseTime":0.5,"pageViewsPerMinute":5000}}"#;
    app.request(axum::http::Method::PATCH, "/_emulator/program/4", targets).await;
    let execution = app.start(PRODUCTION).await;
    let gate = metrics(&app, &execution, "reportPerformanceTest").await;
    let find = |kpi: &str| gate.iter().find(|metric| metric["kpi"] == kpi).unwrap().clone();
    assert_eq!(find("response_time")["expectedValue"], "0.5");
    assert_eq!(find("views_per_minute")["expectedValue"], "5000");
    assert_eq!(app.execution(&execution).await.progress().last().unwrap(), "prod approval:WAITING");
}
