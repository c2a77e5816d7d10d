//! `PATCH` and `DELETE` of a pipeline, and its cache.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{CODE_QUALITY, OVERSEEN, PRODUCTION, TestApp};

/// The pipeline that deploys to dev.
const DEV: &str = "/api/program/4/pipeline/2";

/// A phase of a pipeline as the API shows it.
async fn phase(app: &TestApp, pipeline: &str, name: &str) -> Value {
    let shown = app.get(pipeline).await.json();
    let phases = shown["phases"].as_array().unwrap();
    phases.iter().find(|phase| phase["name"] == name).unwrap().clone()
}

async fn change(app: &TestApp, pipeline: &str, phase: Value) -> Value {
    let answer = app.patch(pipeline, &json!({ "phases": [phase] })).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.json(), app.get(pipeline).await.json());
    answer.json()
}

#[tokio::test]
async fn only_what_is_sent_changes_and_it_stays() {
    let app = TestApp::new().await;
    let before = app.get(PRODUCTION).await.json();
    app.advance("PT1M").await;
    let after = change(&app, PRODUCTION, json!({"type": "BUILD", "branch": "develop"})).await;
    let mut expected = before.clone();
    expected["phases"][1]["branch"] = json!("develop");
    expected["updatedAt"] = json!("2026-03-05T10:01:00.000+0000");
    assert_eq!(after, expected);
    let app = app.restarted().await;
    assert_eq!(app.get(PRODUCTION).await.json(), expected);
    let listed = app.get("/api/program/4/pipelines").await.json();
    assert_eq!(listed["_embedded"]["pipelines"][0]["phases"][1]["branch"], "develop");
}

#[tokio::test]
async fn whole_phases_can_be_sent_back_as_the_sdk_does() {
    let app = TestApp::new().await;
    let before = app.get(PRODUCTION).await.json();
    for name in ["VALIDATE", "BUILD_1", "DEPLOY_1", "DEPLOY_2"] {
        let same = phase(&app, PRODUCTION, name).await;
        assert_eq!(change(&app, PRODUCTION, same).await["phases"], before["phases"]);
    }
    let all = app.patch(PRODUCTION, &json!({"phases": before["phases"]})).await;
    assert_eq!(all.json()["phases"], before["phases"]);
    let mut build = phase(&app, PRODUCTION, "BUILD_1").await;
    build["branch"] = json!("refs/tags/release-1.0");
    let after = change(&app, PRODUCTION, build).await;
    assert_eq!(after["phases"][1]["branch"], "refs/tags/release-1.0");
    for nothing in [json!({"phases": []}), json!({}), before] {
        assert_eq!(app.patch(PRODUCTION, &nothing).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn the_next_execution_does_as_the_changed_pipeline_says() {
    let app = TestApp::immediate().await;
    let flush = json!({"name": "deploy", "options": {
        "dispatcherCacheFlushPaths": ["/content/b"], "dispatcherCacheInvalidationPaths": ["/content/c", "/d"]}});
    change(&app, DEV, json!({"type": "BUILD", "branch": "main"})).await;
    change(&app, DEV, json!({"type": "DEPLOY", "steps": [flush]})).await;
    let after = app.get(DEV).await.json();
    let options = &after["phases"][2]["steps"][0]["options"];
    assert_eq!(options["skipDetachingDispatchers"], true, "what is not sent stays");
    let execution = app.start(DEV).await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.step("build")["branch"], "main");
    let log = app.log(&execution, "dev deploy").await;
    assert!(log.contains("[INFO] Flushing /content/b\n"), "{log}");
    for path in ["/content/c", "/d"] {
        assert!(log.contains(&format!("[INFO] Invalidating {path}\n")), "{log}");
    }
}

#[tokio::test]
async fn a_branch_need_not_exist_until_it_is_built() {
    let app = TestApp::immediate().await;
    change(&app, CODE_QUALITY, json!({"type": "BUILD", "branch": "feature/new"})).await;
    let execution = app.start(CODE_QUALITY).await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.progress(), ["validate:FAILED"]);
    let message = "feature/new does not exist in the repository weretail.";
    assert_eq!(shown.step("validate")["details"]["message"], message);
}

#[tokio::test]
async fn another_repository_without_a_branch_means_master() {
    let seed = include_str!("../../../src/seed/demo.yaml").replace(
        "        tags:\n",
        "        tags:\n          x: abc\n      - { id: \"3\", repo: other, branches: { master: def } }\n      - id: \"9\"\n        repo: last\n        tags:\n",
    );
    let seed = cloudmanager_emulator::seed::read(&seed).unwrap();
    let pace = cloudmanager_emulator::domain::pace::Pace::Immediate;
    let app = TestApp::with(pace, seed).await;
    let after = change(&app, CODE_QUALITY, json!({"type": "BUILD", "repositoryId": "3"})).await;
    assert_eq!(after["phases"][1]["branch"], "master");
    let both = json!({"type": "BUILD", "repositoryId": "1", "branch": "main"});
    assert_eq!(change(&app, CODE_QUALITY, both).await["phases"][1]["branch"], "main");
    let same = json!({"type": "BUILD", "repositoryId": "1"});
    assert_eq!(change(&app, CODE_QUALITY, same).await["phases"][1]["branch"], "main");
}

#[tokio::test]
async fn every_mistake_is_listed_and_nothing_is_changed() {
    let app = TestApp::new().await;
    let before = app.get(PRODUCTION).await.json();
    let paths = |count: usize| (0..count).map(|n| json!(format!("/p{n}"))).collect::<Value>();
    let flush =
        |count| json!({"name": "deploy", "options": {"dispatcherCacheFlushPaths": paths(count)}});
    let build = |field: &str, value: &str| json!({"type": "BUILD", field: value});
    let deploy = |environment: &str| json!({"type": "DEPLOY", "name": "DEPLOY_1", "environmentId": environment});
    for (phases, said) in [
        (
            json!([{"type": "BUILD", "name": "BUILD_2"}]),
            "phases[0].name: the pipeline has no such BUILD phase",
        ),
        (json!([{"type": "TEST"}]), "phases[0].type: the pipeline has no such TEST phase"),
        (
            json!([{"type": "BUILD", "name": "VALIDATE"}]),
            "phases[0].name: the pipeline has no such BUILD phase",
        ),
        (
            json!([{"type": "DEPLOY", "environmentId": "59253"}]),
            "phases[0].name: must be given: the pipeline has several phases of this type",
        ),
        (
            json!([build("repositoryId", "2")]),
            "phases[0].repositoryId: the program has no such repository",
        ),
        (
            json!([build("repositoryId", "x")]),
            "phases[0].repositoryId: the program has no such repository",
        ),
        (
            json!([build("branch", "")]),
            "phases[0].branch: must have 1 to 255 characters and no control characters",
        ),
        (json!([deploy("59263")]), "phases[0].environmentId: the program has no such environment"),
        (json!([deploy("59254")]), "phases[0].environmentId: must be a stage environment"),
        (
            json!([build("branch", "a"), build("branch", "b")]),
            "phases[1].name: the phase is listed twice",
        ),
        (
            json!([{"type": "DEPLOY", "name": "DEPLOY_2", "steps": [flush(1), {}]}]),
            "phases[0].steps[1].name: the step is listed twice",
        ),
        (
            json!([{"type": "DEPLOY", "name": "DEPLOY_2", "steps": [flush(101)]}]),
            "phases[0].steps[0].options: dispatcherCacheFlushPaths has more than 100 paths",
        ),
        (
            json!([{"type": "BUILD", "steps": [flush(1)]}]),
            "phases[0].steps[0].name: the phase has no such step",
        ),
        (
            json!([{"type": "DEPLOY", "name": "DEPLOY_1", "steps": [
            {"name": "loadTest", "options": {"dispatcherCacheFlushPaths": []}}]}]),
            "phases[0].steps[0].options: dispatcherCacheFlushPaths is not an option of the step loadTest",
        ),
        (
            json!([build("branch", "good"), deploy("0"), {"type": "BUILD", "name": "no"}]),
            "phases[1].environmentId: the program has no such environment; \
             phases[2].name: the pipeline has no such BUILD phase",
        ),
    ] {
        let answer = app.patch(PRODUCTION, &json!({ "phases": phases })).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{phases}");
        assert_eq!(answer.errors(), said, "{phases}");
        assert_eq!(app.get(PRODUCTION).await.json(), before);
    }
    let hundred = json!({"type": "DEPLOY", "name": "DEPLOY_2", "steps": [flush(100)]});
    change(&app, PRODUCTION, hundred).await;
}

#[tokio::test]
async fn what_can_t_be_changed_must_be_repeated_as_it_is() {
    let app = TestApp::new().await;
    let before = app.get(PRODUCTION).await.json();
    let kept = "can't be changed; omit it or send its current value";
    let deploy = |fields: Value| {
        let mut phase = json!({"type": "DEPLOY", "name": "DEPLOY_1"});
        phase.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({ "phases": [phase] })
    };
    let option =
        |step: &str, options: Value| deploy(json!({"steps": [{"name": step, "options": options}]}));
    for (body, said) in [
        (json!({"name": "Other"}), format!("name: {kept}")),
        (json!({"trigger": "ON_COMMIT", "phases": []}), format!("trigger: {kept}")),
        (json!({"id": 1}), format!("id: {kept}")),
        (
            json!({"branch": "x"}),
            "branch: can't be changed; fields that can be changed: phases".into(),
        ),
        (
            json!({"phases": [{"type": "BUILD", "branch": "x", "environmentId": "59253"}]}),
            "phases[0].environmentId: can't be changed; fields that can be changed: repositoryId, \
             branch, steps"
                .into(),
        ),
        (deploy(json!({"environmentType": "prod"})), format!("phases[0].environmentType: {kept}")),
        (
            deploy(json!({"branch": "x"})),
            "phases[0].branch: can't be changed; fields that can be changed: environmentId, steps"
                .into(),
        ),
        (
            option("deploy", json!({"skipDetachingDispatchers": false})),
            format!("phases[0].steps[0].options.skipDetachingDispatchers: {kept}"),
        ),
        (
            option("loadTest", json!({"popularPagesWeight": 5})),
            "phases[0].steps[0].options.popularPagesWeight: can't be changed; fields \
             that can be changed: dispatcherCacheInvalidationPaths, dispatcherCacheFlushPaths"
                .into(),
        ),
        (
            option("approval", json!({})),
            "phases[0].steps[0].name: the phase has no such step".into(),
        ),
        (
            json!({"phases": [{"type": "BUILD", "steps": [{}]}]}),
            "phases[0].steps[0].name: the phase has no such step".into(),
        ),
    ] {
        let answer = app.patch(PRODUCTION, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.errors(), said, "{body}");
        assert_eq!(app.get(PRODUCTION).await.json(), before);
    }
    for body in [
        json!({"name": before["name"], "phases": []}),
        json!({"description": null}),
        option("deploy", json!({"skipDetachingDispatchers": true})),
        deploy(json!({"environmentType": "stage"})),
    ] {
        assert_eq!(app.patch(PRODUCTION, &body).await.status, StatusCode::OK, "{body}");
    }
}

#[tokio::test]
async fn paths_on_dispatchers_are_checked_when_they_are_set() {
    let app = TestApp::new().await;
    let long = format!("/{}", "x".repeat(2048));
    for wrong in ["", "content", "http://x/", "/a b", "/a\nb", &long] {
        for name in ["dispatcherCacheFlushPaths", "dispatcherCacheInvalidationPaths"] {
            let steps = json!([{"name": "deploy", "options": {name: ["/content", wrong]}}]);
            let update = json!({"phases": [{"type": "DEPLOY", "steps": steps}]});
            let answer = app.patch(DEV, &update).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
            let errors = answer.errors();
            assert!(
                errors.starts_with(&format!("phases[0].steps[0].options: {name}: ")),
                "{errors}"
            );
            assert!(errors.ends_with("is no path that begins with a slash"), "{errors}");
        }
    }
    let steps =
        json!([{"name": "deploy", "options": {"dispatcherCacheFlushPaths": [&long[..2048]]}}]);
    change(&app, DEV, json!({"type": "DEPLOY", "steps": steps})).await;

    // A new pipeline, too.
    let steps = json!([{"name": "deploy", "options": {"dispatcherCacheFlushPaths": ["content"]}}]);
    let phases = json!([{"type": "VALIDATE"},
        {"type": "BUILD", "repositoryId": "1", "branch": "main"},
        {"type": "DEPLOY", "environmentId": "59252", "steps": steps}]);
    let pipeline = json!({"id": "9", "name": "New", "phases": phases});
    let answer = app.post("/_emulator/program/4/pipelines", &pipeline).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
    let said = "dispatcherCacheFlushPaths: \"content\" is no path that begins with a slash";
    assert!(answer.errors().contains(said), "{}", answer.errors());
}

#[tokio::test]
async fn bodies_of_another_shape_are_refused() {
    let app = TestApp::new().await;
    for body in [
        "",
        "null",
        "[]",
        "5",
        r#"{"phases":null}"#,
        r#"{"phases":{}}"#,
        r#"{"phases":[null]}"#,
        r#"{"phases":[{}]}"#,
        r#"{"phases":[{"type":5}]}"#,
        r#"{"phases":[{"type":null}]}"#,
        r#"{"phases":[{"type":"BUILD","branch":7}]}"#,
        r#"{"phases":[{"type":"BUILD","repositoryId":1}]}"#,
        r#"{"phases":[{"type":"BUILD","steps":{}}]}"#,
        r#"{"phases":[{"type":"BUILD","steps":[{"options":[]}]}]}"#,
        r#"{"phases":[{"type":"BUILD","steps":[{"options":{"dispatcherCacheFlushPaths":"/"}}]}]}"#,
        r#"{"phases":[{"type":"BUILD","steps":[{"options":{"dispatcherCacheFlushPaths":[1e99]}}]}]}"#,
    ] {
        let answer = app.request(Method::PATCH, PRODUCTION, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
    }
}

#[tokio::test]
async fn any_branch_name_is_kept_as_it_is() {
    let app = TestApp::immediate().await;
    for branch in ["../../etc/passwd", "a b", "%2F", "\u{1f980}", "'--", &"x".repeat(255)] {
        change(&app, CODE_QUALITY, json!({"type": "BUILD", "branch": branch})).await;
        let execution = app.start(CODE_QUALITY).await;
        assert_eq!(app.execution(&execution).await.step("build")["branch"], branch);
        let message =
            app.execution(&execution).await.step("validate")["details"]["message"].clone();
        assert!(message.as_str().unwrap().contains(branch));
    }
    let before = app.get(CODE_QUALITY).await.json();
    for branch in ["a\nb", "\u{0}", "\u{1b}[31m", &"x".repeat(256)] {
        let update = json!({"phases": [{"type": "BUILD", "branch": branch}]});
        let answer = app.patch(CODE_QUALITY, &update).await;
        let expected = "phases[0].branch: must have 1 to 255 characters and no control characters";
        assert_eq!(answer.errors(), expected);
    }
    let app = app.restarted().await;
    assert_eq!(app.get(CODE_QUALITY).await.json()["phases"], before["phases"]);
}

#[tokio::test]
async fn a_running_pipeline_is_not_changed() {
    let app = TestApp::new().await;
    let execution = app.start(OVERSEEN).await;
    app.advance("PT20S").await;
    let before = app.get(OVERSEEN).await.json();
    assert_eq!(before["status"], "BUSY");
    let update = json!({"phases": [{"type": "BUILD", "branch": "develop"}]});
    let answer = app.patch(OVERSEEN, &update).await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(app.delete(OVERSEEN).await.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(app.get(OVERSEEN).await.json(), before);
    app.accept(&execution, "stage approval", "pipeline/cancel", &json!({"approved": false})).await;
    assert_eq!(app.patch(OVERSEEN, &update).await.status, StatusCode::OK);
    assert_eq!(app.execution(&execution).await.step("build")["branch"], "main", "as it was");
}

#[tokio::test]
async fn an_emptied_cache_is_filled_by_the_next_build() {
    let app = TestApp::immediate().await;
    let disable = json!([{"name": "CM_DISABLE_BUILD_REUSE", "value": "true"}]);
    app.patch(&format!("{CODE_QUALITY}/variables"), &disable).await;
    let mut caches = Vec::new();
    for turn in 0..4 {
        if turn == 2 {
            let answer = app.delete(&format!("{CODE_QUALITY}/cache")).await;
            assert_eq!((answer.status, answer.bytes.len()), (StatusCode::NO_CONTENT, 0));
            app.advance("PT1S").await;
        }
        let execution = app.start(CODE_QUALITY).await;
        let log = app.log(&execution, "build").await;
        assert_eq!(log.contains("Downloading"), log.contains("dependencies is empty"));
        caches.push(log.contains("dependencies is restored"));
        app.advance("PT1S").await;
    }
    assert_eq!(caches, [false, true, false, true]);
    let missing = app.delete("/api/program/4/pipeline/99/cache").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}
