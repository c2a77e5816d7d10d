//! What deployments make of what a build leaves.

use serde_json::{Value, json};

use super::{DEPENDENT, DEV, DISPATCHER, PACKAGE, app_with, leaves, message, upload};
use crate::app::{PRODUCTION, TestApp};

/// The packages in the order of their installation on the author.
async fn installed(app: &TestApp, execution: &str) -> Vec<String> {
    let shown = app.execution(execution).await;
    let commands = shown.step("dev deploy")["details"]["deployCommands"].as_str().unwrap();
    let commands: Vec<Value> = serde_json::from_str(commands).unwrap();
    let on_author = commands.iter().filter(|it| {
        it["stepAction"] == "install-client-packages" && it["instanceId"] == "author1uswest2"
    });
    on_author.map(|it| it["subject"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn dependencies_decide_the_order_and_the_log_says_what_each_artifact_is() {
    let app =
        app_with(json!([{"package": "acme.base", "group": "com.acme", "version": "1.1"}])).await;
    upload(&app, "a-content.zip", DEPENDENT).await;
    upload(&app, "b-apps.zip", PACKAGE).await;
    let execution = app.start(DEV).await;
    // 1.4.0-SNAPSHOT needs [1.4,2) of the apps, and these a base that is nowhere.
    assert_eq!(
        message(&app, &execution).await,
        "b-apps.zip depends on com.acme:acme.base:[1.0,2.0), which is neither in the build nor on \
         the instances"
    );
    assert_eq!(installed(&app, &execution).await, ["b-apps.zip", "a-content.zip"], "as planned");
    let log = app.log(&execution, "dev deploy").await;
    for line in [
        "[INFO] AEM package a-content.zip (com.acme:acme.ui.content:1.4.0-SNAPSHOT)\n",
        "[INFO] b-apps.zip depends on day/cq60/product:cq-ui-wcm-editor-content: part of AEM\n",
        "[ERROR] b-apps.zip depends on com.acme:acme.base:[1.0,2.0), which is neither",
        "[WARN] author1uswest2: nothing was installed\n",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
    assert!(!log.contains("Begin "), "nothing was done: {log}");
    let shown = app.execution(&execution).await;
    assert_eq!(shown.step("dev deploy")["status"], "FAILED");
    assert_eq!(shown.status(), "FAILED");
    assert_eq!(shown.step("dev deploy")["details"]["deploymentStepDescription"], "[]");
}

#[tokio::test]
async fn a_package_on_the_instances_meets_a_dependency() {
    let base =
        |version: &str| json!([{"package": "acme.base", "group": "com.acme", "version": version}]);
    let app = app_with(base("1.1")).await;
    let execution = app.start(DEV).await;
    assert_eq!(app.execution(&execution).await.status(), "FINISHED");
    upload(&app, "b-apps.zip", PACKAGE).await;
    let execution = app.start(DEV).await;
    assert_eq!(app.execution(&execution).await.status(), "FINISHED");
    let log = app.log(&execution, "dev deploy").await;
    assert!(log.contains("[INFO] com.acme:acme.base:1.1 is on the instances already\n"), "{log}");

    // A later deployment brings a version that does not fit. What was logged stays.
    let mut once = leaves(&base("2.0"));
    once["times"] = json!(1);
    app.scenario(DEV, &once).await;
    let later = app.start(DEV).await;
    assert_eq!(app.execution(&later).await.status(), "FINISHED");
    assert_eq!(app.log(&execution, "dev deploy").await, log);
    let refused = app.start(DEV).await;
    let message = message(&app, &refused).await;
    assert!(message.contains("neither in the build nor on the instances"), "{message}");
}

#[tokio::test]
async fn packages_that_can_not_be_deployed_together_fail_and_are_named() {
    let package = |name: &str, depends_on: &[&str]| json!({"package": name, "version": "1", "dependsOn": depends_on});
    for (builds, said) in [
        (
            json!([package("a", &["b"]), package("b", &["a"]), package("c", &[])]),
            "these packages depend on each other: a-1.zip, b-1.zip",
        ),
        (
            json!([package("a", &[]), {"package": "a", "version": "2"}]),
            "the build has more than one package weretail:a",
        ),
        (
            json!([package("a", &["weretail:b:[2,3)"]), package("b", &[])]),
            "a-1.zip depends on weretail:b:[2,3), which is neither",
        ),
        (
            json!([{"dispatcher": "x"}, {"dispatcher": "y"}]),
            "the build has more than one dispatcher artifact: x-",
        ),
    ] {
        let app = app_with(builds).await;
        let execution = app.start(DEV).await;
        let message = message(&app, &execution).await;
        assert!(message.starts_with(said), "{message}");
        assert_eq!(app.execution(&execution).await.status(), "FAILED");
        // The production pipeline fails at its first deployment.
        let execution = app.start(PRODUCTION).await;
        let shown = app.execution(&execution).await;
        assert_eq!(shown.step("stage deploy")["status"], "FAILED");
    }
}

#[tokio::test]
async fn what_is_adobes_own_counts_as_present() {
    let depends_on =
        ["day/cq60/product:cq-ui", "adobe/cq:x:[9,10)", "com.adobe.cq:core", "com.day.cq:y"];
    let app = app_with(json!([{"package": "a", "version": "1", "dependsOn": depends_on}])).await;
    let execution = app.start(DEV).await;
    assert_eq!(app.execution(&execution).await.status(), "FINISHED");
    let log = app.log(&execution, "dev deploy").await;
    for dependency in depends_on {
        assert!(log.contains(&format!("a-1.zip depends on {dependency}: part of AEM")), "{log}");
    }
}

#[tokio::test]
async fn an_incomplete_dispatcher_artifact_fails_before_anything_is_deleted() {
    let without = [
        "conf.d/rewrites/base_rewrite.rules",
        "conf.dispatcher.d/enabled_farms/000_ams_author_farm.any",
        "conf.dispatcher.d/enabled_farms/999_ams_publish_farm.any",
    ];
    let app = app_with(json!([{"dispatcher": "acme", "without": without}])).await;
    let execution = app.start(DEV).await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.status(), "FAILED");
    let message = message(&app, &execution).await;
    let log = app.log(&execution, "dev deploy").await;
    for missing in
        ["conf.d/rewrites/base_rewrite.rules", "a file in conf.dispatcher.d/enabled_farms/"]
    {
        assert!(message.contains(missing), "{message}");
        assert!(log.contains(missing), "{log}");
    }
    assert!(
        log.contains("dispatcher1uswest2: in the load balancer; the configuration is unchanged"),
        "{log}"
    );
    assert!(!log.contains("Begin extract-dispatcher-package"), "{log}");
    let commands = shown.step("dev deploy")["details"]["deployCommands"].as_str().unwrap();
    assert!(commands.contains("reload-dispatcher"), "the whole plan: {commands}");
}

#[tokio::test]
async fn immutable_files_are_ignored_and_links_count_as_files() {
    let app = TestApp::immediate().await;
    upload(&app, "dispatcher.zip", DISPATCHER).await;
    let execution = app.start(DEV).await;
    assert_eq!(app.execution(&execution).await.status(), "FINISHED");
    let log = app.log(&execution, "dev deploy").await;
    assert!(
        log.contains("[INFO] Ignoring 45 immutable files: conf.d/000_init_ootb_vars.conf, "),
        "{log}"
    );
}

#[tokio::test]
async fn packages_alone_leave_the_dispatchers_as_they_are() {
    let app = app_with(json!([{"package": "a", "version": "1"}])).await;
    let execution = app.start(DEV).await;
    assert_eq!(app.execution(&execution).await.status(), "FINISHED");
    assert_eq!(installed(&app, &execution).await, ["a-1.zip"]);
    let log = app.log(&execution, "dev deploy").await;
    assert!(!log.contains("backup") && !log.contains("reload"), "{log}");
}

#[tokio::test]
async fn a_scenario_picks_the_package_that_fails() {
    let app =
        app_with(json!([{"package": "a", "version": "1"}, {"package": "b", "version": "1"}])).await;
    let fails = |subject: &str| {
        json!({"steps": [{"action": "deploy", "failures": [
        {"command": "install-client-packages", "subject": subject, "message": "because"}]}]})
    };
    app.scenario(DEV, &fails("b")).await;
    let execution = app.start(DEV).await;
    let log = app.log(&execution, "dev deploy").await;
    let failed = log.find("[ERROR] because").unwrap();
    assert!(log.find("Installing b-1.zip").unwrap() < failed, "{log}");
    assert!(log[..failed].contains("Installing a-1.zip"), "{log}");

    // What the build leaves is known when it starts: then the scenario may name nothing in it.
    app.scenario(DEV, &fails("nothing")).await;
    let execution = app.start(DEV).await;
    assert_eq!(
        message(&app, &execution).await,
        "the scenario lets a command fail that is not part of it"
    );
    let mut own = leaves(&json!([{"package": "c", "version": "1"}]));
    let entry = fails("b")["steps"][0].clone();
    own["steps"].as_array_mut().unwrap().push(entry);
    let answer = app.put(&(DEV.replace("/api/", "/_emulator/") + "/scenario"), &own).await;
    assert!(answer.text().contains("but with c-1.zip"), "{}", answer.text());
}
