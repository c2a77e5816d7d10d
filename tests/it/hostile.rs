//! What a careless or hostile caller tries: each gets a clear error, and nothing changes.

use std::cmp::Reverse;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::json;

use crate::app::{PRODUCTION, TestApp, signed};
use crate::description;

#[tokio::test]
async fn bodies_that_can_not_be_read_are_refused() {
    let app = TestApp::immediate().await;
    let execution = app.start(PRODUCTION).await;
    let before = app.execution(&execution).await;
    let advance = before.link("prod approval", "pipeline/advance").unwrap();
    let deep = "[".repeat(100_000);
    let nested = format!("{}{}", r#"{"a":"#.repeat(5000), "1");
    for body in ["", "{", "approved=true", "\u{feff}{}", "{}{}", "\0", &deep, &nested, "NaN"] {
        for content_type in ["application/json", "text/plain", "application/x-www-form-urlencoded"]
        {
            let request = signed(Method::PUT, &advance)
                .header("content-type", content_type)
                .body(Body::from(body.to_owned()))
                .unwrap();
            let answer = app.send(request).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST);
            assert!(answer.errors().starts_with("The request body is"), "{}", answer.errors());
        }
    }
    let request = signed(Method::PUT, &advance).body(Body::from(vec![0xff, 0xfe])).unwrap();
    assert_eq!(app.send(request).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(app.execution(&execution).await.0, before.0);
}

/// The operations that read YAML.
const YAML: [&str; 4] = [
    "/_emulator/seed",
    "/_emulator/webhooks",
    "/_emulator/program/4/pipelines",
    "/_emulator/program/4/environments",
];

#[tokio::test]
async fn yaml_that_aliases_make_large_or_that_is_nested_deeply_is_refused() {
    let app = TestApp::immediate().await;
    let large = "x".repeat(100_000);
    let aliases = "&b 1,*a,*a,*a,*a,*a,*a,*a,*a,".repeat(2000);
    let bomb = format!("a: &a \"{large}\"\nb: [{aliases}]\n");
    for path in YAML {
        for (body, told) in [
            (bomb.clone(), "has too many values, or too much text, with what its aliases repeat"),
            ("[".repeat(60), "must not be nested more than 32 levels deep"),
            (r#"{"a":"#.repeat(60), "must not be nested more than 32 levels deep"),
        ] {
            let answer = app.request(Method::POST, path, body).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST);
            assert!(answer.text().contains(told), "{path}: {:.300}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_seed_that_is_too_large_for_memory_is_refused() {
    let app = TestApp::immediate().await;
    let body = "#".repeat(32 * 1024 * 1024 + 1);
    let answer = app.request(Method::POST, "/_emulator/seed", body).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.errors(), "The request body is larger than 33554432 bytes.");
}

#[tokio::test]
async fn a_body_is_read_as_json_whatever_its_content_type() {
    let app = TestApp::immediate().await;
    let execution = app.start(PRODUCTION).await;
    let shown = app.execution(&execution).await;
    let advance = shown.link("prod approval", "pipeline/advance").unwrap();
    let request = signed(Method::PUT, &advance)
        .header("content-type", "text/plain")
        .body(Body::from(r#"{"approved":true}"#))
        .unwrap();
    assert_eq!(app.send(request).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn bodies_that_are_too_large_are_refused() {
    let app = TestApp::immediate().await;
    let execution = app.start(PRODUCTION).await;
    let advance =
        app.execution(&execution).await.link("prod approval", "pipeline/advance").unwrap();
    for (path, size) in [
        (advance.as_str(), 1024 * 1024 + 1),
        (advance.as_str(), 10 * 1024 * 1024),
        ("/_emulator/clock/advance", 10 * 1024 * 1024),
        ("/api/programs", 10 * 1024 * 1024),
    ] {
        let answer = app.request(Method::PUT, path, vec![b'x'; size]).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{path} {size}");
    }
    let mut body = json!({"approved": true}).to_string();
    body.push_str(&" ".repeat(1024 * 1024 - body.len()));
    assert_eq!(app.request(Method::PUT, &advance, body).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn foreign_hosts_are_refused_everywhere() {
    let app = TestApp::new().await;
    for path in ["/api/programs", "/_emulator/health", "/files/AAAA", "/nothing"] {
        let request = signed(Method::GET, path).header("host", "evil.example:4600");
        let answer = app.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(answer.errors().contains("evil.example"), "{}", answer.errors());
    }
}

#[tokio::test]
async fn long_and_strange_values_come_back_shortened_and_escaped() {
    let app = TestApp::new().await;
    let long = "x".repeat(10_000);
    let path = format!("{PRODUCTION}/execution?pipelineExecutionMode={long}");
    let answer = app.request(Method::PUT, &path, "").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.bytes.len() < 2_000);
    let path = format!("{PRODUCTION}/execution?pipelineExecutionMode=%00%22%ff%0a");
    let answer = app.request(Method::PUT, &path, "").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn headers_that_are_no_text_are_refused() {
    let app = TestApp::new().await;
    let mut request = Request::builder().uri("/api/programs").body(Body::empty()).unwrap();
    for name in ["authorization", "x-api-key", "x-gw-ims-org-id"] {
        let value = axum::http::HeaderValue::from_bytes(b"Bearer \xff").unwrap();
        request.headers_mut().insert(name, value);
    }
    assert_eq!(app.send(request).await.status, StatusCode::UNAUTHORIZED);
}

const BODIES: [&str; 19] = [
    "null",
    "true",
    "0",
    "\"\"",
    "[]",
    "{}",
    "[[]]",
    "[{}]",
    "[null]",
    r#"{"phases":[{"type":"BUILD","name":"","repositoryId":"9223372036854775808"}]}"#,
    r#"{"phases":[{"type":"DEPLOY","name":"DEPLOY_1","environmentId":"-9223372036854775808"}]}"#,
    r#"{"steps":[{"action":"deploy","failures":{}}],"times":1e308}"#,
    r#"{"count":18446744073709551616}"#,
    r#"{"by":"P99999999999W"}"#,
    r#"{"rate":1e308}"#,
    r#"[{"name":"AA","value":"\ud800"}]"#,
    r#"[{"name":"AA","name":"BB","value":"x"}]"#,
    r#"{"commitId":"\u202e\ufeff"}"#,
    r#"{"emergencyMode":null,"kpis":[]}"#,
];

const QUERIES: [&str; 7] = [
    "start=-1&limit=1",
    "limit=%00",
    "%ff=%ff",
    "file=..%2F..%2Fetc",
    "type=%27",
    "service=%00&name=%0a&days=1&date=%ff",
    "stepId=9223372036854775808&sourceExecutionId=x",
];

const NAMES: [&str; 9] =
    ["4", "1", "59252", "9223372036854775807", "-0", "%00", "..", "%2e%2e%2f", "main"];

/// Whether an operation may end the execution by what is sent here, or take something away.
fn takes_away(method: &Method, path: &str) -> bool {
    method == Method::DELETE || path.ends_with("/reset") || path.ends_with("/clock/advance")
}

/// Sends all that to one operation. `path` is what there is; `template` has names in braces.
async fn send_all(app: &TestApp, method: &Method, path: &str, template: &str) {
    let fill = |template: &str, name: &str| {
        let parts = template.split('/').map(|it| if it.starts_with('{') { name } else { it });
        parts.collect::<Vec<_>>().join("/")
    };
    let path = fill(path, "1");
    for body in BODIES {
        app.request(method.clone(), &path, body).await;
    }
    for query in QUERIES {
        app.request(method.clone(), &format!("{path}?{query}"), "").await;
    }
    for name in NAMES {
        app.request(method.clone(), &fill(template, name), "{}").await;
    }
}

/// Each answer is checked against the description, which knows no internal error.
#[tokio::test]
async fn nothing_that_is_sent_makes_an_operation_fail_inside() {
    let document = &*description::DOCUMENT;
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            operations.push((Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(), path));
        }
    }
    // What holds other things goes after them.
    let depth = |path: &str| path.matches('/').count();
    operations.sort_by_key(|(method, path)| (takes_away(method, path), Reverse(depth(path))));
    let app = TestApp::immediate().await;
    let execution = app.start(PRODUCTION).await;
    let step = app.execution(&execution).await.link("prod approval", "self").unwrap();
    // The step waits for an answer: what is sent there is read.
    let there: Vec<_> = step.split('/').collect();
    for (method, template) in operations {
        let path = template
            .replace("{programId}", there[3])
            .replace("{pipelineId}", there[5])
            .replace("{executionId}", there[7])
            .replace("{phaseId}", there[9])
            .replace("{stepId}", there[11])
            .replace("{environmentId}", "59253");
        send_all(&app, &method, &path, template).await;
        if !takes_away(&method, template) {
            let found = app.execution(&execution).await;
            assert_eq!(found.step("prod approval")["status"], "WAITING", "{method} {path}");
        }
    }
    assert_eq!(app.get("/api/program/5/pipelines").await.status, StatusCode::OK);
}
