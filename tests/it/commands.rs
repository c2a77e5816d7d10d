//! The commands that ask a running emulator.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Output, Stdio};

use tempfile::TempDir;

use crate::app::ORGANISATION;
use crate::process::{program, start};

fn run(directory: &Path, arguments: &[&str]) -> Output {
    program(directory).args(arguments).output().unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

const STANDING: [&str; 5] =
    ["--ephemeral", "--clock-rate", "0", "--clock-start", "2026-03-05T10:00:00Z"];

async fn start_pipeline(url: &str) {
    let start = reqwest::Client::new()
        .put(format!("{url}/api/program/4/pipeline/1/execution"))
        .header("x-gw-ims-org-id", ORGANISATION)
        .header("x-api-key", "ci")
        .bearer_auth("token");
    assert_eq!(start.send().await.unwrap().status(), 201);
}

async fn advance(url: &str, by: &str) {
    let advance = reqwest::Client::new().post(format!("{url}/_emulator/clock/advance"));
    let body = format!(r#"{{"by":"{by}"}}"#);
    assert_eq!(advance.body(body).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn status_shows_what_runs_and_what_waits() {
    let directory = TempDir::new().unwrap();
    let running = start(directory.path(), &STANDING);
    start_pipeline(&running.url).await;
    advance(&running.url, "PT3.5S").await;
    let shown = run(directory.path(), &["status", &running.url]);
    assert_eq!(shown.status.code(), Some(0));
    let shown = text(shown.stdout);
    let bar = "    RUNNING      build                          [############------------]  50 %, \
               until 2026-03-05 10:00:06";
    for line in [
        "2026-03-05 10:00:03  clock rate 0",
        "We.Retail Global (program 4)",
        "  Production Pipeline (pipeline 1): execution 953671 RUNNING, MANUAL, NORMAL",
        "    FINISHED     validate                       2026-03-05 10:00:01, after 1 s",
        bar,
        "  Code quality (pipeline 3): not executed yet",
    ] {
        assert!(shown.lines().any(|found| found == line), "{line}\n{shown}");
    }
    advance(&running.url, "PT1M").await;
    let mut by_variable = program(directory.path());
    let shown = by_variable.arg("status").env("CLOUDMANAGER_URL", &running.url).output().unwrap();
    let waits = "    WAITING      approval prod                  waits until 2026-03-19 10:00:20";
    let shown = text(shown.stdout);
    assert!(shown.lines().any(|found| found == waits), "{shown}");
}

#[tokio::test]
async fn watching_shows_each_change_until_the_emulator_stops() {
    let directory = TempDir::new().unwrap();
    let running = start(directory.path(), &STANDING);
    let mut watching = program(directory.path())
        .args(["status", "--watch", &running.url])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut see = |text: &str| assert!(lines.any(|line| line.contains(text)), "{text}");
    see("(pipeline 1): not executed yet");
    start_pipeline(&running.url).await;
    see("(pipeline 1): execution 953671 RUNNING");
    advance(&running.url, "PT1M").await;
    see("approval prod                  waits until");
    running.stop("-TERM");
    let output = watching.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(output.stderr).lines().count() == 1);
}

#[tokio::test]
async fn a_health_check_tells_by_its_exit_code() {
    let directory = TempDir::new().unwrap();
    let running = start(directory.path(), &["--ephemeral"]);
    let url = running.url.clone();
    let good = run(directory.path(), &["healthcheck", &url]);
    assert_eq!(
        (good.status.code(), text(good.stdout), text(good.stderr)),
        (Some(0), String::new(), String::new())
    );
    running.stop("-TERM");
    let bad = run(directory.path(), &["healthcheck", &url]);
    let message = text(bad.stderr);
    assert_eq!(bad.status.code(), Some(1));
    assert!(message.starts_with(&format!("nobody answers at {url}")), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[tokio::test]
async fn commands_work_without_certificates_of_authorities() {
    let directory = TempDir::new().unwrap();
    let running = start(directory.path(), &["--ephemeral"]);
    let mut command = program(directory.path());
    command.env("SSL_CERT_FILE", "missing.pem").env("SSL_CERT_DIR", "missing");
    let checked = command.args(["healthcheck", &running.url]).output().unwrap();
    assert_eq!(checked.status.code(), Some(0), "{}", text(checked.stderr));
}

#[tokio::test]
async fn what_is_imported_is_a_seed_with_the_same_definitions() {
    let directory = TempDir::new().unwrap();
    let first = start(directory.path(), &["--ephemeral"]);
    let import = |url: &str, token: &str| {
        std::fs::write(directory.path().join("token"), token).unwrap();
        let arguments = ["--org", ORGANISATION, "--api-key", "ci", "--token-file", "token"];
        run(directory.path(), &[&["import", "--from", url][..], &arguments].concat())
    };
    let imported = import(&first.url, "token\n");
    assert_eq!(imported.status.code(), Some(0), "{}", text(imported.stderr));
    let seed = text(imported.stdout);
    for name in ["We.Retail Outlet", "weretail-global-b75-prod", "develop", "skipDetaching"] {
        assert!(seed.contains(name), "{name}\n{seed}");
    }
    assert!(seed.starts_with("tenants:\n- id: \"1\"\n"), "{seed}");
    assert!(seed.contains("\n- id: \"4\"\n  name: We.Retail Global\n"), "{seed}");
    for empty in ["{}", "[]"] {
        assert!(!seed.contains(empty), "{seed}");
    }
    std::fs::write(directory.path().join("seed.yaml"), &seed).unwrap();
    let second = start(directory.path(), &["--ephemeral", "--seed", "seed.yaml"]);
    let again = import(&second.url, "token");
    assert_eq!(text(again.stdout), seed);
    // A refusal is told, without the token.
    let refused = import(&format!("{}/nowhere", second.url), "s3cret");
    let message = text(refused.stderr);
    assert_eq!(refused.status.code(), Some(1));
    assert!(message.contains("/nowhere/api/tenants does not answer as expected: 404"), "{message}");
    assert!(!message.contains("s3cret"), "{message}");
    let other = import(&format!("{}/_emulator/health?", second.url), "token");
    assert_eq!(other.status.code(), Some(1));
    let message = text(other.stderr);
    assert!(message.contains("the answer has no list of tenants"), "{message}");
}

#[test]
fn completions_manual_and_version_are_printed() {
    let directory = TempDir::new().unwrap();
    for (arguments, part) in [
        (&["completions", "bash"][..], "--clock-rate"),
        (&["completions", "fish"], "healthcheck"),
        (&["man"], ".TH cloudmanager-emulator"),
        (&["--version"], concat!("cloudmanager-emulator ", env!("CARGO_PKG_VERSION"))),
    ] {
        let output = run(directory.path(), arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(text(output.stdout).contains(part), "{arguments:?}");
    }
}

#[tokio::test]
async fn a_browser_and_a_terminal_get_what_suits_them() {
    let directory = TempDir::new().unwrap();
    let running = start(directory.path(), &["--ephemeral"]);
    let url = &running.url;
    let page = reqwest::get(url).await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let page = page.text().await.unwrap();
    let files = page.split("=\"/").skip(1).map(|rest| rest.split('"').next().unwrap());
    let mut count = 0;
    for file in files {
        assert_eq!(reqwest::get(format!("{url}/{file}")).await.unwrap().status(), 200, "{file}");
        count += 1;
    }
    assert_eq!(count, 7, "icon, five styles and script");
    let described = reqwest::get(format!("{url}/openapi.yaml")).await.unwrap();
    assert_eq!(described.text().await.unwrap(), include_str!("../../openapi.yaml"));

    let info = format!("{url}/_emulator/info");
    let head = reqwest::Client::new().head(&info).send().await.unwrap();
    let length: usize = head.headers()["content-length"].to_str().unwrap().parse().unwrap();
    let body = reqwest::get(&info).await.unwrap().text().await.unwrap();
    assert!(body.ends_with("}\n") && body.len() == length, "{body} {length}");
    let missing = reqwest::get(format!("{url}/_emulator/nothing")).await.unwrap();
    assert!(missing.text().await.unwrap().ends_with("}\n"));
    let api = reqwest::get(format!("{url}/api/programs")).await.unwrap();
    assert!(api.text().await.unwrap().ends_with('}'), "Cloud Manager's own answers have none");
}
