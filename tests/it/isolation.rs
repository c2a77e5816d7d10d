//! Emulators beside each other know nothing of each other and leave nothing behind.

use std::collections::BTreeSet;
use std::path::Path;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::ORGANISATION;
use crate::process::{Running, program};

const EMULATORS: u64 = 50;

/// An emulator on its way, whose temporary files go to a directory of the test's own.
fn spawn(temporary: &Path) -> Running {
    let mut command = program(temporary);
    command.env("TMPDIR", temporary).args(["--listen", "127.0.0.1:0", "--ephemeral"]);
    Running::spawn(&mut command)
}

fn count_entries(directory: &Path) -> usize {
    std::fs::read_dir(directory).unwrap().count()
}

async fn call(client: &Client, method: Method, url: String, body: Value) -> Value {
    let response = client
        .request(method, &url)
        .header("x-gw-ims-org-id", ORGANISATION)
        .header("x-api-key", "ci")
        .bearer_auth("token")
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    assert!(response.status().is_success(), "{url}: {response:?}");
    response.json().await.unwrap()
}

#[tokio::test]
async fn fifty_emulators_at_once_share_nothing() {
    let temporary = TempDir::new().unwrap();
    let spawned: Vec<_> = (0..EMULATORS).map(|_| spawn(temporary.path())).collect();
    let running: Vec<_> = spawned.into_iter().map(Running::when_ready).collect();
    let urls: BTreeSet<_> = running.iter().map(|emulator| &emulator.url).collect();
    assert_eq!(urls.len(), running.len());

    // Each gets a history as long as its number; every third one starts an execution, too.
    let client = Client::new();
    for (number, Running { url, .. }) in (1..).zip(&running) {
        let history = format!("{url}/_emulator/program/4/pipeline/3/history");
        call(&client, Method::POST, history, json!({ "count": number })).await;
        if number % 3 == 0 {
            let start = format!("{url}/api/program/4/pipeline/1/execution");
            call(&client, Method::PUT, start, json!({})).await;
        }
    }
    for (number, Running { url, .. }) in (1..).zip(&running) {
        for (pipeline, expected) in [(1, u64::from(number % 3 == 0)), (2, 0), (3, number)] {
            let list = format!("{url}/api/program/4/pipeline/{pipeline}/executions");
            let page = call(&client, Method::GET, list, json!({})).await;
            assert_eq!(page["_totalNumberOfItems"], expected, "{number}: {page}");
        }
    }

    for emulator in running {
        assert_eq!(emulator.stop("-TERM").code(), Some(0));
    }
    assert_eq!(count_entries(temporary.path()), 0);
}

#[test]
fn what_a_killed_emulator_leaves_is_in_nobody_s_way() {
    let temporary = TempDir::new().unwrap();
    // Nobody can clean up after a process that is killed: its directory stays.
    spawn(temporary.path()).when_ready().kill();
    assert_eq!(count_entries(temporary.path()), 1);
    for signal in ["-TERM", "-INT"] {
        let emulator = spawn(temporary.path()).when_ready();
        assert_eq!(count_entries(temporary.path()), 2);
        assert_eq!(emulator.stop(signal).code(), Some(0));
        assert_eq!(count_entries(temporary.path()), 1);
    }
}
