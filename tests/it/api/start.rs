//! `PUT …/pipeline/{id}/execution`

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::app::{CODE_QUALITY, OVERSEEN, PRODUCTION, START, TestApp, signed};

const CODE_SCAN: [&str; 3] = ["validate", "build", "codeQuality"];

#[tokio::test]
async fn a_production_pipeline_has_its_steps_in_order() {
    let app = TestApp::new().await;
    let execution = app.start(PRODUCTION).await;
    let tests = ["securityTest", "loadTest", "assetsTest", "reportPerformanceTest"];
    let expected =
        [&CODE_SCAN[..], &["stage deploy"], &tests, &["prod approval", "prod deploy"]].concat();
    assert_eq!(app.execution(&execution).await.actions(), expected);
}

#[tokio::test]
async fn every_kind_of_pipeline_has_its_steps() {
    let app = TestApp::new().await;
    let execution = app.start("/api/program/4/pipeline/2").await;
    let expected = [&CODE_SCAN[..], &["dev deploy"]].concat();
    assert_eq!(app.execution(&execution).await.actions(), expected);
    let execution = app.start(CODE_QUALITY).await;
    assert_eq!(app.execution(&execution).await.actions(), CODE_SCAN);
    let execution = app.start(OVERSEEN).await;
    let expected = [
        &CODE_SCAN[..],
        &["stage deploy", "stage approval", "securityTest", "loadTest", "reportPerformanceTest"],
        &["prod approval", "schedule", "managed", "prod deploy"],
    ]
    .concat();
    assert_eq!(app.execution(&execution).await.actions(), expected);
}

#[tokio::test]
async fn the_answer_is_the_execution_as_created() {
    let app = TestApp::immediate().await;
    let path = format!("{PRODUCTION}/execution?pipelineExecutionMode=NORMAL");
    let answer = app.request(Method::PUT, &path, Body::empty()).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(
        answer.header("location"),
        "http://127.0.0.1:4600/api/program/4/pipeline/1/execution/953671"
    );
    let body = answer.json();
    let expected = json!({
        "id": "953671", "programId": "4", "pipelineId": "1", "status": "NOT_STARTED",
        "artifactsVersion": "2026.305.100000.0000953671", "user": "ci@techacct.adobe.com",
        "trigger": "MANUAL", "pipelineExecutionMode": "NORMAL", "pipelineType": "CI_CD",
        "createdAt": START, "updatedAt": START,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(body[name], *value, "{name}");
    }
    assert_eq!(body["_embedded"]["stepStates"].as_array().unwrap().len(), 10);
    // Nobody needs to poll: everything that takes no time has happened.
    let execution = app.execution("/api/program/4/pipeline/1/execution").await;
    assert_eq!(execution.progress().last().unwrap(), "prod approval:WAITING");
}

#[tokio::test]
async fn whatever_body_comes_with_a_start_it_starts() {
    let app = TestApp::immediate().await;
    for (content_type, body) in
        [("application/json", ""), ("text/plain", ""), ("application/json", "{"), ("", "x")]
    {
        let request = signed(Method::PUT, &format!("{CODE_QUALITY}/execution"))
            .header("content-type", content_type)
            .body(Body::from(body))
            .unwrap();
        assert_eq!(app.send(request).await.status, StatusCode::CREATED, "{content_type} {body}");
    }
}

#[tokio::test]
async fn a_busy_pipeline_is_not_started_again() {
    let app = TestApp::new().await;
    app.start(PRODUCTION).await;
    for query in ["", "?pipelineExecutionMode=EMERGENCY", "?stepId=2983530"] {
        let path = format!("{PRODUCTION}/execution{query}");
        let answer = app.request(Method::PUT, &path, Body::empty()).await;
        assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED, "{query}");
        assert_eq!(answer.json()["title"], "Pipeline is busy");
    }
    // Other pipelines are not affected.
    app.start(CODE_QUALITY).await;
}

#[tokio::test]
async fn exactly_one_of_many_simultaneous_starts_wins() {
    let app = std::sync::Arc::new(TestApp::new().await);
    let starts: Vec<_> = (0..100)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move {
                let path = format!("{PRODUCTION}/execution");
                app.request(Method::PUT, &path, Body::empty()).await.status
            })
        })
        .collect();
    let mut created = 0;
    for start in starts {
        match start.await.unwrap() {
            StatusCode::CREATED => created += 1,
            status => assert_eq!(status, StatusCode::PRECONDITION_FAILED),
        }
    }
    assert_eq!(created, 1);
    let executions = app.get(&format!("{PRODUCTION}/executions")).await.json();
    assert_eq!(executions["_totalNumberOfItems"], 1);
}

#[tokio::test]
async fn wrong_query_values_are_refused_before_the_state_is_looked_at() {
    let app = TestApp::new().await;
    app.start(PRODUCTION).await;
    for (query, expected) in [
        ("pipelineExecutionMode=FAST", "pipelineExecutionMode: must be NORMAL or EMERGENCY"),
        ("pipelineExecutionMode=", "pipelineExecutionMode: must be NORMAL or EMERGENCY"),
        ("pipelineExecutionMode=emergency", "pipelineExecutionMode: must be NORMAL or EMERGENCY"),
        (
            "mode=EMERGENCY",
            "mode: is not a known parameter; known parameters: pipelineExecutionMode, \
             stepId, sourceExecutionId",
        ),
        (
            "pipeline_execution_mode=EMERGENCY",
            "pipeline_execution_mode: is not a known parameter; did you mean pipelineExecutionMode?",
        ),
        ("stepId=1&stepId=2", "stepId: is given more than once"),
        ("sourceExecutionId=953671", "sourceExecutionId: is only for re-executions"),
        ("stepId=2983530&pipelineExecutionMode=EMERGENCY", "stepId: can't be used in emergency"),
    ] {
        let path = format!("{PRODUCTION}/execution?{query}");
        let answer = app.request(Method::PUT, &path, Body::empty()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(answer.errors().starts_with(expected), "{query}: {}", answer.errors());
    }
}

#[tokio::test]
async fn the_user_is_whoever_the_token_names() {
    let app = TestApp::immediate().await;
    // {"alg":"none"}.{"user_id":"0123456789ABCDE@AdobeID"}.
    let token = "eyJhbGciOiJub25lIn0.eyJ1c2VyX2lkIjoiMDEyMzQ1Njc4OUFCQ0RFQEFkb2JlSUQifQ.x";
    let mut request =
        signed(Method::PUT, &format!("{CODE_QUALITY}/execution")).body(Body::empty()).unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    assert_eq!(app.send(request).await.json()["user"], "0123456789ABCDE@AdobeID");
}

#[tokio::test]
async fn a_step_starts_when_the_one_before_it_ended() {
    let app = TestApp::new().await;
    let execution = app.start(PRODUCTION).await;
    let settled = app.advance("PT10S").await;
    // The start has begun validate; three steps end and three begin.
    assert_eq!(settled["transitions"], 6);
    let execution = app.execution(&execution).await;
    let time = |step: &str, field: &str| execution.step(step)[field].as_str().map(str::to_owned);
    let at = |seconds: &str| Some(format!("2026-03-05T10:00:{seconds}.000+0000"));
    assert_eq!(time("validate", "startedAt"), at("00"));
    assert_eq!(time("validate", "finishedAt"), at("01"));
    assert_eq!(time("build", "startedAt"), at("01"));
    assert_eq!(time("build", "finishedAt"), at("06"));
    assert_eq!(time("codeQuality", "startedAt"), at("06"));
    assert_eq!(time("codeQuality", "finishedAt"), at("09"));
    assert_eq!(time("stage deploy", "startedAt"), at("09"));
    assert_eq!(time("stage deploy", "finishedAt"), None);
    assert_eq!(time("stage deploy", "updatedAt"), at("09"));
}
