//! The key for secrets, given to the real program.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::ORGANISATION;
use crate::process::{Running, program};

const KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
const OTHER_KEY: &str = "MTEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
const SECRET: &str = "correct-horse-battery-staple";

fn start(directory: &Path, key: Option<&str>) -> Running {
    let mut command = program(directory);
    command.args(["--listen", "127.0.0.1:0", "--pace", "immediate"]);
    command.envs(key.map(|key| ("CME_SECRET_KEY", key)));
    Running::spawn(command.stderr(Stdio::null())).when_ready()
}

async fn send(
    running: &Running,
    method: reqwest::Method,
    path: &str,
    body: &Value,
) -> (u16, String) {
    let request = reqwest::Client::new()
        .request(method, format!("{}/api/program/4/pipeline/3/{path}", running.url))
        .header("x-gw-ims-org-id", ORGANISATION)
        .header("x-api-key", "ci")
        .bearer_auth("token")
        .json(body);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// How long a build takes says whether the emulator could read the variable that disables reuse.
#[tokio::test]
async fn secrets_are_read_only_with_the_key_that_is_given() {
    let directory = TempDir::new().unwrap();
    let variables = json!([
        {"name": "CM_DISABLE_BUILD_REUSE", "value": "true", "type": "secretString"},
        {"name": "TOKEN", "value": SECRET, "type": "secretString"},
    ]);
    let running = start(directory.path(), Some(KEY));
    let patched = send(&running, reqwest::Method::PATCH, "variables", &variables).await;
    assert_eq!(patched, (204, String::new()));
    let (first, _) = send(&running, reqwest::Method::PUT, "execution", &json!({})).await;
    assert_eq!(first, 201);
    running.kill();

    for (key, reuses) in
        [(Some(KEY), false), (Some(OTHER_KEY), true), (None, true), (Some(KEY), false)]
    {
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            let (name, bytes) =
                entry.map(|one| (one.file_name(), std::fs::read(one.path()).unwrap())).unwrap();
            assert_ne!(name, "cloudmanager.db.key", "the key is given, not kept");
            assert!(!bytes.windows(SECRET.len()).any(|at| at == SECRET.as_bytes()));
        }
        let running = start(directory.path(), key);
        let (status, listed) =
            send(&running, reqwest::Method::GET, "variables", &json!(null)).await;
        assert!(status == 200 && listed.contains("TOKEN") && !listed.contains(SECRET), "{listed}");
        let (_, started) = send(&running, reqwest::Method::PUT, "execution", &json!({})).await;
        let started: Value = serde_json::from_str(&started).unwrap();
        let path = format!("execution/{}", started["id"].as_str().unwrap());
        let (_, shown) = send(&running, reqwest::Method::GET, &path, &json!(null)).await;
        assert_eq!(shown.contains("reused from execution"), reuses, "{key:?}: {shown}");
        running.kill();
    }
}

#[test]
fn a_key_that_is_none_is_refused_and_nothing_is_created() {
    let directory = TempDir::new().unwrap();
    for key in ["", "short", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MA=="] {
        let mut command = program(directory.path());
        let output =
            command.args(["--listen", "127.0.0.1:0"]).env("CME_SECRET_KEY", key).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{key}");
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(
            message.contains("--secret-key") && message.contains("32 bytes in base64"),
            "{message}"
        );
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}
