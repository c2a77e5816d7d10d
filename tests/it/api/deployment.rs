//! What deployments do, as their step states and logs tell.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{Execution, PRODUCTION, TestApp};

const DEV: &str = "/api/program/4/pipeline/2";
/// The dev pipeline of another program: dispatchers leave the load balancer.
const DETACHING: &str = "/api/program/5/pipeline/8";

/// A list that the details of a step have as a text.
fn list(execution: &Execution, step: &str, field: &str) -> Vec<Value> {
    let text = execution.step(step)["details"][field].as_str().unwrap_or("[]");
    serde_json::from_str(text).unwrap()
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap()
}

/// What has been done, as `command instance`.
fn done(execution: &Execution, step: &str) -> Vec<String> {
    let done = list(execution, step, "deploymentStepDescription");
    done.iter()
        .map(|one| format!("{} {}", text(one, "stepAction"), text(one, "instanceId")))
        .collect()
}

/// The instances that are out of the load balancer when all this has been done.
fn detached(done: &[String]) -> BTreeSet<&str> {
    let mut detached = BTreeSet::new();
    for one in done {
        match one.split_once(' ').unwrap() {
            ("manage-elb-links-detach", instance) => drop(detached.insert(instance)),
            ("manage-elb-links-attach", instance) => drop(detached.remove(instance)),
            _ => {}
        }
    }
    detached
}

fn position(done: &[String], wanted: &str) -> usize {
    done.iter().position(|one| one == wanted).unwrap_or_else(|| panic!("{wanted} in {done:#?}"))
}

/// A production deployment that has just begun.
async fn production(app: &TestApp) -> String {
    let execution = app.start(PRODUCTION).await;
    app.advance("PT1M").await;
    app.accept(&execution, "prod approval", "pipeline/advance", &json!({"approved": true})).await;
    execution
}

async fn failing(app: &TestApp, pipeline: &str, environment: &str, failures: Value) -> Execution {
    let entry = json!({"action": "deploy", "environmentType": environment, "failures": failures});
    app.scenario(pipeline, &json!({ "steps": [entry] })).await;
    let execution =
        if pipeline == PRODUCTION { production(app).await } else { app.start(pipeline).await };
    app.advance("PT1M").await;
    app.execution(&execution).await
}

async fn log_of(app: &TestApp, execution: &Execution, step: &str) -> String {
    app.download(&execution.link(step, "pipeline/logs").unwrap()).await.text()
}

#[tokio::test]
async fn details_grow_with_what_is_done_and_name_what_is_being_done() {
    let app = TestApp::new().await;
    let execution = production(&app).await;
    let shown = app.execution(&execution).await;
    let urls = json!([
        {"instanceType": "publish", "instanceUrl": "https://weretail-global-b75-prod-publish.example.adobecqms.net"},
        {"instanceType": "author", "instanceUrl": "https://weretail-global-b75-prod-author.example.adobecqms.net"},
    ]);
    assert_eq!(shown.step("prod deploy")["details"]["environmentUrls"], urls, "from the start");
    let commands = list(&shown, "prod deploy", "deployCommands");
    let ids: Vec<_> = commands.iter().map(|command| command["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (1..=commands.len() as u64).collect::<Vec<_>>());
    let mut before: Vec<Value> = Vec::new();
    let mut growths = 0;
    for _ in 0..=120 {
        let shown = app.execution(&execution).await;
        let step = shown.step("prod deploy");
        let done = list(&shown, "prod deploy", "deploymentStepDescription");
        assert_eq!(done[..before.len()], before[..], "what was said stays");
        growths += usize::from(done.len() > before.len());
        let current = step["details"]["currentDeployCommandId"].as_str().unwrap();
        let next = commands.get(done.len()).or(commands.last()).unwrap();
        assert_eq!(current, next["id"].to_string());
        assert_eq!(list(&shown, "prod deploy", "deployCommands"), commands);
        let now = app.get("/_emulator/clock").await.json()["now"].clone();
        for one in &done {
            assert!(one["updated"].as_str().unwrap() <= now.as_str().unwrap(), "{one}");
        }
        before = done;
        app.advance("PT0.05S").await;
    }
    assert!(growths > 15, "{growths}");
    let shown = app.execution(&execution).await;
    assert_eq!(shown.status(), "FINISHED");
    assert_eq!(list(&shown, "prod deploy", "deploymentStepDescription").len(), commands.len());
    assert_eq!(shown.step("prod approval")["details"].get("deployCommands"), None);
}

#[tokio::test]
async fn production_changes_one_pair_at_a_time_after_the_author() {
    let app = TestApp::new().await;
    let execution = production(&app).await;
    let mut most = 0;
    loop {
        let shown = app.execution(&execution).await;
        let done = done(&shown, "prod deploy");
        most = most.max(detached(&done).len());
        if shown.status() == "FINISHED" {
            assert_eq!(detached(&done).len(), 0);
            break;
        }
        app.advance("PT0.02S").await;
    }
    assert_eq!(most, 1, "never two dispatchers at once, and never none");
    let done = done(&app.execution(&execution).await, "prod deploy");
    let steps = [
        "install-client-packages author1uswest2",
        "manage-elb-links-detach dispatcher1uswest2",
        "perform-backup dispatcher1uswest2",
        "clean-dispatcher-configuration dispatcher1uswest2",
        "extract-dispatcher-package dispatcher1uswest2",
        "test-dispatcher-configuration dispatcher1uswest2",
        "reload-dispatcher dispatcher1uswest2",
        "flush-dispatcher-cache dispatcher1uswest2",
        "manage-elb-links-attach dispatcher1uswest2",
        "manage-elb-links-detach dispatcher2uswest2",
        "flush-dispatcher-cache dispatcher2uswest2",
        "manage-elb-links-attach dispatcher2uswest2",
    ];
    let positions: Vec<_> = steps.iter().map(|step| position(&done, step)).collect();
    assert!(positions.is_sorted(), "{positions:?} {done:#?}");
    let publish =
        |number| position(&done, &format!("install-client-packages publish{number}uswest2"));
    assert!(positions[1] < publish(1) && publish(1) < positions[8]);
    assert!(positions[9] < publish(2) && publish(2) < positions[11]);
    let log = app.log(&execution, "prod deploy").await;
    assert!(log.contains("[INFO] Flushing /etc.clientlibs\n"), "{log}");
}

#[tokio::test]
async fn dispatchers_stay_in_the_load_balancer_where_that_is_skipped() {
    let app = TestApp::immediate().await;
    for (pipeline, expected) in [(DEV, false), (DETACHING, true)] {
        let execution = app.start(pipeline).await;
        let done = done(&app.execution(&execution).await, "dev deploy");
        assert_eq!(done.iter().any(|one| one.starts_with("manage-elb-links")), expected);
        assert_eq!(app.log(&execution, "dev deploy").await.contains("load balancer"), expected);
    }
}

#[tokio::test]
async fn kept_bodies_are_those_of_the_moment() {
    let app = TestApp::new().await;
    let entry = json!({"action": "deploy", "environmentType": "stage", "outcome": "PAUSED"});
    app.scenario(PRODUCTION, &json!({ "steps": [entry] })).await;
    let execution = app.start(PRODUCTION).await;
    for moment in 0..300 {
        // Twice: once made, once kept.
        for _ in 0..2 {
            let shown = app.execution(&execution).await;
            for step in shown.steps() {
                let href = step["_links"]["self"]["href"].as_str().unwrap();
                assert_eq!(app.get(href).await.json(), *step, "{moment}");
            }
        }
        let shown = app.execution(&execution).await;
        let waiting = shown.steps().iter().find(|step| step["status"] == "WAITING");
        match waiting.and_then(|step| step["action"].as_str()) {
            Some("deploy") if moment % 7 == 0 => {
                let body = json!({"resume": true});
                app.accept(&execution, "stage deploy", "pipeline/advance", &body).await;
            }
            Some("approval") => {
                let body = json!({"approved": true});
                app.accept(&execution, "prod approval", "pipeline/advance", &body).await;
            }
            _ => {}
        }
        app.advance("PT0.133S").await;
    }
    assert_eq!(app.execution(&execution).await.status(), "FINISHED");
}

#[tokio::test]
async fn a_failing_command_fails_the_deployment_and_dispatchers_come_back() {
    let app = TestApp::new().await;
    let failure = json!([{"command": "install-client-packages", "instance": "publish2uswest2",
        "message": "Repository is read-only"}]);
    let shown = failing(&app, PRODUCTION, "prod", failure).await;
    assert_eq!(shown.status(), "FAILED");
    assert_eq!(shown.step("prod deploy")["status"], "FAILED");
    assert_eq!(
        shown.step("prod deploy")["details"]["message"],
        "install-client-packages failed on publish2uswest2: Repository is read-only"
    );
    let described = list(&shown, "prod deploy", "deploymentStepDescription");
    let failed: Vec<_> = described.iter().filter(|one| one.get("error").is_some()).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["error"], "Repository is read-only");
    assert!(detached(&done(&shown, "prod deploy")).is_empty());
    let log = log_of(&app, &shown, "prod deploy").await;
    for line in [
        "[ERROR] Repository is read-only\n",
        "[ERROR] End install-client-packages for publish2uswest2: failed\n",
        "[INFO] Begin manage-elb-links-attach for dispatcher2uswest2 to recover\n",
        "[WARN] publish2uswest2: nothing was installed\n",
        "[WARN] dispatcher1uswest2: in the load balancer; the new configuration is in service\n",
        "[WARN] dispatcher2uswest2: in the load balancer; the configuration is unchanged\n",
        "[WARN] author1uswest2: installed ",
        "[ERROR] Failed\n",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
    let again = app.start(PRODUCTION).await;
    assert_eq!(app.execution(&again).await.status(), "RUNNING");
}

#[tokio::test]
async fn a_configuration_that_is_broken_is_taken_back() {
    let app = TestApp::new().await;
    let failure = json!([{"command": "test-dispatcher-configuration"}]);
    let shown = failing(&app, DETACHING, "dev", failure).await;
    assert_eq!(shown.status(), "FAILED");
    let done = done(&shown, "dev deploy");
    let recovery = [
        "test-dispatcher-configuration",
        "restore-backup",
        "reload-dispatcher",
        "manage-elb-links-attach",
    ]
    .map(|command| position(&done, &format!("{command} dispatcher1uswest2")));
    assert!(recovery.is_sorted(), "{done:#?}");
    let log = log_of(&app, &shown, "dev deploy").await;
    assert!(log.contains("[ERROR] Syntax error in /etc/httpd/conf.d\n"), "{log}");
    let state = "dispatcher1uswest2: in the load balancer; the configuration was restored from its backup\n";
    assert!(log.contains(state), "{log}");
}

#[tokio::test]
async fn a_paused_deployment_is_resumed_or_stopped_with_all_dispatchers_attached() {
    let app = TestApp::new().await;
    let entry = json!({"action": "deploy", "environmentType": "prod", "outcome": "PAUSED"});
    app.scenario(PRODUCTION, &json!({ "steps": [entry] })).await;
    for (resume, status) in [(true, "FINISHED"), (false, "CANCELLED")] {
        let execution = production(&app).await;
        app.advance("P1D").await;
        let paused = app.execution(&execution).await;
        assert_eq!(paused.step("prod deploy")["status"], "WAITING");
        let before = done(&paused, "prod deploy");
        assert_eq!(detached(&before).len(), 1, "in the middle of a pair");
        let body = json!({ "resume": resume });
        app.accept(&execution, "prod deploy", "pipeline/advance", &body).await;
        app.advance("P1D").await;
        let after = app.execution(&execution).await;
        assert_eq!(after.step("prod deploy")["status"], status);
        let all = done(&after, "prod deploy");
        assert_eq!(all[..before.len()], before[..]);
        assert!(detached(&all).is_empty(), "{all:#?}");
        let log = log_of(&app, &after, "prod deploy").await;
        assert_eq!(log.contains("to recover"), !resume, "{log}");
        assert_eq!(
            log.contains("[WARN] dispatcher1uswest2: in the load balancer; "),
            !resume,
            "{log}"
        );
    }
}

#[tokio::test]
async fn failures_that_can_not_be_are_refused_with_the_reason() {
    let app = TestApp::new().await;
    let scenario = "/_emulator/program/4/pipeline/1/scenario";
    let deploy = |environment: &str, failure: Value| json!({"steps": [{"action": "deploy", "environmentType": environment, "failures": [failure]}]});
    let on = |command: &str, instance: &str| json!({"command": command, "instance": instance});
    for (body, said) in [
        (
            deploy("prod", on("perform-backup", "author1uswest2")),
            "perform-backup is not performed on author1uswest2",
        ),
        (
            deploy("prod", on("install-client-packages", "publish3uswest2")),
            "it is performed on author1uswest2",
        ),
        (
            deploy("stage", json!({"command": "flush-dispatcher-cache"})),
            "the deployment has no command flush-dispatcher-cache",
        ),
        (
            deploy("stage", json!({"command": "manage-elb-links-detach"})),
            "the deployment has no command",
        ),
        (deploy("prod", json!({"command": "restore-backup"})), "is only performed during recovery"),
        (
            json!({"steps": [{"action": "build", "failures": [{"command": "perform-backup"}]}]}),
            "only deployments have commands that fail",
        ),
        (
            json!({"steps": [{"action": "deploy", "outcome": "PAUSED", "failures": [{"command": "perform-backup"}]}]}),
            "are only allowed with the outcome FAILED or ERROR",
        ),
        (deploy("prod", json!({"command": "dance"})), "command: must be one of"),
        (deploy("prod", json!({})), "command"),
        (deploy("prod", json!({"command": "perform-backup", "when": "now"})), "when"),
        (deploy("prod", Value::Null), "steps[0]"),
        (deploy("prod", json!({"command": "perform-backup", "message": 5})), "steps[0]"),
    ] {
        let answer = app.put(scenario, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(answer.errors().contains(said), "{said}: {}", answer.errors());
    }
    assert_eq!(app.get(scenario).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn failures_can_be_the_systems_fault() {
    let app = TestApp::new().await;
    let entry = json!({"action": "deploy", "outcome": "ERROR", "message": "Out of instances.",
        "failures": [{"command": "reload-dispatcher"}]});
    app.scenario(DETACHING, &json!({ "steps": [entry] })).await;
    let execution = app.start(DETACHING).await;
    app.advance("PT1M").await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.status(), "ERROR");
    assert_eq!(shown.step("dev deploy")["details"]["message"], "Out of instances.");
    assert!(detached(&done(&shown, "dev deploy")).is_empty());
}
