//! What a build leaves: as seeds and scenarios say it, and uploads.

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../fixtures/artifacts/", $name)).as_slice()
    };
}

mod deployments;
mod outputs;
mod state;
mod uploads;

use axum::http::Method;
use cloudmanager_emulator::domain::pace::Pace;
use cloudmanager_emulator::seed;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp};

/// The pipeline to the dev environment, which builds the branch `develop`.
pub const DEV: &str = "/api/program/4/pipeline/2";

/// The head of the branch that it builds.
pub const COMMIT: &str = "7f0c3f8a1d7b5e2b0a4c6d9e8f71625344a5b6c7";

/// The artifacts of that commit.
pub const ARTIFACTS: &str =
    "/_emulator/program/4/repository/1/commit/7f0c3f8a1d7b5e2b0a4c6d9e8f71625344a5b6c7/artifacts";

/// A content package that needs another one.
pub const PACKAGE: &[u8] = fixture!("infozip.zip");

/// A content package that needs [`PACKAGE`].
pub const DEPENDENT: &[u8] = fixture!("java.zip");

/// A complete dispatcher artifact.
pub const DISPATCHER: &[u8] = fixture!("dispatcher.zip");

/// A zip file that is neither.
pub const OTHER: &[u8] = fixture!("infozip-stream.zip");

/// The demo, where the repository `weretail` says what its builds leave.
pub fn demo_with(builds: &Value) -> String {
    let demo = include_str!("../../../src/seed/demo.yaml");
    let repository = "repo: weretail\n";
    assert_eq!(demo.matches(repository).count(), 1);
    demo.replace(repository, &format!("{repository}        builds: {builds}\n"))
}

/// An emulator without waiting times, whose repository says what its builds leave.
pub async fn app_with(builds: Value) -> TestApp {
    TestApp::with(Pace::Immediate, seed::read(&demo_with(&builds)).unwrap()).await
}

pub async fn upload(app: &TestApp, file: &str, content: &[u8]) -> Answer {
    app.request(Method::PUT, &format!("{ARTIFACTS}/{file}"), content.to_vec()).await
}

/// The artifacts of the build step of an execution.
pub async fn artifacts(app: &TestApp, execution: &str) -> Vec<Value> {
    let step = app.execution(execution).await.link("build", "self").unwrap();
    let list = app.get(&format!("{step}/artifacts")).await.json();
    list["_embedded"]["artifacts"].as_array().unwrap().clone()
}

/// The names of these artifacts.
pub async fn files(app: &TestApp, execution: &str) -> Vec<String> {
    let artifacts = artifacts(app, execution).await;
    artifacts.iter().map(|it| it["file"].as_str().unwrap().to_owned()).collect()
}

/// The message of the deployment to dev.
pub async fn message(app: &TestApp, execution: &str) -> String {
    let shown = app.execution(execution).await;
    shown.step("dev deploy")["details"]["message"].as_str().unwrap_or_default().to_owned()
}

/// A scenario with one entry, for the build step.
pub fn leaves(builds: &Value) -> Value {
    json!({"steps": [{"action": "build", "builds": builds}]})
}
