//! What developers do: push, clone, fetch.

use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Forge, OUTLET, OUTLET_REPOSITORY, REPOSITORY, WERETAIL};
use crate::process::{Running, program};

const COMMITS: &str = "/_emulator/program/4/repository/1/branch/main/commits";

/// The pipeline that builds `develop` of the second program with each commit.
const ON_COMMIT: &str = "/api/program/5/pipeline/8";

#[tokio::test]
async fn what_is_pushed_is_cloned_and_the_api_lists_its_branches() {
    let forge = Forge::new();
    assert_eq!(forge.branches(REPOSITORY).await, ["develop", "main"]);
    let work = forge.work("work", "main");
    let url = forge.url(WERETAIL);
    work.run(&["push", "--quiet", &url, "main", "main:feature/x"]);
    assert_eq!(forge.branches(REPOSITORY).await, ["feature/x", "main"]);
    let clone = forge.clone(&url, "clone");
    assert_eq!(clone.head(), work.head());
    assert_eq!(clone.run(&["branch", "--show-current"]), "main");

    // A second push, and a fetch by either version of the protocol.
    for protocol in ["0", "1", "2"] {
        let commit = work.commit(protocol);
        work.run(&["push", "--quiet", &url, "main"]);
        clone.run(&["-c", &format!("protocol.version={protocol}"), "fetch", "--quiet"]);
        assert_eq!(clone.run(&["rev-parse", "origin/main"]), commit);
    }
    work.run(&["push", "--quiet", &url, ":feature/x"]);
    assert_eq!(forge.branches(REPOSITORY).await, ["main"]);
}

#[tokio::test]
async fn a_repository_that_nobody_has_pushed_to_says_that_it_has_no_objects() {
    let forge = Forge::new();
    let work = forge.work("work", "main");
    for protocol in ["0", "2"] {
        let version = format!("protocol.version={protocol}");
        let said = work.fails(&["-c", &version, "ls-remote", &forge.url(WERETAIL)]);
        assert_eq!(
            said.trim(),
            "fatal: remote error: The repository weretail has no objects: push to it first."
        );
    }
    assert_eq!(forge.branches(REPOSITORY).await, ["develop", "main"], "they are still made up");
    let (status, _) = forge.send("POST", COMMITS, "").await;
    assert_eq!(status, 201);
    assert!(!forge.directory.path().join("cloudmanager.db.git").exists());
}

#[tokio::test]
async fn commits_of_a_repository_in_git_come_from_pushes_alone() {
    let forge = Forge::new();
    let work = forge.work("work", "main");
    work.run(&["push", "--quiet", &forge.url(WERETAIL), "main"]);
    let (status, problem) = forge.send("POST", COMMITS, "").await;
    assert_eq!(status, 409);
    assert_eq!(
        problem["errors"],
        json!(["The repository weretail lives in git: add commits to it with `git push`."])
    );
    // Another repository still has made-up commits.
    let other = "/_emulator/program/5/repository/2/branch/develop/commits";
    assert_eq!(forge.send("POST", other, "").await.0, 201);
}

#[tokio::test]
async fn a_push_has_started_its_pipeline_when_it_is_answered() {
    let forge = Forge::new();
    let work = forge.work("work", "develop");
    work.run(&["push", "--quiet", &forge.url(OUTLET), "develop"]);
    let execution = forge.current(ON_COMMIT).await;
    assert_eq!(execution["trigger"], "ON_COMMIT");
    assert_eq!(built_commit(&execution), work.head());

    // While it runs, another push is fine and changes nothing in it.
    let first = work.head();
    work.commit("second");
    work.run(&["push", "--quiet", &forge.url(OUTLET), "develop"]);
    let same = forge.current(ON_COMMIT).await;
    assert_eq!(text(&same["id"]), text(&execution["id"]));
    assert_eq!(built_commit(&same), first);
    assert_eq!(forge.branches(OUTLET_REPOSITORY).await, ["develop"]);
}

#[tokio::test]
async fn a_build_takes_the_commit_that_was_pushed_last() {
    let forge = Forge::with(&["--pace", "immediate"]);
    let work = forge.work("work", "develop");
    for change in ["second", "third"] {
        let commit = work.commit(change);
        work.run(&["push", "--quiet", &forge.url(WERETAIL), "develop"]);
        let start = "/api/program/4/pipeline/3/execution";
        let (status, started) = forge.send("PUT", start, "").await;
        assert_eq!(status, 201, "{started}");
        let execution = forge.get(&format!("{start}/{}", text(&started["id"]))).await;
        assert_eq!(built_commit(&execution), commit);
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The commit that an execution builds.
fn built_commit(execution: &Value) -> &str {
    let steps = execution["_embedded"]["stepStates"].as_array().unwrap();
    text(&steps.iter().find(|step| step["action"] == "build").expect("a build")["commitId"])
}

#[tokio::test]
async fn strict_authentication_lets_the_clients_of_the_organisation_in() {
    let directory = TempDir::new().unwrap();
    let demo = include_str!("../../../src/seed/demo.yaml");
    let others = "clients:\n  - { clientId: stranger, clientSecret: other, tenantId: \"2\", \
        technicalAccountId: s@techacct.adobe.com, roles: [] }\n";
    let tenant = "tenants:\n  - { id: \"2\", imsOrgId: O@AdobeOrg, imsTenantId: other }\n";
    let seed = demo.replacen("tenants:\n", tenant, 1).replacen("clients:\n", others, 1);
    std::fs::write(directory.path().join("seed.yaml"), seed).unwrap();
    let seed = directory.path().join("seed.yaml").display().to_string();
    let forge = Forge::with(&["--auth", "strict", "--seed", &seed]);
    let work = forge.work("work", "main");
    let push = |user: &str| work.fails(&["push", &forge.url_as(WERETAIL, user), "main"]);
    let said = work.fails(&["push", &forge.url(WERETAIL), "main"]);
    assert!(said.contains("could not read Username"), "{said}");
    for wrong in ["emulator:wrong", "unknown:emulator", "emulator:"] {
        let said = push(wrong);
        assert!(said.contains("Authentication failed"), "{wrong}: {said}");
    }
    let said = push("stranger:other");
    assert!(said.contains("There is no such repository"), "{said}");
    assert!(said.contains("not found"), "{said}");
    let good = forge.url_as(WERETAIL, "emulator:emulator");
    work.run(&["push", "--quiet", &good, "main"]);
    assert_eq!(forge.clone(&good, "clone").head(), work.head());
    let said = work.fails(&["ls-remote", &forge.url_as(WERETAIL, "stranger:other")]);
    assert!(said.contains("There is no such repository"), "{said}");
}

#[tokio::test]
async fn the_host_name_of_the_real_repositories_needs_no_prefix() {
    let forge = Forge::with(&["--allow-host", "git.cloudmanager.adobe.com"]);
    let work = forge.work("work", "main");
    let url = format!("{}/weretail/weretail/", forge.running.url);
    let as_real = ["-c", "http.extraHeader=Host: git.cloudmanager.adobe.com"];
    work.run(&[&as_real[..], &["push", "--quiet", &url, "main"]].concat());
    assert_eq!(work.run(&["ls-remote", &forge.url(WERETAIL), "main"])[..40], work.head());
}

#[tokio::test]
async fn without_git_on_the_machine_a_push_says_so_and_nothing_else_suffers() {
    let forge = Forge::new();
    let work = forge.work("work", "main");
    let directory = TempDir::new().unwrap();
    let mut command: Command = program(directory.path());
    command.env("PATH", directory.path()).args(["--listen", "127.0.0.1:0"]);
    let bare = Running::spawn(&mut command).when_ready();
    let said = work.fails(&["push", &format!("{}/{WERETAIL}/", bare.url), "main"]);
    assert!(said.contains("There is no git on the machine of the emulator"), "{said}");
    assert!(said.contains("501"), "{said}");
    assert_eq!(crate::process::health(&bare.url).await, 200);
    let state = reqwest::get(format!("{}/_emulator/state", bare.url)).await.unwrap();
    assert_eq!(state.status(), 200);
    bare.stop("-TERM");
}
