//! `/_emulator/faults`

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::app::{Answer, PRODUCTION, TestApp};

const PROGRAMS: &str = "/api/programs";

/// Adds a rule; what is answered.
async fn add(app: &TestApp, rule: Value) -> Value {
    let answer = app.post("/_emulator/faults", &rule).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    answer.json()
}

async fn list(app: &TestApp) -> Vec<Value> {
    app.get("/_emulator/faults").await.json()["faults"].as_array().unwrap().clone()
}

/// The statuses of a number of calls.
async fn statuses(app: &TestApp, path: &str, calls: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..calls {
        statuses.push(app.get(path).await.status.as_u16());
    }
    statuses
}

fn fault_of(answer: &Answer) -> &str {
    answer.header("x-emulator-fault")
}

#[tokio::test]
async fn an_injected_error_takes_the_place_of_the_operation() {
    let app = TestApp::immediate().await;
    let rule = json!({"operation": "startPipeline", "status": 503, "retryAfter": 2});
    let added = add(&app, rule).await;
    assert_eq!(
        added,
        json!({"id": "1", "operation": "startPipeline", "after": 0, "every": 1, "status": 503,
            "retryAfter": 2, "matched": 0, "used": 0})
    );
    let start = format!("{PRODUCTION}/execution");
    let answer = app.request(Method::PUT, &start, "").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("retry-after"), "2");
    assert_eq!(fault_of(&answer), "1");
    assert!(answer.errors().contains("/_emulator/faults"), "{}", answer.errors());
    // Nothing was started; other operations work.
    assert_eq!(app.get(&start).await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.delete("/_emulator/faults/1").await.status, StatusCode::NO_CONTENT);
    app.start(PRODUCTION).await;
}

#[tokio::test]
async fn refusals_of_the_gateway_have_their_own_form() {
    let app = TestApp::new().await;
    for (status, code) in [(401, "401013"), (403, "403003")] {
        add(&app, json!({"status": status, "times": 1})).await;
        let answer = app.get(PROGRAMS).await;
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.json()["error_code"], code);
    }
    for status in [400, 418, 429, 500, 599] {
        add(&app, json!({"status": status, "times": 1})).await;
        let answer = app.get(PROGRAMS).await;
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(answer.json()["status"], status);
    }
}

#[tokio::test]
async fn some_calls_are_left_alone_and_of_the_others_each_so_manyth_is_meant() {
    let app = TestApp::new().await;
    let rule =
        json!({"operation": "getPrograms", "status": 429, "after": 2, "every": 2, "times": 2});
    add(&app, rule).await;
    let expected = [200, 200, 200, 429, 200, 429, 200, 200];
    assert_eq!(statuses(&app, PROGRAMS, 8).await, expected);
    let [rule] = &list(&app).await[..] else { panic!() };
    // A rule that is used up counts no more.
    assert_eq!((&rule["matched"], &rule["used"]), (&json!(6), &json!(2)));
}

#[tokio::test]
async fn the_first_rule_that_means_a_call_is_used_and_all_count_it() {
    let app = TestApp::new().await;
    add(&app, json!({"operation": "getPrograms", "status": 503, "times": 1})).await;
    add(&app, json!({"operation": "getTenants", "status": 501})).await;
    add(&app, json!({"status": 502, "after": 1, "times": 1})).await;
    assert_eq!(statuses(&app, PROGRAMS, 3).await, [503, 502, 200]);
    let used: Vec<_> = list(&app).await.iter().map(|rule| rule["used"].clone()).collect();
    assert_eq!(used, [1, 0, 1]);
}

#[tokio::test]
async fn without_an_operation_all_of_the_api_is_meant_and_nothing_else() {
    let app = TestApp::new().await;
    add(&app, json!({"status": 503})).await;
    for path in [PROGRAMS, "/api/nothing", "/api"] {
        assert_eq!(app.get(path).await.status.as_u16(), 503, "{path}");
    }
    // The fault comes before the credentials are looked at.
    let request = Request::builder().uri(PROGRAMS).body(Body::empty()).unwrap();
    assert_eq!(app.send(request).await.status.as_u16(), 503);
    for (path, status) in [("/files/AAAA", 404), ("/_emulator/health", 200), ("/nothing", 404)] {
        let answer = app.get(path).await;
        assert_eq!((answer.status.as_u16(), fault_of(&answer)), (status, ""), "{path}");
    }
    add(&app, json!({"status": 410, "operation": "downloadFile"})).await;
    assert_eq!(app.get("/files/AAAA").await.status.as_u16(), 410);
}

#[tokio::test]
async fn a_rule_lives_on_the_emulated_clock() {
    let app = TestApp::new().await;
    let added = add(&app, json!({"status": 503, "ttl": "PT5M"})).await;
    assert_eq!(added["expiresAt"], "2026-03-05T10:05:00.000+0000");
    assert_eq!(added["ttl"], "PT300S");
    app.advance("PT4M59.999S").await;
    assert_eq!(statuses(&app, PROGRAMS, 1).await, [503]);
    app.advance("PT0.001S").await;
    assert_eq!(statuses(&app, PROGRAMS, 1).await, [200]);
    assert_eq!(list(&app).await[0]["used"], 1);
}

#[tokio::test]
async fn latency_alone_lets_the_operation_be_reached() {
    let app = TestApp::new().await;
    add(&app, json!({"operation": "startPipeline", "latency": "PT0.03S"})).await;
    app.start(PRODUCTION).await;
    add(&app, json!({"operation": "getPrograms", "latency": "PT0.03S", "status": 503})).await;
    assert_eq!(statuses(&app, PROGRAMS, 1).await, [503]);
    let requests = app.get("/_emulator/requests").await.json();
    let requests = requests["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 2);
    for entry in requests {
        assert!(entry["duration"].as_f64().unwrap() >= 30.0, "{entry}");
        assert_eq!(entry["fault"]["latency"], "PT0.03S");
    }
}

#[tokio::test]
async fn latency_does_not_keep_the_emulator_from_stopping() {
    let app = TestApp::new().await;
    add(&app, json!({"latency": "PT1H"})).await;
    let (answer, ()) = tokio::join!(app.get(PROGRAMS), async { app.stop_waiting() });
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn there_are_rules_with_names() {
    let app = TestApp::new().await;
    let flaky = add(&app, json!({"preset": "flaky-401"})).await;
    assert_eq!((&flaky["preset"], &flaky["every"]), (&json!("flaky-401"), &json!(20)));
    let answers = statuses(&app, PROGRAMS, 40).await;
    let refused: Vec<_> = (1..).zip(answers).filter(|(_, status)| *status == 401).collect();
    assert_eq!(refused, [(20, 401), (40, 401)]);
    assert_eq!(app.delete("/_emulator/faults").await.status, StatusCode::NO_CONTENT);

    let rule = json!({"preset": "outage-503", "operation": "getPrograms", "times": 1});
    add(&app, rule).await;
    let answer = app.get(PROGRAMS).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "30"));
    assert_eq!(add(&app, json!({"preset": "slow"})).await["latency"], "PT2S");
    let reset = add(&app, json!({"preset": "reset-mid-log", "times": 1})).await;
    assert_eq!(reset["operation"], "downloadFile");
    assert_eq!(reset["fault"], "CONNECTION_RESET_BY_PEER");
}

#[tokio::test]
async fn rules_are_refused_with_everything_that_is_wrong() {
    let app = TestApp::new().await;
    for (rule, errors) in [
        (json!({}), "status: is required, unless fault, latency or preset is given"),
        (json!({"times": 3}), "status: is required, unless fault, latency or preset is given"),
        (json!({"status": 399}), "status: must be from 400 to 599"),
        (
            json!({"status": 600, "times": 0, "every": 0}),
            "every: must be at least 1; status: must be from 400 to 599; times: must be at least 1",
        ),
        (
            json!({"status": 503, "fault": "EMPTY_RESPONSE"}),
            "fault: can't be given together with status",
        ),
        (json!({"latency": "PT1H1S"}), "latency: must be at most PT1H"),
        (json!({"latency": "PT0S"}), "latency: must be more than PT0S"),
        (json!({"status": 503, "ttl": "PT0S"}), "ttl: must be more than PT0S"),
        (
            json!({"latency": "PT1S", "retryAfter": 1}),
            "retryAfter: is only allowed together with status",
        ),
        (
            json!({"status": 503, "operation": "getHealth"}),
            "operation: is not a known operation of Cloud Manager",
        ),
        (
            json!({"status": 503, "operation": "startPipelin"}),
            "operation: is not a known operation of Cloud Manager; did you mean startPipeline?",
        ),
        (
            json!({"preset": "slow", "status": 503, "latency": "PT1S"}),
            "latency: can't be given together with preset; status: can't be given together with preset",
        ),
        (
            json!({"preset": "reset-mid-log", "operation": "getPrograms"}),
            "operation: must be downloadFile for this preset",
        ),
    ] {
        let answer = app.post("/_emulator/faults", &rule).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{rule}");
        assert_eq!(answer.errors(), errors, "{rule}");
    }
    for rule in [
        json!([]),
        json!({"status": "503"}),
        json!({"status": 503, "color": "red"}),
        json!({"fault": "FIRE"}),
        json!({"preset": "chaos"}),
        json!({"status": 503, "after": -1}),
        json!({"status": 503, "ttl": "soon"}),
    ] {
        let answer = app.post("/_emulator/faults", &rule).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{rule}");
    }
    assert_eq!(list(&app).await, [json!(null); 0]);
}

#[tokio::test]
async fn rules_are_removed_one_by_one_or_all() {
    let app = TestApp::new().await;
    for status in [501, 502, 503] {
        add(&app, json!({"status": status})).await;
    }
    assert_eq!(app.delete("/_emulator/faults/1").await.status, StatusCode::NO_CONTENT);
    for id in ["1", "4", "x", "01"] {
        let path = format!("/_emulator/faults/{id}");
        assert_eq!(app.delete(&path).await.status, StatusCode::NOT_FOUND, "{id}");
    }
    assert_eq!(statuses(&app, PROGRAMS, 1).await, [502]);
    app.delete("/_emulator/faults").await;
    assert_eq!(list(&app).await.len(), 0);
    assert_eq!(statuses(&app, PROGRAMS, 1).await, [200]);
    assert_eq!(add(&app, json!({"status": 503})).await["id"], "4");
}
