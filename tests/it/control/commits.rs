//! `…/repository/{id}/branch/{branch}/commits`

use axum::http::{Method, StatusCode};
use cloudmanager_emulator::domain::pace::Pace;
use cloudmanager_emulator::seed;
use serde_json::json;

use crate::app::{CODE_QUALITY, TestApp};

const BRANCH: &str = "/_emulator/program/4/repository/1/branch";

/// The demo, in which the pipelines on the branch `develop` begin with each commit.
async fn on_commit(pace: Pace) -> TestApp {
    let demo = include_str!("../../../src/seed/demo.yaml");
    let text = demo
        .replacen(
            "        name: Deploy to dev\n",
            "        name: Deploy to dev\n        trigger: ON_COMMIT\n",
            1,
        )
        .replace(
            "        name: Code quality\n",
            "        name: Code quality\n        trigger: ON_COMMIT\n",
        );
    TestApp::with(pace, seed::read(&text).unwrap()).await
}

#[tokio::test]
async fn a_commit_is_given_or_made_up() {
    let app = TestApp::immediate().await;
    let answer =
        app.post(&format!("{BRANCH}/develop/commits"), &json!({"commitId": "c0ffee"})).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let expected = json!({"commitId": "c0ffee", "branch": "develop", "executionIds": []});
    assert_eq!(answer.json(), expected);
    let execution = app.start(CODE_QUALITY).await;
    assert_eq!(app.execution(&execution).await.step("build")["commitId"], "c0ffee");

    let mut commits = Vec::new();
    for body in ["", "{}", r#"{"commitId":null}"#] {
        let answer = app.request(Method::POST, &format!("{BRANCH}/develop/commits"), body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{body}");
        let commit = answer.json()["commitId"].as_str().unwrap().to_owned();
        assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(!commits.contains(&commit), "each is another one");
        commits.push(commit);
    }
    let app = app.restarted().await;
    let execution = app.start(CODE_QUALITY).await;
    assert_eq!(app.execution(&execution).await.step("build")["commitId"], *commits.last().unwrap());
}

#[tokio::test]
async fn a_branch_that_is_not_there_is_made_only_on_request() {
    let app = TestApp::immediate().await;
    let update = json!({"phases": [{"type": "BUILD", "branch": "feature/a b"}]});
    app.patch(CODE_QUALITY, &update).await;
    let execution = app.start(CODE_QUALITY).await;
    assert_eq!(app.execution(&execution).await.status(), "FAILED");
    let commits = format!("{BRANCH}/feature%2Fa%20b/commits");
    for body in ["", "{}", r#"{"create":false}"#] {
        let answer = app.request(Method::POST, &commits, body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{body}");
        let said =
            "The repository weretail has no branch feature/a b. Send \"create\": true to make it.";
        assert_eq!(answer.errors(), said);
    }
    let answer = app.post(&commits, &json!({"create": true})).await;
    assert_eq!(answer.json()["branch"], "feature/a b");
    assert_eq!(app.post(&commits, &json!({})).await.status, StatusCode::CREATED);
    let execution = app.start(CODE_QUALITY).await;
    assert_eq!(app.execution(&execution).await.status(), "FINISHED");
}

#[tokio::test]
async fn it_starts_the_idle_pipelines_that_follow_the_branch() {
    let app = on_commit(Pace::Quick).await;
    for branch in ["main", "Develop", "develop%20", "refs%2Ftags%2Fdevelop"] {
        let create = json!({"create": true});
        let other = app.post(&format!("{BRANCH}/{branch}/commits"), &create).await;
        assert_eq!(other.json()["executionIds"], json!([]), "{branch}");
    }
    let outlet = "/_emulator/program/5/repository/2/branch/develop/commits";
    let elsewhere = app.post(outlet, &json!({})).await.json();
    let id = elsewhere["executionIds"][0].as_str().expect("the demo's own pipeline follows it");
    assert_eq!(elsewhere["executionIds"], json!([id]), "and no other program's");
    let shown = app.execution(&format!("/api/program/5/pipeline/8/execution/{id}")).await;
    assert_eq!(shown.0["trigger"], "ON_COMMIT");

    let busy = app.start(CODE_QUALITY).await;
    let commits = format!("{BRANCH}/develop/commits");
    let started = app.post(&commits, &json!({"commitId": "one"})).await.json();
    assert_eq!(started["executionIds"].as_array().unwrap().len(), 1, "one is busy");
    let id = started["executionIds"][0].as_str().unwrap();
    let shown = app.execution(&format!("/api/program/4/pipeline/2/execution/{id}")).await;
    assert_eq!(shown.0["trigger"], "ON_COMMIT");
    assert_eq!(shown.0["pipelineExecutionMode"], "NORMAL");
    assert_eq!(shown.0["user"], "AnonymousNoPermission");
    assert_eq!(shown.step("build")["commitId"], "one");
    assert_ne!(app.execution(&busy).await.step("build")["commitId"], "one", "frozen");

    app.advance("PT1M").await;
    let started = app.post(&commits, &json!({})).await.json();
    assert_eq!(started["executionIds"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn wrong_commits_are_refused_and_change_nothing() {
    let app = on_commit(Pace::Quick).await;
    let commits = format!("{BRANCH}/develop/commits");
    let long = "x".repeat(256);
    for body in [
        "[]",
        "null",
        "5",
        "{",
        r#"{"commitId":5}"#,
        r#"{"commitId":""}"#,
        r#"{"commitId":["a"]}"#,
        r#"{"commitId":"a\nb"}"#,
        r#"{"commitId":"\u0000"}"#,
        r#"{"commit":"a"}"#,
        r#"{"create":"yes"}"#,
        &format!(r#"{{"commitId":"{long}"}}"#),
    ] {
        let answer = app.request(Method::POST, &commits, body.to_owned()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
    }
    for branch in [long.as_str(), "a%0Ab", "%00"] {
        let answer = app.post(&format!("{BRANCH}/{branch}/commits"), &json!({})).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{branch}");
    }
    for path in [
        "/_emulator/program/4/repository/2/branch/main/commits",
        "/_emulator/program/9/repository/1/branch/main/commits",
        "/_emulator/program/4/repository/1/branch/%ff/commits",
    ] {
        assert_eq!(app.post(path, &json!({})).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let branches = app.get("/api/program/4/repository/1/branches").await.json();
    assert_eq!(branches["_totalNumberOfItems"], 2);
    assert_eq!(app.get("/_emulator/info").await.json()["counts"]["executions"], 0);
}
