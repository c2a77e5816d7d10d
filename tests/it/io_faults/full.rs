//! Files can't grow any more, for a while.

use std::process::{Command, Stdio};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Caller;
use crate::app::{CODE_QUALITY, PRODUCTION};
use crate::process::{Running, limit_files, program};
use crate::receiver::Receiver;

/// The size that files may have, in bytes: less than the write-ahead log can have.
const LIMIT: &str = "--fsize=3000000:";

/// The program, whose files can't grow beyond the limit.
fn start_limited(directory: &TempDir) -> Running {
    let program = program(directory.path());
    // A program of util-linux, which can take the limit away from a running process.
    let mut command = Command::new("prlimit");
    command.args([LIMIT, "--"]).arg(program.get_program());
    command.args(["--listen", "127.0.0.1:0", "--pace", "quick"]);
    command.current_dir(directory.path()).stderr(Stdio::null());
    Running::spawn(&mut command).when_ready()
}

impl Caller {
    fn add_history(&self, count: u32) -> RequestBuilder {
        let path = format!("{}/history", PRODUCTION.replace("/api/", "/_emulator/"));
        self.request(Method::POST, &path).body(json!({ "count": count }).to_string())
    }

    async fn expect_no_room(&self, request: RequestBuilder) {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 507, "{answer:?}");
        let problem: Value = answer.json().await.unwrap();
        let told = problem["errors"][0].as_str().unwrap();
        assert!(told.starts_with("The disk with the database is full"), "{told}");
    }
}

#[tokio::test]
async fn a_full_disk_is_told_everywhere_and_nothing_is_stuck_when_there_is_room_again() {
    let (directory, mut receiver) = (TempDir::new().unwrap(), Receiver::start().await);
    let running = start_limited(&directory);
    let caller = Caller::of(&running);
    caller.wait_for_check().await;
    let post = |path: &str, body: &Value| caller.request(Method::POST, path).body(body.to_string());
    let subscription = receiver.subscription(&json!(["all"]));
    caller.succeed(post("/_emulator/webhooks", &subscription)).await;
    let state = caller.succeed(caller.request(Method::GET, "/_emulator/state")).await;
    let state = state.bytes().await.unwrap();
    let start = || caller.request(Method::PUT, &format!("{CODE_QUALITY}/execution"));
    let created: Value = caller.succeed(start()).await.json().await.unwrap();
    let ended = format!("ended {}", created["id"].as_str().unwrap());

    caller.expect_no_room(caller.add_history(100_000)).await;
    while caller.add_history(1).send().await.unwrap().status() == 201 {}
    let variable = json!([{"name": "KEY", "value": "value", "type": "string"}]).to_string();
    let seed = json!({"tenants": [{"id": "7", "imsOrgId": "7@AdobeOrg", "imsTenantId": "t"}]});
    // Nothing writes less than this.
    let rate = || caller.request(Method::PUT, "/_emulator/clock").body(r#"{"rate":1}"#);
    while rate().send().await.unwrap().status() == 200 {}
    for request in [
        caller.request(Method::PUT, &format!("{PRODUCTION}/execution")),
        caller.request(Method::PATCH, &format!("{CODE_QUALITY}/variables")).body(variable),
        caller.request(Method::PUT, "/_emulator/state").body(state.clone()),
        post("/_emulator/reset", &json!({})),
        post("/_emulator/seed", &seed),
        post("/_emulator/clock/advance", &json!({"by": "PT0.001S"})),
        rate(),
        caller.request(Method::DELETE, "/_emulator/webhooks"),
    ] {
        caller.expect_no_room(request).await;
    }
    assert!(!caller.is_well().await);

    limit_files(running.id(), "unlimited");
    // What time and subscribers wait for goes on by itself.
    while receiver.next().await.summary() != ended {}
    caller.succeed(caller.add_history(1)).await;
    assert!(caller.is_well().await);
    caller.succeed(caller.request(Method::PUT, "/_emulator/state").body(state)).await;
    caller.succeed(start()).await;
    assert_eq!(running.stop("-TERM").code(), Some(0));
}
