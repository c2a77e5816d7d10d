//! The tags that executions leave.

use super::{Forge, REPOSITORY, WERETAIL};

/// Deploys `develop` to the development environment.
const DEV: &str = "/api/program/4/pipeline/2/execution";

/// Deploys `main` to stage and production, and waits for an approval between them.
const PRODUCTION: &str = "/api/program/4/pipeline/1/execution";

#[tokio::test]
async fn a_finished_production_execution_leaves_a_tag_and_others_leave_none() {
    let forge = Forge::with(&["--pace", "immediate"]);
    let work = forge.work("work", "main");
    let url = forge.url(WERETAIL);
    work.run(&["push", "--quiet", &url, "main", "main:develop"]);
    let history = "/_emulator/program/4/pipeline/1/history";
    assert_eq!(forge.send("POST", history, r#"{"count":3}"#).await.0, 201);
    assert_eq!(forge.send("PUT", DEV, "").await.0, 201);
    assert_eq!(work.run(&["ls-remote", "--tags", &url]), "", "nothing is finished but history");

    let (status, started) = forge.send("PUT", PRODUCTION, "").await;
    assert_eq!(status, 201, "{started}");
    let execution = forge.current("/api/program/4/pipeline/1").await;
    let steps = execution["_embedded"]["stepStates"].as_array().unwrap();
    let waiting = steps.iter().find(|step| step["status"] == "WAITING").unwrap();
    let advance = "http://ns.adobe.com/adobecloud/rel/pipeline/advance";
    let advance = waiting["_links"][advance]["href"].as_str().unwrap();
    assert_eq!(forge.send("PUT", advance, r#"{"approved":true}"#).await.0, 202);
    let version = execution["artifactsVersion"].as_str().unwrap();
    let expected = format!("{}\trefs/tags/{version}", work.head());
    assert_eq!(work.run(&["ls-remote", "--tags", &url]), expected);
    assert_eq!(forge.branches(REPOSITORY).await, ["develop", "main"], "no branch");

    // The next start makes no second one, and has it.
    let forge = forge.restarted(&[]);
    let tags = work.run(&["ls-remote", "--tags", &forge.url(WERETAIL)]);
    assert_eq!(tags, expected);
}
