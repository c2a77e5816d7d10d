//! `builds` in seeds and scenarios.

use std::io::Cursor;

use axum::http::StatusCode;
use cloudmanager_emulator::app::read_seed;
use cloudmanager_emulator::domain::pace::Pace;
use cloudmanager_emulator::seed;
use serde_json::{Value, json};
use tempfile::TempDir;
use zip::ZipArchive;

use super::{DEV, DISPATCHER, PACKAGE, app_with, artifacts, demo_with, files, leaves, upload};
use crate::app::{PRODUCTION, TestApp, link};

/// The names in an artifact, and the text of one of its files.
async fn content(app: &TestApp, artifact: &Value, file: &str) -> (Vec<String>, String) {
    let bytes = app.download(&link(artifact, "self").unwrap()).await.bytes;
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let names = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    let mut text = String::new();
    if let Ok(mut entry) = archive.by_name(file) {
        std::io::Read::read_to_string(&mut entry, &mut text).unwrap();
    }
    (names, text)
}

#[tokio::test]
async fn a_repository_says_what_its_builds_leave() {
    let app = app_with(json!([
        {"package": "acme.ui.apps", "group": "com.acme", "version": "1.4.0"},
        {"package": "acme.ui.content", "dependsOn": ["acme.ui.apps", "com.acme:acme.ui.apps:[1.4,2)"]},
        {"dispatcher": "acme.dispatcher", "with": ["conf.d/available_vhosts/acme.vhost"],
            "without": ["conf.d/available_vhosts/aem_author.vhost"]},
    ]))
    .await;
    let execution = app.start(DEV).await;
    let artifacts = artifacts(&app, &execution).await;
    let version = app.get(&execution).await.json()["artifactsVersion"].as_str().unwrap().to_owned();
    assert_eq!(
        files(&app, &execution).await,
        [
            "acme.ui.apps-1.4.0.zip".to_owned(),
            format!("acme.ui.content-{version}.zip"),
            format!("acme.dispatcher-{version}.zip"),
        ]
    );
    let (_, properties) = content(&app, &artifacts[1], "META-INF/vault/properties.xml").await;
    for entry in [
        "<entry key=\"group\">weretail</entry>",
        "<entry key=\"name\">acme.ui.content</entry>",
        "<entry key=\"dependencies\">acme.ui.apps,com.acme:acme.ui.apps:[1.4,2)</entry>",
    ] {
        assert!(properties.contains(entry), "{properties}");
    }
    let (names, _) = content(&app, &artifacts[2], "").await;
    assert!(names.iter().any(|name| name == "conf.d/available_vhosts/acme.vhost"));
    assert!(names.iter().any(|name| name == "conf/httpd.conf"));
    let log = app.log(&execution, "dev deploy").await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.status(), "FAILED", "an immutable file is missing: {log}");
}

#[tokio::test]
async fn a_scenario_wins_over_uploads_and_these_over_the_repository() {
    let app = app_with(json!([{"package": "of.repository", "version": "1"}])).await;
    let of_repository = app.start(DEV).await;
    assert_eq!(files(&app, &of_repository).await, ["of.repository-1.zip"]);
    upload(&app, "upload.zip", DISPATCHER).await;
    let of_upload = app.start(DEV).await;
    assert_eq!(files(&app, &of_upload).await, ["upload.zip"]);
    app.scenario(DEV, &leaves(&json!([{"package": "of.scenario", "version": "1"}]))).await;
    let of_scenario = app.start(DEV).await;
    assert_eq!(files(&app, &of_scenario).await, ["of.scenario-1.zip"]);
    let again = app.start(DEV).await;
    for (execution, reused) in [(&of_scenario, false), (&again, false)] {
        let log = app.log(execution, "build").await;
        assert_eq!(log.contains("reused"), reused, "a scenario's build is for it alone: {log}");
    }
    let scenario = DEV.replace("/api/", "/_emulator/") + "/scenario";
    app.delete(&scenario).await;
    let reused = app.start(DEV).await;
    let first = of_upload.rsplit('/').next().unwrap();
    let log = app.log(&reused, "build").await;
    assert!(log.contains(&format!("reused from execution {first}")), "{log}");
    assert_eq!(files(&app, &reused).await, ["upload.zip"]);
}

#[tokio::test]
async fn an_empty_list_deploys_nothing() {
    let app = app_with(json!([])).await;
    let execution = app.start(DEV).await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.status(), "FINISHED");
    assert_eq!(files(&app, &execution).await, [""; 0]);
    let commands = shown.step("dev deploy")["details"]["deployCommands"].as_str().unwrap();
    assert!(!commands.contains("install-client-packages"), "{commands}");
    assert!(!commands.contains("perform-backup"), "{commands}");
}

#[tokio::test]
async fn a_seed_file_names_real_zip_files_beside_it() {
    let directory = TempDir::new().unwrap();
    std::fs::create_dir(directory.path().join("target")).unwrap();
    let zip = directory.path().join("target/all-1.4.0.zip");
    std::fs::write(&zip, DISPATCHER).unwrap();
    let document = demo_with(&json!([{"file": "./target/all-1.4.0.zip"}]));
    let path = directory.path().join("seed.yaml");
    std::fs::write(&path, &document).unwrap();
    let app = TestApp::with(Pace::Immediate, read_seed(&path).unwrap()).await;
    // It was stored when the seed was loaded, and a reset needs no file.
    std::fs::remove_file(&zip).unwrap();
    for _ in 0..2 {
        let execution = app.start(DEV).await;
        let [artifact] = &artifacts(&app, &execution).await[..] else { panic!() };
        assert_eq!(artifact["file"], "all-1.4.0.zip");
        assert!(app.download(&link(artifact, "self").unwrap()).await.bytes == DISPATCHER);
        assert_eq!(app.execution(&execution).await.status(), "FINISHED");
        let answer = app.post("/_emulator/reset", &json!({})).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
    // Without the content, the reset says which file it needs, and changes nothing.
    let execution = app.start(DEV).await;
    let empty = TestApp::immediate().await.get("/_emulator/state").await.bytes;
    app.request(axum::http::Method::PUT, "/_emulator/state", empty).await;
    let answer = app.post("/_emulator/reset", &json!({})).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text().contains("all-1.4.0.zip"), "{}", answer.text());
    assert_eq!(app.get(&execution).await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.get("/api/program/4").await.status, StatusCode::OK);

    let missing = read_seed(&path).unwrap_err();
    let text = cloudmanager_emulator::store::with_causes(&missing);
    assert!(text.contains("builds[0].file") && text.contains("all-1.4.0.zip"), "{text}");
}

#[tokio::test]
async fn a_seed_files_scenario_names_zip_files_too() {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("apps.zip"), PACKAGE).unwrap();
    let scenario = leaves(
        &json!([{"file": "apps.zip"}, {"package": "acme.base", "group": "com.acme", "version": "1.1"}]),
    );
    let demo = include_str!("../../../src/seed/demo.yaml");
    let name = "name: Deploy to dev\n";
    let position = demo.find(name).unwrap() + name.len();
    let document =
        format!("{}        scenario: {scenario}\n{}", &demo[..position], &demo[position..]);
    let path = directory.path().join("seed.yaml");
    std::fs::write(&path, &document).unwrap();
    let app = TestApp::with(Pace::Immediate, read_seed(&path).unwrap()).await;
    let execution = app.start(DEV).await;
    assert_eq!(files(&app, &execution).await, ["apps.zip", "acme.base-1.1.zip"]);
    let shown = app.execution(&execution).await;
    assert_eq!(shown.status(), "FINISHED", "{}", app.log(&execution, "dev deploy").await);
    let stored = app.get(&(DEV.replace("/api/", "/_emulator/") + "/scenario")).await.json();
    let sha256 = stored["steps"][0]["builds"][0]["sha256"].as_str().unwrap();
    assert_eq!(sha256.len(), 64);
}

#[tokio::test]
async fn mistakes_in_builds_are_told_with_their_place() {
    for (builds, place, said) in [
        (json!([{}]), "builds[0]", "exactly one of package, dispatcher and file"),
        (json!([{"package": "a", "dispatcher": "b"}]), "builds[0]", "exactly one"),
        (json!([{"package": "a/b"}]), "builds[0].package", "letters, digits"),
        (json!([{"package": "-a"}]), "builds[0].package", "begin with"),
        (json!([{"package": "a", "version": "<1>"}]), "builds[0].version", "letters"),
        (
            json!([{"package": "a", "with": ["x"]}]),
            "builds[0].with",
            "only allowed with dispatcher",
        ),
        (
            json!([{"dispatcher": "a", "group": "x"}]),
            "builds[0].group",
            "only allowed with package",
        ),
        (json!([{"package": "a", "dependsOn": ["b:c:[1"]}]), "builds[0].dependsOn[0]", "range"),
        (json!([{"package": "a", "dependsOn": ["<"]}]), "builds[0].dependsOn[0]", "letters"),
        (json!([{"dispatcher": "a", "with": ["../x"]}]), "builds[0].with[0]", "relative path"),
        (json!([{"dispatcher": "a", "with": ["/x"]}]), "builds[0].with[0]", "relative path"),
        (
            json!([{"dispatcher": "a", "without": ["conf.d/rewrites/base_rewrites.rules"]}]),
            "builds[0].without[0]",
            "did you mean conf.d/rewrites/base_rewrite.rules?",
        ),
        (json!([{"package": "a", "sha256": "0"}]), "builds[0].sha256", "only allowed with file"),
        (json!([{"file": "target/a.zip"}]), "builds[0].file", "only be named in a seed file"),
    ] {
        let mistakes = seed::read(&demo_with(&builds)).unwrap_err().to_string();
        assert!(mistakes.contains(&format!("{place}: ")) && mistakes.contains(said), "{mistakes}");
        let app = TestApp::immediate().await;
        let scenario = DEV.replace("/api/", "/_emulator/") + "/scenario";
        let answer = app.put(&scenario, &leaves(&builds)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{builds}");
        assert!(answer.text().contains(said), "{}", answer.text());
    }
    let app = TestApp::immediate().await;
    let scenario = PRODUCTION.replace("/api/", "/_emulator/") + "/scenario";
    let elsewhere =
        json!({"steps": [{"action": "deploy", "environmentType": "prod", "builds": []}]});
    let answer = app.put(&scenario, &elsewhere).await;
    assert!(answer.text().contains("only allowed for the step build"), "{}", answer.text());
}
