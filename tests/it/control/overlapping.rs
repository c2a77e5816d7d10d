//! Several deployments to one environment: what they leave does not depend on how time passes.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use cloudmanager_emulator::seed::{self, Seed};
use serde_json::{Value, json};

use super::instances::{
    DEV_ENVIRONMENT, PROD_ENVIRONMENT, commit, deployed_by, id_of, instances, pause_production,
    production,
};
use crate::app::TestApp;

fn demo() -> Value {
    serde_saphyr::from_str(include_str!("../../../src/seed/demo.yaml")).unwrap()
}

/// The demo with pipelines 101 to 105 that deploy to the dev environment, each its own commit.
fn shared_environment() -> Seed {
    let mut seed = demo();
    let program = &mut seed["programs"][0];
    for (number, (outcome, failures, duration)) in [
        ("FINISHED", json!([]), "PT9S"),
        ("FAILED", json!([{"command": "test-dispatcher-configuration"}]), "PT7S"),
        ("PAUSED", json!([]), "PT13S"),
        ("FAILED", json!([{"command": "reload-dispatcher"}]), "PT11S"),
        ("FINISHED", json!([]), "PT4S"),
    ]
    .into_iter()
    .enumerate()
    {
        let (id, branch) = (101 + number, format!("b{number}"));
        program["repositories"][0]["branches"][&branch] = json!(format!("c0ffee{number}"));
        let options = json!({"dispatcherCacheFlushPaths": [format!("/{number}"), "/all"]});
        let mut entry = json!({"action": "deploy", "outcome": outcome, "duration": duration});
        if failures != json!([]) {
            entry["failures"] = failures;
        }
        program["pipelines"].as_array_mut().unwrap().push(json!({
            "id": id.to_string(), "name": branch, "scenario": {"steps": [entry]},
            "phases": [{"type": "VALIDATE"},
                {"type": "BUILD", "repositoryId": "1", "branch": branch},
                {"type": "DEPLOY", "environmentId": DEV_ENVIRONMENT,
                    "steps": [{"name": "deploy", "options": options}]}],
        }));
    }
    seed::read(&seed.to_string()).unwrap()
}

/// How a test lets time pass.
#[derive(Clone, Copy, Debug)]
enum Passing {
    AtOnce,
    InSteps(&'static str, usize),
    WithRestarts,
    WithImports,
}

/// The instances of the environments of the program.
async fn everywhere(app: &TestApp) -> [Value; 3] {
    [
        instances(app, DEV_ENVIRONMENT).await,
        instances(app, "59253").await,
        instances(app, PROD_ENVIRONMENT).await,
    ]
}

/// Lets a minute pass.
async fn pass(app: TestApp, passing: Passing) -> TestApp {
    match passing {
        Passing::AtOnce => app.advance("PT1M").await,
        Passing::InSteps(by, count) => {
            for _ in 0..count {
                app.advance(by).await;
            }
            app.advance("PT20S").await
        }
        Passing::WithRestarts => {
            let mut app = app;
            for _ in 0..6 {
                app.advance("PT7S").await;
                app = app.restarted().await;
            }
            app.advance("PT18S").await;
            return app;
        }
        Passing::WithImports => {
            for _ in 0..6 {
                app.advance("PT7S").await;
                let before = everywhere(&app).await;
                let state = app.get("/_emulator/state").await.bytes;
                app.post("/_emulator/reset", &json!({})).await;
                let answer = app.request(Method::PUT, "/_emulator/state", Body::from(state)).await;
                assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
                assert_eq!(everywhere(&app).await, before);
            }
            app.advance("PT18S").await
        }
    };
    app
}

/// Lets five deployments to one environment overlap, and returns what is there after each part.
async fn overlapping(batch: u32, passing: Passing) -> Vec<Value> {
    let app = TestApp::in_batches(batch, shared_environment()).await;
    let mut executions = Vec::new();
    for id in 101..=105 {
        executions.push(app.start(&format!("/api/program/4/pipeline/{id}")).await);
        // The last two begin at one instant.
        app.advance(if id < 104 { "PT1.3S" } else { "PT0S" }).await;
    }
    let app = pass(app, passing).await;
    let mut seen = vec![instances(&app, DEV_ENVIRONMENT).await];
    app.accept(&executions[2], "dev deploy", "pipeline/advance", &json!({"resume": true})).await;
    app.start("/api/program/4/pipeline/105").await;
    let app = pass(app, passing).await;
    for execution in executions {
        assert_ne!(app.execution(&execution).await.status(), "RUNNING");
    }
    seen.push(instances(&app, DEV_ENVIRONMENT).await);
    seen
}

#[tokio::test]
async fn overlapping_deployments_leave_the_same_however_time_passes() {
    let expected = overlapping(1000, Passing::AtOnce).await;
    assert_ne!(expected[0], expected[1]);
    for (batch, passing) in [
        (1, Passing::AtOnce),
        (2, Passing::AtOnce),
        (1000, Passing::InSteps("PT0.1S", 400)),
        (1000, Passing::InSteps("PT2S", 20)),
        (1, Passing::InSteps("PT8S", 5)),
        (1000, Passing::WithRestarts),
        (3, Passing::WithImports),
    ] {
        let seen = overlapping(batch, passing).await;
        assert_eq!(seen, expected, "in batches of {batch}, {passing:?}");
    }
}

/// The demo with a second production pipeline, which deploys another branch without approvals.
fn two_production_pipelines() -> Seed {
    let mut seed = demo();
    let steps = json!([{"name": "deploy"}]);
    let deploy =
        |environment: &str| json!({"type": "DEPLOY", "environmentId": environment, "steps": steps});
    seed["programs"][0]["pipelines"].as_array_mut().unwrap().push(json!({
        "id": "9", "name": "Other production pipeline",
        "phases": [{"type": "VALIDATE"},
            {"type": "BUILD", "repositoryId": "1", "branch": "develop"},
            deploy("59253"), deploy(PROD_ENVIRONMENT)],
    }));
    seed::read(&seed.to_string()).unwrap()
}

/// The packages on each author and publish instance, without what deployed them.
fn packages(instances: &Value) -> Vec<[String; 3]> {
    let packages = instances.as_array().unwrap().iter().filter_map(|it| it["packages"].as_array());
    let facts = |it: &'_ Value| {
        ["name", "version", "builtBy"].map(|field| it[field].as_str().unwrap().to_owned())
    };
    packages.flatten().map(facts).collect()
}

/// Stops a production deployment between its instances while another pipeline deploys to the same
/// environment, rolls it back, and returns what is there after each part.
async fn stopped_and_rolled_back(batch: u32, passing: Passing) -> Vec<Value> {
    let app = TestApp::in_batches(batch, two_production_pipelines()).await;
    let first = production(&app).await;
    let app = pass(app, passing).await;
    let mut seen = vec![instances(&app, PROD_ENVIRONMENT).await];

    commit(&app, "main").await;
    pause_production(&app).await;
    let second = production(&app).await;
    let app = pass(app, passing).await;
    assert_eq!(app.execution(&second).await.step("prod deploy")["status"], "WAITING");
    seen.push(instances(&app, PROD_ENVIRONMENT).await);
    let on = |id: &'static str| deployed_by(&app, PROD_ENVIRONMENT, id);
    assert_eq!(on("author1uswest2").await, [id_of(&second)]);
    assert_eq!(on("publish2uswest2").await, [id_of(&first)]);

    let other = app.start("/api/program/4/pipeline/9").await;
    let app = pass(app, passing).await;
    assert_eq!(app.execution(&other).await.status(), "FINISHED");
    seen.push(instances(&app, PROD_ENVIRONMENT).await);
    app.accept(&second, "prod deploy", "pipeline/advance", &json!({"resume": false})).await;
    assert_eq!(instances(&app, PROD_ENVIRONMENT).await, seen[2], "the last deployment stays");
    let by = deployed_by(&app, PROD_ENVIRONMENT, "author1uswest2").await;
    assert_eq!(by, [id_of(&other)]);

    let path = "/api/program/4/pipeline/1/execution?rollback=true";
    let started = app.request(Method::PUT, path, "").await;
    assert_eq!(started.status, StatusCode::CREATED, "{}", started.text());
    let rollback = started.json()["id"].as_str().unwrap().to_owned();
    let app = pass(app, passing).await;
    let all = instances(&app, PROD_ENVIRONMENT).await;
    assert_eq!(packages(&all), packages(&seen[0]), "the old versions are back");
    for id in ["author1uswest2", "publish2uswest2", "dispatcher1uswest2", "dispatcher2uswest2"] {
        let by = deployed_by(&app, PROD_ENVIRONMENT, id).await;
        assert_eq!(by, std::slice::from_ref(&rollback), "{id}");
    }
    seen.push(all);
    seen
}

#[tokio::test]
async fn a_rollback_brings_the_old_versions_back_however_time_passes() {
    let expected = stopped_and_rolled_back(1000, Passing::AtOnce).await;
    for part in 1..expected.len() {
        assert_ne!(expected[part - 1], expected[part], "{part}");
    }
    for (batch, passing) in [
        (1, Passing::AtOnce),
        (1000, Passing::InSteps("PT0.5S", 80)),
        (1000, Passing::WithRestarts),
        (2, Passing::WithImports),
    ] {
        let seen = stopped_and_rolled_back(batch, passing).await;
        assert_eq!(seen, expected, "in batches of {batch}, {passing:?}");
    }
}
