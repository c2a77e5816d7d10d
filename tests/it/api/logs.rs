//! `…/logs` and the files that it leads to.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::json;

use crate::app::{Answer, CODE_QUALITY, PRODUCTION, TestApp, signed};

async fn logs_href(app: &TestApp, execution: &str, step: &str) -> String {
    app.execution(execution).await.link(step, "pipeline/logs").unwrap()
}

/// The path of the file that a log link leads to.
async fn file(app: &TestApp, href: &str) -> String {
    let answer = app.get(href).await.json();
    let url = answer["redirect"].as_str().unwrap().to_owned();
    url.strip_prefix("http://127.0.0.1:4600").expect("an absolute address").to_owned()
}

/// Fetches a file as clients do: without any credentials.
async fn fetch(app: &TestApp, method: Method, path: &str, range: Option<&str>) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(range) = range {
        request = request.header("range", range);
    }
    app.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_log_is_reached_by_a_redirect_that_suits_the_caller() {
    let app = TestApp::immediate().await;
    let execution = app.start(PRODUCTION).await;
    let href = logs_href(&app, &execution, "build").await;
    for accept in
        ["application/json", "application/json, text/plain, */*", "Application/JSON;q=0.9"]
    {
        let mut request = signed(Method::GET, &href).body(Body::empty()).unwrap();
        request.headers_mut().insert("accept", accept.parse().unwrap());
        let answer = app.send(request).await;
        assert_eq!(answer.status, StatusCode::OK, "{accept}");
        assert!(answer.json()["redirect"].as_str().unwrap().starts_with("http://127.0.0.1:4600/"));
    }
    for accept in [Some("*/*"), Some("text/plain"), Some("application/*"), None] {
        let mut request = signed(Method::GET, &href).body(Body::empty()).unwrap();
        request.headers_mut().remove("accept");
        if let Some(accept) = accept {
            request.headers_mut().insert("accept", accept.parse().unwrap());
        }
        let answer = app.send(request).await;
        assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT, "{accept:?}");
        assert!(answer.header("location").starts_with("http://127.0.0.1:4600/files/"));
    }
}

#[tokio::test]
async fn the_address_is_on_the_host_that_was_asked() {
    let app = TestApp::immediate().await;
    let execution = app.start(CODE_QUALITY).await;
    let href = logs_href(&app, &execution, "build").await;
    let request =
        signed(Method::GET, &href).header("host", "localhost:9999").body(Body::empty()).unwrap();
    let answer = app.send(request).await.json();
    assert!(answer["redirect"].as_str().unwrap().starts_with("http://localhost:9999/files/"));
}

#[tokio::test]
async fn logs_tell_what_happened() {
    let app = TestApp::new().await;
    let execution = app.start(CODE_QUALITY).await;
    app.advance("PT1M").await;
    let mut logs = Vec::new();
    for step in ["build", "codeQuality"] {
        let path = file(&app, &logs_href(&app, &execution, step).await).await;
        logs.push(fetch(&app, Method::GET, &path, None).await.text());
    }
    insta::assert_snapshot!(logs.join("---\n"));
}

#[tokio::test]
async fn a_log_grows_while_its_step_runs() {
    let app = TestApp::new().await;
    let execution = app.start(CODE_QUALITY).await;
    app.advance("PT1S").await;
    let path = file(&app, &logs_href(&app, &execution, "build").await).await;
    let mut tail = String::new();
    for _ in 0..12 {
        let range = format!("bytes={}-", tail.len());
        let answer = fetch(&app, Method::GET, &path, Some(&range)).await;
        match answer.status {
            StatusCode::PARTIAL_CONTENT => {
                assert_eq!(answer.header("content-length"), answer.bytes.len().to_string());
                let end = tail.len() + answer.bytes.len();
                let expected = format!("bytes {}-{}/{end}", tail.len(), end - 1);
                assert_eq!(answer.header("content-range"), expected);
                tail += &answer.text();
            }
            status => {
                assert_eq!(status, StatusCode::RANGE_NOT_SATISFIABLE);
                assert_eq!(answer.header("content-range"), format!("bytes */{}", tail.len()));
            }
        }
        app.advance("PT0.5S").await;
    }
    let whole = fetch(&app, Method::GET, &path, None).await;
    assert_eq!(whole.status, StatusCode::OK);
    assert_eq!(whole.text(), tail, "a log only ever grows");
    assert_eq!(whole.header("content-length"), tail.len().to_string());
    assert_eq!(tail.lines().count(), 33);

    let head = fetch(&app, Method::HEAD, &path, None).await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("content-length"), tail.len().to_string());
    for (range, expected) in [("bytes=0-3", &tail[..4]), ("bytes=-5", &tail[tail.len() - 5..])] {
        assert_eq!(fetch(&app, Method::GET, &path, Some(range)).await.text(), expected);
    }
    for range in ["bytes=x", "lines=1-2", "bytes=0-1,4-5"] {
        let answer = fetch(&app, Method::GET, &path, Some(range)).await;
        assert_eq!(answer.status, StatusCode::OK, "{range}");
    }
}

#[tokio::test]
async fn the_log_of_a_paused_deployment_goes_on_when_it_is_resumed() {
    let app = TestApp::immediate().await;
    let entry = json!({"action": "deploy", "environmentType": "stage", "outcome": "PAUSED",
        "duration": "PT10S"});
    app.scenario(PRODUCTION, &json!({ "steps": [entry] })).await;
    let execution = app.start(PRODUCTION).await;
    app.advance("P1D").await;
    let path = file(&app, &logs_href(&app, &execution, "stage deploy").await).await;
    let paused = fetch(&app, Method::GET, &path, None).await.text();
    app.accept(&execution, "stage deploy", "pipeline/advance", &json!({"resume": true})).await;
    app.advance("PT5S").await;
    let whole = fetch(&app, Method::GET, &path, None).await.text();
    assert!(whole.starts_with(&paused) && whole.len() > paused.len());
    assert!(paused.contains("Begin install-client-packages"), "{paused}");
    assert!(!paused.contains("reload-dispatcher"), "{paused}");
    assert!(whole.contains("2026-03-06T10:00:05.000+0000 [INFO] End reload-dispatcher"), "{whole}");
}

#[tokio::test]
async fn a_scan_has_a_second_log() {
    let app = TestApp::immediate().await;
    let execution = app.start(CODE_QUALITY).await;
    let href = logs_href(&app, &execution, "codeQuality").await;
    let path = file(&app, &format!("{href}?file=sonarLogFile")).await;
    assert!(fetch(&app, Method::GET, &path, None).await.text().contains("ANALYSIS SUCCESSFUL"));
    for wrong in [format!("{href}?file=other"), format!("{href}?file=")] {
        assert_eq!(app.get(&wrong).await.status, StatusCode::NOT_FOUND, "{wrong}");
    }
    let href = logs_href(&app, &execution, "build").await;
    let answer = app.get(&format!("{href}?file=sonarLogFile")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn steps_that_only_wait_and_steps_to_come_have_no_log() {
    let app = TestApp::immediate().await;
    let execution = app.start(PRODUCTION).await;
    let shown = app.execution(&execution).await;
    for step in ["validate", "prod approval", "prod deploy"] {
        assert_eq!(shown.link(step, "pipeline/logs"), None);
        let path = shown.link(step, "self").unwrap() + "/logs";
        assert_eq!(app.get(&path).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn extra_lines_are_streamed_and_ranges_of_them_are_exact() {
    let app = TestApp::immediate().await;
    let log = json!(["once", {"line": "x".repeat(100), "times": 200_000}]);
    app.scenario(CODE_QUALITY, &json!({"steps": [{"action": "build", "log": log}]})).await;
    let execution = app.start(CODE_QUALITY).await;
    let path = file(&app, &logs_href(&app, &execution, "build").await).await;
    let whole = fetch(&app, Method::GET, &path, None).await;
    assert!(whole.bytes.len() > 25_000_000);
    assert_eq!(whole.header("content-length"), whole.bytes.len().to_string());
    for start in [0, 1, 130, 131, 65_536, 12_345_678, whole.bytes.len() - 1] {
        let end = (start + 100_000).min(whole.bytes.len() - 1);
        let part = fetch(&app, Method::GET, &path, Some(&format!("bytes={start}-{end}"))).await;
        assert!(part.bytes == whole.bytes[start..=end], "{start}");
    }
}

#[tokio::test]
async fn only_addresses_that_were_given_lead_to_files() {
    let app = TestApp::immediate().await;
    let execution = app.start(CODE_QUALITY).await;
    let path = file(&app, &logs_href(&app, &execution, "build").await).await;
    for wrong in [
        path[..path.len() - 1].to_owned(),
        path.replace("/files/", "/files/A"),
        "/files/%ff".into(),
    ] {
        let answer = fetch(&app, Method::GET, &wrong, None).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{wrong}");
    }
}

#[tokio::test]
async fn a_build_that_fails_says_why_and_where() {
    for outcome in ["FAILED", "ERROR"] {
        let app = TestApp::new().await;
        let entry = json!({"action": "build", "outcome": outcome});
        app.scenario(CODE_QUALITY, &json!({ "steps": [entry] })).await;
        let execution = app.start(CODE_QUALITY).await;
        app.advance("PT1M").await;
        let log = app.log(&execution, "build").await;
        let shown = app.execution(&execution).await;
        let message = shown.step("build")["details"]["message"].as_str().unwrap();
        let end = format!(
            "[ERROR] weretail.core ... FAILURE\n2026-03-05T10:00:06.000+0000 [ERROR] {message}\n\
             2026-03-05T10:00:06.000+0000 [ERROR] BUILD FAILURE\n"
        );
        assert!(log.ends_with(&end), "{log}");
        for absent in ["SUCCESS", "artifact", ".zip", "weretail.ui.apps"] {
            assert!(!log.contains(absent), "{absent}: {log}");
        }
    }
}

#[tokio::test]
async fn every_step_that_fails_says_why_without_a_message_too() {
    for (action, step) in [
        ("validate", "validate"),
        ("build", "build"),
        ("codeQuality", "codeQuality"),
        ("deploy", "stage deploy"),
        ("securityTest", "securityTest"),
        ("loadTest", "loadTest"),
        ("assetsTest", "assetsTest"),
        ("reportPerformanceTest", "reportPerformanceTest"),
    ] {
        for outcome in ["FAILED", "ERROR"] {
            let app = TestApp::immediate().await;
            let entry = json!({"action": action, "outcome": outcome});
            app.scenario(PRODUCTION, &json!({ "steps": [entry] })).await;
            let execution = app.start(PRODUCTION).await;
            let shown = app.execution(&execution).await;
            assert_eq!(shown.step(step)["status"], outcome);
            let message = shown.step(step)["details"]["message"].as_str().unwrap();
            assert!(message.len() > 10, "{message}");
            if step != "validate" {
                let log = app.log(&execution, step).await;
                assert!(log.contains(&format!("[ERROR] {message}\n")), "{message}: {log}");
                assert!(!log.contains("Finished") && !log.contains("SUCCESS"), "{log}");
            }
        }
    }
}

#[tokio::test]
async fn a_gate_that_fails_names_its_metrics() {
    let app = TestApp::immediate().await;
    let entry = json!({"action": "codeQuality", "metrics": {"security_rating": "E"}});
    app.scenario(CODE_QUALITY, &json!({ "steps": [entry] })).await;
    let execution = app.start(CODE_QUALITY).await;
    let shown = app.execution(&execution).await;
    let expected = "failed: security_rating is E, expected at least B; \
                    failed: security_rating is E, expected A";
    assert_eq!(shown.step("codeQuality")["details"]["message"], expected);
    let log = app.log(&execution, "codeQuality").await;
    assert!(log.contains(&format!("[ERROR] {expected}\n")), "{log}");
}

#[tokio::test]
async fn a_command_of_a_deployment_is_logged_when_it_begins() {
    let app = TestApp::new().await;
    let entry = json!({"action": "deploy", "duration": "PT1H"});
    app.scenario(PRODUCTION, &json!({ "steps": [entry] })).await;
    let execution = app.start(PRODUCTION).await;
    app.advance("PT20M").await;
    let log = app.log(&execution, "stage deploy").await;
    let begin = "[INFO] Begin install-client-packages for author1uswest2\n";
    assert!(log.contains(begin), "{log}");
    assert!(!log.contains("End install-client-packages"), "{log}");
    app.advance("PT1H").await;
    let whole = app.log(&execution, "stage deploy").await;
    assert!(whole.starts_with(&log), "{whole}");
    assert!(whole.contains("[INFO] End install-client-packages for author1uswest2: ok"), "{whole}");
}

#[tokio::test]
async fn a_log_has_a_file_name() {
    let app = TestApp::immediate().await;
    let execution = app.start(PRODUCTION).await;
    for (step, query, name) in [
        ("build", "", "953671-build.log"),
        ("codeQuality", "?file=sonarLogFile", "953671-codeQuality-sonarLogFile.log"),
        ("stage deploy", "", "953671-deploy-stage.log"),
    ] {
        let href = logs_href(&app, &execution, step).await;
        let file = app.download(&format!("{href}{query}")).await;
        let expected = format!("inline; filename=\"{name}\"");
        assert_eq!(file.header("content-disposition"), expected);
    }
}
