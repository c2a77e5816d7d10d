//! `…/artifacts`, and builds that are used again.

use std::io::Cursor;

use axum::http::{Method, StatusCode};
use cloudmanager_emulator::domain::pace::Pace;
use cloudmanager_emulator::seed;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use zip::ZipArchive;

use crate::app::{CODE_QUALITY, PRODUCTION, TestApp, link, signed};

const DEV: &str = "/api/program/4/pipeline/2";

async fn artifacts(app: &TestApp, execution: &str, step: &str) -> Vec<Value> {
    let path = app.execution(execution).await.link(step, "self").unwrap() + "/artifacts";
    let list = app.get(&path).await.json();
    let artifacts = list["_embedded"]["artifacts"].as_array().unwrap().clone();
    assert_eq!(list["_totalNumberOfItems"], artifacts.len());
    artifacts
}

async fn digests(app: &TestApp, execution: &str) -> Vec<Value> {
    artifacts(app, execution, "build").await.iter().map(|one| one["md5"].clone()).collect()
}

fn id(execution: &str) -> &str {
    execution.rsplit('/').next().unwrap()
}

/// How long the build of an execution took, in milliseconds.
async fn build_time(app: &TestApp, execution: &str) -> i64 {
    let shown = app.execution(execution).await;
    let at = |field: &str| {
        let text = shown.step("build")[field].as_str().unwrap();
        cloudmanager_emulator::domain::time::Timestamp::parse(text).unwrap().as_millis()
    };
    at("finishedAt") - at("startedAt")
}

async fn run(app: &TestApp, pipeline: &str) -> String {
    let execution = app.start(pipeline).await;
    app.advance("PT1M").await;
    execution
}

#[tokio::test]
async fn artifacts_are_there_when_their_step_has_made_them() {
    let app = TestApp::new().await;
    let execution = app.start(PRODUCTION).await;
    for (by, counts) in [
        ("PT5.999S", [0, 0, 0, 0, 0]),
        ("PT0.001S", [3, 0, 0, 0, 0]),
        ("PT2.999S", [3, 0, 0, 0, 0]),
        ("PT0.001S", [3, 1, 0, 0, 0]),
        ("PT1M", [3, 1, 6, 8, 14]),
    ] {
        app.advance(by).await;
        let mut found = Vec::new();
        for step in ["build", "codeQuality", "loadTest", "assetsTest", "reportPerformanceTest"] {
            found.push(artifacts(&app, &execution, step).await.len());
        }
        assert_eq!(found, counts, "{by}");
    }
    for step in ["validate", "stage deploy", "securityTest", "prod approval", "prod deploy"] {
        assert_eq!(artifacts(&app, &execution, step).await, [] as [Value; 0], "{step}");
    }
}

#[tokio::test]
async fn what_is_listed_is_what_is_downloaded() {
    let app = TestApp::new().await;
    let execution = run(&app, PRODUCTION).await;
    for step in ["build", "codeQuality", "loadTest", "assetsTest", "reportPerformanceTest"] {
        let artifacts = artifacts(&app, &execution, step).await;
        assert!(!artifacts.is_empty(), "{step}");
        for artifact in artifacts {
            let file = app.download(&link(&artifact, "self").unwrap()).await;
            let md5 = format!("{:x}", Md5::digest(&file.bytes));
            assert_eq!(artifact["md5"], md5);
            let media_type = file.header("content-type");
            assert_eq!(media_type.split(';').next().unwrap(), artifact["format"]);
            let saved = format!("attachment; filename={}", artifact["file"]);
            assert_eq!(file.header("content-disposition"), saved);
            match artifact["format"].as_str().unwrap() {
                "application/zip" => {
                    let archive = ZipArchive::new(Cursor::new(&file.bytes)).unwrap();
                    assert!(archive.len() > 4);
                }
                "application/json" => assert!(file.json().is_object() || file.json().is_array()),
                format => {
                    assert_eq!(format, "text/csv");
                    assert!(file.text().lines().count() > 1);
                }
            }
        }
    }
    let log = app.log(&execution, "build").await;
    for artifact in artifacts(&app, &execution, "build").await {
        assert!(log.contains(artifact["file"].as_str().unwrap()), "{log}");
    }
}

#[tokio::test]
async fn the_issues_of_a_scan_are_as_many_as_its_metric_says() {
    let app = TestApp::immediate().await;
    let entry = json!({"action": "codeQuality", "metrics": {"open_issues": "17"}});
    app.scenario(CODE_QUALITY, &json!({ "steps": [entry] })).await;
    let execution = app.start(CODE_QUALITY).await;
    let issues = &artifacts(&app, &execution, "codeQuality").await[0];
    let csv = app.download(&link(issues, "self").unwrap()).await.text();
    assert_eq!(csv.lines().count(), 18, "{csv}");
}

#[tokio::test]
async fn unknown_artifacts_are_not_found_and_known_ones_redirected_to() {
    let app = TestApp::immediate().await;
    let execution = app.start(CODE_QUALITY).await;
    let build = app.execution(&execution).await.link("build", "self").unwrap();
    for number in
        ["0", "4", "01", "+1", "-1", "x", "1.0", "%00", "%ff", "99999999999999999999", "1%2F2"]
    {
        let answer = app.get(&format!("{build}/artifact/{number}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{number}");
    }
    let mut request = signed(Method::GET, &format!("{build}/artifact/1")).body("".into()).unwrap();
    request.headers_mut().insert("accept", "application/zip".parse().unwrap());
    let answer = app.send(request).await;
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
    assert!(answer.header("location").contains("/files/"));
}

#[tokio::test]
async fn a_build_is_used_again_by_other_pipelines_of_the_program_on_the_same_commit() {
    let app = TestApp::new().await;
    let first = run(&app, CODE_QUALITY).await;
    assert_eq!(build_time(&app, &first).await, 5000);
    assert_eq!(app.execution(&first).await.step("build")["details"], json!({}));

    let second = run(&app, DEV).await;
    assert_eq!(build_time(&app, &second).await, 500);
    assert_eq!(digests(&app, &second).await, digests(&app, &first).await);
    let reused = format!("reused from execution {}", id(&first));
    let log = app.log(&second, "build").await;
    assert!(log.contains(&reused) && !log.contains("mvn"), "{log}");
    assert!(app.log(&second, "codeQuality").await.contains(&reused));
    let shown = app.execution(&second).await;
    let message = shown.step("build")["details"]["message"].as_str().unwrap();
    assert!(message.contains(&reused), "{message}");

    // Who used it is no source: the one that built it is.
    let third = run(&app, DEV).await;
    assert!(app.log(&third, "build").await.contains(&reused));
    let app = app.restarted().await;
    let fourth = run(&app, DEV).await;
    assert!(app.log(&fourth, "build").await.contains(&reused));
}

#[tokio::test]
async fn another_commit_or_program_is_built_anew() {
    let demo = include_str!("../../../src/seed/demo.yaml");
    let same = demo.replace("repo: weretail-outlet", "repo: weretail").replace(
        "90ab12cd34ef5678901234567890abcdef123456",
        "7f0c3f8a1d7b5e2b0a4c6d9e8f71625344a5b6c7",
    );
    let app = TestApp::with(Pace::Quick, seed::read(&same).unwrap()).await;
    let first = run(&app, CODE_QUALITY).await;
    let other = run(&app, "/api/program/5/pipeline/8").await;
    assert_eq!(build_time(&app, &other).await, 5000, "another program");
    assert_eq!(
        app.execution(&other).await.step("build")["commitId"],
        app.execution(&first).await.step("build")["commitId"]
    );
    app.post("/_emulator/program/4/repository/1/branch/develop/commits", &json!({})).await;
    let next = run(&app, CODE_QUALITY).await;
    assert_eq!(build_time(&app, &next).await, 5000, "another commit");
    assert_ne!(digests(&app, &next).await, digests(&app, &first).await);
}

#[tokio::test]
async fn reuse_can_be_disabled_by_a_variable_of_either_type() {
    for kind in ["string", "secretString"] {
        let app = TestApp::new().await;
        run(&app, CODE_QUALITY).await;
        let variables = format!("{CODE_QUALITY}/variables");
        for (value, expected) in [("true", 5000), ("false", 500), ("TRUE", 500), ("", 500)] {
            let set = json!([{"name": "CM_DISABLE_BUILD_REUSE", "value": value, "type": kind}]);
            assert_eq!(app.patch(&variables, &set).await.status, StatusCode::NO_CONTENT);
            let execution = run(&app, CODE_QUALITY).await;
            assert_eq!(build_time(&app, &execution).await, expected, "{kind} {value}");
        }
    }
}

#[tokio::test]
async fn only_a_variable_that_builds_see_disables_reuse() {
    let app = TestApp::new().await;
    run(&app, CODE_QUALITY).await;
    let set = |value: &str, service: &str| json!([{"name": "CM_DISABLE_BUILD_REUSE", "value": value, "service": service}]);
    for (variable, expected) in [
        (set("true", "uiTest"), 500),
        (set("true", "build"), 5000),
        (set("false", ""), 5000),
        (set("", "build"), 500),
        (set("true", ""), 5000),
        (set("false", "build"), 500),
    ] {
        app.patch(&format!("{CODE_QUALITY}/variables"), &variable).await;
        let execution = run(&app, CODE_QUALITY).await;
        assert_eq!(build_time(&app, &execution).await, expected, "{variable}");
    }
}

#[tokio::test]
async fn a_build_that_fails_or_is_cancelled_leaves_nothing() {
    let app = TestApp::new().await;
    for outcome in ["FAILED", "ERROR"] {
        let entry = json!({"action": "build", "outcome": outcome});
        app.scenario(CODE_QUALITY, &json!({"times": 1, "steps": [entry]})).await;
        let failed = run(&app, CODE_QUALITY).await;
        assert_eq!(artifacts(&app, &failed, "build").await, [] as [Value; 0]);
    }
    let cancelled = app.start(CODE_QUALITY).await;
    app.advance("PT3S").await;
    app.accept(&cancelled, "build", "pipeline/cancel", &json!({"cancel": true})).await;
    app.advance("PT1M").await;
    assert_eq!(artifacts(&app, &cancelled, "build").await, [] as [Value; 0]);
    let execution = run(&app, CODE_QUALITY).await;
    assert_eq!(build_time(&app, &execution).await, 5000);
    // One that is to fail does so, although the artifacts are there.
    let entry = json!({"action": "build", "outcome": "FAILED"});
    app.scenario(CODE_QUALITY, &json!({"times": 1, "steps": [entry]})).await;
    let failed = run(&app, CODE_QUALITY).await;
    assert_eq!(app.execution(&failed).await.status(), "FAILED");
}

#[tokio::test]
async fn a_scenario_says_how_long_it_takes_whether_it_builds_or_not() {
    let app = TestApp::new().await;
    let entry = json!({"action": "build", "duration": "PT20S"});
    app.scenario(CODE_QUALITY, &json!({ "steps": [entry] })).await;
    for _ in 0..2 {
        let execution = run(&app, CODE_QUALITY).await;
        assert_eq!(build_time(&app, &execution).await, 20_000);
    }
}

#[tokio::test]
async fn a_re_execution_copies_from_the_execution_that_really_built() {
    let app = TestApp::new().await;
    let on_main = json!({"phases": [{"type": "BUILD", "branch": "main"}]});
    app.patch(CODE_QUALITY, &on_main).await;
    let built = run(&app, CODE_QUALITY).await;
    let whole = run(&app, PRODUCTION).await;
    app.accept(&whole, "prod approval", "pipeline/advance", &json!({"approved": true})).await;
    app.advance("PT1M").await;
    let mut last = whole.clone();
    for _ in 0..2 {
        let href = app.execution(&last).await.link("prod deploy", "pipeline/reExecute").unwrap();
        let answer = app.put(&href, &json!({})).await;
        assert_eq!(answer.status, StatusCode::CREATED);
        last = link(&answer.json(), "self").unwrap();
        app.advance("PT1M").await;
        let log = app.log(&last, "build").await;
        assert!(log.contains(&format!("copied from execution {}", id(&built))), "{log}");
        assert_eq!(digests(&app, &last).await, digests(&app, &built).await);
        assert_eq!(build_time(&app, &last).await, 500);
    }
}

#[tokio::test]
async fn artifacts_outlive_the_pipeline_that_built_them() {
    let app = TestApp::new().await;
    let built = run(&app, CODE_QUALITY).await;
    let expected = digests(&app, &built).await;
    assert_eq!(app.delete(CODE_QUALITY).await.status, StatusCode::NO_CONTENT);
    let reused = run(&app, DEV).await;
    assert_eq!(digests(&app, &reused).await, expected);
}
