//! `GET /_emulator/program/{id}/environment/{id}/instances`

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{PRODUCTION, TestApp};

const DEV: &str = "/api/program/4/pipeline/2";

pub const DEV_ENVIRONMENT: &str = "59252";

pub const PROD_ENVIRONMENT: &str = "59254";

fn path(environment: &str) -> String {
    format!("/_emulator/program/4/environment/{environment}/instances")
}

pub async fn instances(app: &TestApp, environment: &str) -> Value {
    let answer = app.get(&path(environment)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()["instances"].take()
}

pub async fn instance(app: &TestApp, environment: &str, id: &str) -> Value {
    let all = instances(app, environment).await;
    let found = all.as_array().unwrap().iter().find(|one| one["instanceId"] == id);
    found.unwrap_or_else(|| panic!("{id}: {all:#}")).clone()
}

/// The executions that deployed what an instance has now, each once.
pub async fn deployed_by(app: &TestApp, environment: &str, id: &str) -> Vec<String> {
    let instance = instance(app, environment, id).await;
    let parts = instance["packages"].as_array().or(instance["files"].as_array()).unwrap();
    let mut found: Vec<_> =
        parts.iter().filter_map(|one| Some(one["executionId"].as_str()?.to_owned())).collect();
    found.sort();
    found.dedup();
    found
}

pub fn id_of(execution: &str) -> String {
    execution.rsplit('/').next().unwrap().to_owned()
}

pub async fn commit(app: &TestApp, branch: &str) {
    let commits = format!("/_emulator/program/4/repository/1/branch/{branch}/commits");
    let answer = app.post(&commits, &json!({})).await;
    assert!(answer.status.is_success(), "{answer:?}");
}

/// Starts a production pipeline, and approves going live.
pub async fn production(app: &TestApp) -> String {
    let execution = app.start(PRODUCTION).await;
    app.advance("PT1M").await;
    app.accept(&execution, "prod approval", "pipeline/advance", &json!({"approved": true})).await;
    execution
}

pub async fn pause_production(app: &TestApp) {
    let entry = json!({"action": "deploy", "environmentType": "prod", "outcome": "PAUSED"});
    app.scenario(PRODUCTION, &json!({"times": 1, "steps": [entry]})).await;
}

#[tokio::test]
async fn new_instances_are_as_provisioned() {
    let app = TestApp::new().await;
    let all = instances(&app, PROD_ENVIRONMENT).await;
    let ids: Vec<_> = all.as_array().unwrap().iter().map(|it| &it["instanceId"]).collect();
    assert_eq!(
        ids,
        [
            "author1uswest2",
            "publish1uswest2",
            "publish2uswest2",
            "dispatcher1uswest2",
            "dispatcher2uswest2"
        ]
    );
    let author = json!({"instanceId": "author1uswest2", "instanceType": "author", "packages": []});
    assert_eq!(all[0], author);
    let dispatcher = &all[4];
    assert_eq!(dispatcher["attached"], true);
    assert_eq!(dispatcher.get("cacheFlush"), None);
    let files = dispatcher["files"].as_array().unwrap();
    let baseline = json!({"path": "conf/httpd.conf", "origin": "baseline"});
    assert!(files.contains(&baseline), "{dispatcher:#}");
    assert!(files.iter().all(|file| file["origin"] != "artifact"));
    for wrong in ["/_emulator/program/4/environment/1", "/_emulator/program/9/environment/59252"] {
        let answer = app.get(&format!("{wrong}/instances")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{wrong}");
    }
}

#[tokio::test]
async fn deployments_replace_what_earlier_ones_left() {
    let app = TestApp::immediate().await;
    let mut versions = Vec::new();
    for _ in 0..2 {
        let execution = app.start(DEV).await;
        let author = instance(&app, DEV_ENVIRONMENT, "author1uswest2").await;
        let packages = author["packages"].as_array().unwrap();
        let names: Vec<_> = packages.iter().map(|one| &one["name"]).collect();
        assert_eq!(names, ["weretail.ui.apps", "weretail.ui.content"]);
        for one in packages {
            assert_eq!(one["executionId"], id_of(&execution));
            assert_eq!(one["builtBy"], id_of(&execution));
            assert_eq!(one["group"], "weretail");
        }
        versions.push(packages[0]["version"].clone());
        let dispatcher = instance(&app, DEV_ENVIRONMENT, "dispatcher1uswest2").await;
        let files = dispatcher["files"].as_array().unwrap();
        assert!(files.iter().all(|file| file["origin"] != "provisioning"), "{files:#?}");
        let deployed = files.iter().find(|file| file["origin"] == "artifact").unwrap();
        assert_eq!(deployed["executionId"], id_of(&execution));
        let artifact = deployed["artifact"].as_str().unwrap();
        assert!(artifact.starts_with("weretail.dispatcher.ams-"), "{artifact}");
        commit(&app, "develop").await;
    }
    assert_ne!(versions[0], versions[1]);
}

#[tokio::test]
async fn a_failed_deployment_leaves_what_it_had_done_and_restores_the_configuration() {
    let app = TestApp::immediate().await;
    let good = id_of(&app.start(DEV).await);
    commit(&app, "develop").await;
    let entry = json!({"action": "deploy",
        "failures": [{"command": "test-dispatcher-configuration"}]});
    app.scenario(DEV, &json!({"times": 1, "steps": [entry]})).await;
    let bad = app.start(DEV).await;
    assert_eq!(app.execution(&bad).await.status(), "FAILED");
    let log = app.log(&bad, "dev deploy").await;
    assert_eq!(deployed_by(&app, DEV_ENVIRONMENT, "author1uswest2").await, [id_of(&bad)]);
    assert_eq!(deployed_by(&app, DEV_ENVIRONMENT, "dispatcher1uswest2").await, [good]);
    let third = id_of(&app.start(DEV).await);
    assert_eq!(deployed_by(&app, DEV_ENVIRONMENT, "dispatcher1uswest2").await, [third]);
    assert_eq!(app.log(&bad, "dev deploy").await, log, "old logs never change");
}

#[tokio::test]
async fn production_flushes_each_cache_with_every_deployment() {
    let app = TestApp::new().await;
    for (paths, expected) in [
        (json!(["/etc.clientlibs", "/content"]), json!(["/etc.clientlibs", "/content"])),
        (json!([]), json!(["/"])),
    ] {
        let deploy = json!({"name": "deploy", "options": {"dispatcherCacheFlushPaths": paths}});
        let update = json!({"phases": [{"type": "DEPLOY", "name": "DEPLOY_2", "steps": [deploy]}]});
        assert_eq!(app.patch(PRODUCTION, &update).await.status, StatusCode::OK);
        let execution = production(&app).await;
        app.advance("PT1M").await;
        for id in ["dispatcher1uswest2", "dispatcher2uswest2"] {
            let flush = instance(&app, PROD_ENVIRONMENT, id).await["cacheFlush"].take();
            assert_eq!(flush["paths"], expected);
            assert_eq!(flush["executionId"], id_of(&execution));
        }
    }
    // One path of one dispatcher can fail.
    let deploy = json!({"name": "deploy", "options": {"dispatcherCacheFlushPaths": ["/a", "/b"]}});
    let update = json!({"phases": [{"type": "DEPLOY", "name": "DEPLOY_2", "steps": [deploy]}]});
    app.patch(PRODUCTION, &update).await;
    let failure = json!({"command": "flush-dispatcher-cache", "subject": "/b",
        "instance": "dispatcher2uswest2"});
    let entry = json!({"action": "deploy", "environmentType": "prod", "failures": [failure]});
    app.scenario(PRODUCTION, &json!({"steps": [entry]})).await;
    production(&app).await;
    app.advance("PT1M").await;
    for (id, paths) in
        [("dispatcher1uswest2", json!(["/a", "/b"])), ("dispatcher2uswest2", json!(["/a"]))]
    {
        let dispatcher = instance(&app, PROD_ENVIRONMENT, id).await;
        assert_eq!(dispatcher["cacheFlush"]["paths"], paths);
        assert_eq!(dispatcher["attached"], true);
    }
}

#[tokio::test]
async fn a_running_deployment_is_shown_as_of_now_and_a_stopped_one_leaves_what_it_had_done() {
    let app = TestApp::new().await;
    let first = id_of(&production(&app).await);
    app.advance("PT1M").await;
    commit(&app, "main").await;
    pause_production(&app).await;
    let second = production(&app).await;
    app.advance("P1D").await;
    assert_eq!(app.execution(&second).await.step("prod deploy")["status"], "WAITING");
    let new = [id_of(&second)];
    let attached = |all: &Value| [3, 4].map(|place| all[place]["attached"].as_bool().unwrap());
    let all = instances(&app, PROD_ENVIRONMENT).await;
    assert_eq!(attached(&all).iter().filter(|attached| !**attached).count(), 1, "{all:#}");
    assert_eq!(deployed_by(&app, PROD_ENVIRONMENT, "author1uswest2").await, new);
    assert_eq!(
        deployed_by(&app, PROD_ENVIRONMENT, "publish2uswest2").await,
        std::slice::from_ref(&first)
    );

    let app = app.restarted().await;
    assert_eq!(instances(&app, PROD_ENVIRONMENT).await, all, "after a restart");
    app.accept(&second, "prod deploy", "pipeline/advance", &json!({"resume": false})).await;
    let stopped = instances(&app, PROD_ENVIRONMENT).await;
    assert_eq!(attached(&stopped), [true; 2]);
    assert_eq!(deployed_by(&app, PROD_ENVIRONMENT, "author1uswest2").await, new);
    assert_eq!(
        deployed_by(&app, PROD_ENVIRONMENT, "publish2uswest2").await,
        std::slice::from_ref(&first)
    );
    assert_eq!(deployed_by(&app, PROD_ENVIRONMENT, "dispatcher2uswest2").await, [first]);
    let app = app.restarted().await;
    app.advance("P14D").await;
    assert_eq!(instances(&app, PROD_ENVIRONMENT).await, stopped);

    // A re-execution takes the same artifacts.
    let shown = app.execution(&second).await;
    let href = shown.link("prod deploy", "pipeline/reExecute").unwrap();
    let again = app.request(Method::PUT, &href, "").await;
    assert_eq!(again.status, StatusCode::CREATED, "{again:?}");
    let again = again.json()["id"].as_str().unwrap().to_owned();
    app.advance("P1D").await;
    let author = instance(&app, PROD_ENVIRONMENT, "author1uswest2").await;
    assert_eq!(author["packages"][0]["executionId"], again);
    assert_eq!(author["packages"][0]["builtBy"], new[0]);
    assert_eq!(deployed_by(&app, PROD_ENVIRONMENT, "dispatcher2uswest2").await, [again]);
}

#[tokio::test]
async fn history_is_remembered_only_where_nothing_was_deployed() {
    let app = TestApp::immediate().await;
    let dev = instances(&app, DEV_ENVIRONMENT).await;
    let history = |pipeline: &str, count: u32| {
        let path = format!("{}/history", pipeline.replace("/api/", "/_emulator/"));
        let app = &app;
        async move {
            let answer = app.post(&path, &json!({ "count": count })).await;
            assert!(answer.status.is_success(), "{answer:?}");
            answer.json()
        }
    };
    history(DEV, 3).await;
    assert_eq!(instances(&app, DEV_ENVIRONMENT).await, dev, "only stage and production");
    let added = history(PRODUCTION, 3).await;
    let newest = app.get(&format!("{PRODUCTION}/executions")).await.json();
    let newest = newest["_embedded"]["executions"][0]["id"].as_str().unwrap().to_owned();
    let before = instances(&app, PROD_ENVIRONMENT).await;
    assert_eq!(
        deployed_by(&app, PROD_ENVIRONMENT, "author1uswest2").await,
        std::slice::from_ref(&newest)
    );
    assert_eq!(deployed_by(&app, "59253", "dispatcher1uswest2").await, [newest], "{added}");
    history(PRODUCTION, 5).await;
    assert_eq!(instances(&app, PROD_ENVIRONMENT).await, before);
}

#[tokio::test]
async fn a_reset_and_deletions_forget() {
    let app = TestApp::immediate().await;
    let new = instances(&app, DEV_ENVIRONMENT).await;
    app.start(DEV).await;
    assert_ne!(instances(&app, DEV_ENVIRONMENT).await, new);
    app.post("/_emulator/reset", &json!({})).await;
    assert_eq!(instances(&app, DEV_ENVIRONMENT).await, new);

    app.start(DEV).await;
    let environment = format!("/api/program/4/environment/{DEV_ENVIRONMENT}");
    assert!(app.delete(&environment).await.status.is_success());
    assert_eq!(app.query("SELECT count(*) FROM environment_memories").await, 0);
    let again = json!({"id": DEV_ENVIRONMENT, "name": "again", "type": "dev"});
    let added = app.post("/_emulator/program/4/environments", &again).await;
    assert_eq!(added.status, StatusCode::CREATED, "{added:?}");
    assert_eq!(instances(&app, DEV_ENVIRONMENT).await, new);

    let seed = serde_saphyr::from_str::<Value>(include_str!("../../../src/seed/demo.yaml"));
    production(&app).await;
    assert_eq!(app.query("SELECT count(*) FROM environment_memories").await, 2);
    assert!(app.delete("/api/program/4").await.status.is_success());
    let added = app.post("/_emulator/seed", &seed.unwrap()).await;
    assert!(added.status.is_success(), "{added:?}");
    assert_eq!(app.query("SELECT count(*) FROM environment_memories").await, 0);
    assert_eq!(instances(&app, DEV_ENVIRONMENT).await, new);
}

#[tokio::test]
async fn a_memory_stays_as_large_as_it_is_however_often_is_deployed() {
    for immediate in [true, false] {
        let app = if immediate { TestApp::immediate().await } else { TestApp::new().await };
        let mut sizes = Vec::new();
        for number in 1..=150 {
            app.start(DEV).await;
            app.advance("PT1M").await;
            if number % 50 == 0 {
                assert!(
                    app.query(
                        "SELECT max(json_array_length(deployments)) FROM environment_memories"
                    )
                    .await
                        <= 65
                );
                sizes.push(
                    app.query("SELECT max(length(instances)) FROM environment_memories").await,
                );
            }
        }
        assert_eq!(sizes[1], sizes[2]);
    }
}

#[tokio::test]
async fn the_executions_of_a_deleted_pipeline_are_remembered() {
    let app = TestApp::new().await;
    let execution = app.start(DEV).await;
    app.advance("PT1M").await;
    let before = instances(&app, DEV_ENVIRONMENT).await;
    assert_eq!(deployed_by(&app, DEV_ENVIRONMENT, "author1uswest2").await, [id_of(&execution)]);
    assert!(app.delete(DEV).await.status.is_success());
    let purger = app.run_purger();
    while app.query("SELECT count(*) FROM executions").await > 0 {
        tokio::task::yield_now().await;
    }
    purger.abort();
    assert_eq!(instances(&app, DEV_ENVIRONMENT).await, before);
    let app = app.restarted().await;
    assert_eq!(instances(&app, DEV_ENVIRONMENT).await, before);
}
