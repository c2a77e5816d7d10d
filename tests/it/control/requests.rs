//! `/_emulator/requests`

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::app::{ORGANISATION, PRODUCTION, START, TestApp, signed};

/// The calls that fit a query, newest first.
async fn requests(app: &TestApp, query: &str) -> Vec<Value> {
    let answer = app.get(&format!("/_emulator/requests{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()["requests"].as_array().unwrap().clone()
}

/// Method, path and status of the calls that fit a query.
async fn calls(app: &TestApp, query: &str) -> Vec<String> {
    let count = app.get(&format!("/_emulator/requests/count{query}")).await.json();
    let entries = requests(app, query).await;
    assert_eq!(count, json!({"count": entries.len()}));
    let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
    entries
        .iter()
        .map(|entry| ["method", "path", "status"].map(|name| text(&entry[name])).join(" "))
        .collect()
}

#[tokio::test]
async fn a_call_is_kept_with_what_was_sent_and_answered() {
    let app = TestApp::immediate().await;
    let execution = app.start(PRODUCTION).await;
    let shown = app.execution(&execution).await;
    let advance = shown.link("prod approval", "pipeline/advance").unwrap();
    let request = signed(Method::PUT, &format!("{advance}?a=b"))
        .header("x-request-id", "mine")
        .body(Body::from(r#"{"approved":true}"#))
        .unwrap();
    app.send(request).await;
    let mut entry = requests(&app, "").await[0].clone();
    assert!(entry["duration"].as_f64().unwrap() > 0.0);
    entry["duration"] = json!(0);
    assert_eq!(entry["headers"]["authorization"], "***");
    assert_eq!(entry["headers"]["x-gw-ims-org-id"], ORGANISATION);
    entry.as_object_mut().unwrap().remove("headers");
    assert_eq!(
        entry,
        json!({"number": 3, "time": START, "method": "PUT", "host": "127.0.0.1:4600",
            "path": advance, "query": "a=b",
            "operationId": "advancePipelineExecution", "status": 202, "duration": 0,
            "requestId": "mine", "organisation": ORGANISATION, "apiKey": "ci",
            "body": {"approved": true}})
    );
}

#[tokio::test]
async fn short_json_answers_are_kept_without_their_secrets() {
    let app = TestApp::immediate().await;
    app.get("/api/program/4").await;
    app.get("/api/nothing").await;
    let execution = app.start(PRODUCTION).await;
    let logs = app.execution(&execution).await.link("build", "pipeline/logs").unwrap();
    let request = signed(Method::GET, &logs).header("accept", "application/json");
    app.send(request.body(Body::empty()).unwrap()).await;
    let kept = requests(&app, "").await;
    let redirect = kept[0]["answer"]["redirect"].as_str().unwrap();
    assert!(redirect.ends_with("/files/***"), "{redirect}");
    let kept = &kept[kept.len() - 2..];
    assert_eq!(kept[0]["answer"]["status"], 404);
    assert_eq!(kept[1]["answer"]["name"], "We.Retail Global");
}

#[tokio::test]
async fn only_calls_to_cloud_manager_and_its_files_are_kept_whatever_comes_of_them() {
    let app = TestApp::new().await;
    app.get("/_emulator/health").await;
    app.get("/nothing").await;
    app.send(Request::builder().uri("/api/programs").body(Body::empty()).unwrap()).await;
    app.get("/api/nothing").await;
    app.request(Method::POST, "/api/programs", "{}").await;
    app.request(Method::PUT, "/api/programs", vec![b'x'; 2_000_000]).await;
    app.get("/files/AAAA").await;
    assert_eq!(
        calls(&app, "").await,
        [
            "GET /files/*** 404",
            "PUT /api/programs 413",
            "POST /api/programs 405",
            "GET /api/nothing 404",
            "GET /api/programs 403"
        ]
    );
    let operations: Vec<_> =
        requests(&app, "").await.iter().map(|entry| entry["operationId"].clone()).collect();
    let none = json!(null);
    assert_eq!(
        operations,
        [json!("downloadFile"), none.clone(), none.clone(), none, json!("getPrograms")]
    );
}

#[tokio::test]
async fn calls_are_found_by_what_they_are() {
    let app = TestApp::new().await;
    app.get("/api/tenants").await;
    app.advance("PT1H").await;
    app.get("/api/programs").await;
    app.get("/api/program/4").await;
    app.request(Method::PUT, "/api/programs", "").await;
    for (query, expected) in [
        ("?method=put", &["PUT /api/programs 405"][..]),
        ("?path=/api/program", &[]),
        ("?path=/api/tenants", &["GET /api/tenants 200"]),
        ("?path=/api/program/*", &["GET /api/program/4 200"]),
        ("?path=/api/program*&status=200", &["GET /api/program/4 200", "GET /api/programs 200"]),
        ("?operationId=getPrograms", &["GET /api/programs 200"]),
        ("?since=2026-03-05T10:00:00.001Z&method=GET&path=*s", &[]),
        (
            "?since=2026-03-05T11:00:00.000+0000&method=GET",
            &["GET /api/program/4 200", "GET /api/programs 200"],
        ),
        ("?since=2026-03-05T12:00:00.001%2B01:00", &[]),
        ("?status=404", &[]),
    ] {
        assert_eq!(calls(&app, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn filters_are_refused_with_everything_that_is_wrong() {
    let app = TestApp::new().await;
    for path in ["/_emulator/requests", "/_emulator/requests/count"] {
        for (query, errors) in [
            (
                "operation=getPrograms",
                "operation: is not a known parameter; did you mean operationId?",
            ),
            (
                "status=99&method=G%20T",
                "method: must be a method such as GET; status: must be a whole number from 100 to 999",
            ),
            ("operationId=getHealth", "operationId: is not a known operation of Cloud Manager"),
            (
                "since=now",
                "since: must be an ISO-8601 time with an offset, for example 2026-03-01T12:00:00.000Z",
            ),
        ] {
            let answer = app.get(&format!("{path}?{query}")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
            assert_eq!(answer.errors(), errors);
        }
    }
}

#[tokio::test]
async fn tokens_and_secrets_are_not_kept() {
    let app = TestApp::immediate().await;
    let variables = json!([{"name": "AA", "value": "hidden", "type": "secretString"},
        {"name": "BB", "value": "hidden"}, {"name": "CC", "value": "shown", "type": "string"}]);
    let path = "/api/program/4/pipeline/1/variables?access_token=hidden&days=1";
    let request = signed(Method::PATCH, path)
        .header("authorization", "Bearer hidden")
        .body(Body::from(variables.to_string()))
        .unwrap();
    assert_eq!(app.send(request).await.status, StatusCode::NO_CONTENT);
    for refused in [
        r#"[["NAME","hidden","secretString",null]]"#,
        r#"[{"name":"hidden","value":"hidden","type":"string","type":"string"}]"#,
        r#"[{"name":"AA","value":"hidden","type":"string"},]"#,
    ] {
        let answer = app.request(Method::PATCH, path, refused).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
    let secrets = r#"{"client_secret":"hidden","nested":[{"password":"hidden"}]}"#;
    app.request(Method::PATCH, PRODUCTION, secrets).await;
    app.request(Method::PATCH, PRODUCTION, "client_secret=hidden").await;
    app.request(Method::PATCH, "/api/program/4/pipeline/1/variables/", "hidden").await;
    app.request(Method::PUT, "/api/programs", "hidden").await;
    app.get("/api/programs?from=http%3A%2F%2Fuser%3Ahidden%40host%2F").await;
    app.get("/files/hidden").await;
    let kept = json!(requests(&app, "").await);
    assert!(!kept.to_string().contains("hidden"), "{kept:#}");
    assert_eq!(kept[9]["query"], "access_token=***&days=1");
    assert_eq!(kept[9]["body"][2]["value"], "shown");
}

#[tokio::test]
async fn bodies_are_json_or_texts_and_cut_where_they_are_long() {
    let app = TestApp::new().await;
    for body in ["[1,null]", "oops", "null"] {
        app.request(Method::PATCH, PRODUCTION, body).await;
    }
    app.request(Method::PATCH, PRODUCTION, format!("\"{}\"", "x".repeat(20_000))).await;
    let kept = requests(&app, "").await;
    assert_eq!(kept[0]["body"].as_str().unwrap().len(), 16 * 1024);
    assert_eq!(kept[0]["bodyTruncated"], true);
    assert_eq!(kept[1].get("body"), None);
    assert_eq!(kept[2]["body"], "oops");
    assert_eq!(kept[3]["body"], json!([1, null]));
    assert_eq!(kept[3].get("bodyTruncated"), None);
}

#[tokio::test]
async fn what_was_injected_is_told() {
    let app = TestApp::new().await;
    let rule = json!({"status": 503, "latency": "PT0.001S", "times": 1});
    app.post("/_emulator/faults", &rule).await;
    app.request(Method::PUT, &format!("{PRODUCTION}/execution"), "{}").await;
    app.get("/api/programs").await;
    let kept = requests(&app, "").await;
    assert_eq!(kept[0].get("fault"), None);
    assert_eq!(kept[1]["fault"], json!({"rule": "1", "status": 503, "latency": "PT0.001S"}));
    assert_eq!((&kept[1]["status"], &kept[1]["body"]), (&json!(503), &json!({})));
}

#[tokio::test]
async fn all_calls_can_be_forgotten() {
    let app = TestApp::new().await;
    app.get("/api/programs").await;
    assert_eq!(app.delete("/_emulator/requests").await.status, StatusCode::NO_CONTENT);
    assert_eq!(calls(&app, "").await, [""; 0]);
    app.get("/api/programs").await;
    assert_eq!(requests(&app, "").await[0]["number"], 2);
}

#[tokio::test]
async fn calls_of_the_console_are_not_kept_counted_or_made_to_fail() {
    let app = TestApp::new().await;
    app.post("/_emulator/faults", &json!({"operation": "getPrograms", "status": 503})).await;
    let call = async |of_console: bool| {
        let request = signed(Method::GET, "/api/programs");
        let request = if of_console { request.header("x-emulator-console", "1") } else { request };
        app.send(request.body(Body::empty()).unwrap()).await.status
    };
    let counted = async || {
        let metrics = app.get("/_emulator/metrics").await.text();
        metrics.lines().filter(|line| line.contains("getPrograms")).collect::<Vec<_>>().join("\n")
    };
    let before = counted().await;
    assert_eq!(call(true).await, StatusCode::OK);
    assert_eq!(requests(&app, "").await, [Value::Null; 0]);
    assert_eq!(counted().await, before);
    assert_eq!(call(false).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(requests(&app, "").await.len(), 1);
    assert_ne!(counted().await, before);
}
