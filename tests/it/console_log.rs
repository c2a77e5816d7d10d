//! What the program says on stderr while it works.

use std::io::Read;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

use crate::app::ORGANISATION;
use crate::process::{Running, program};

/// Starts the program, calls it, and stops it. Returns what it wrote to stderr.
async fn log_of(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let directory = TempDir::new().unwrap();
    let mut command = program(directory.path());
    command.args(["--listen", "127.0.0.1:0", "--clock-rate", "0"]).args(arguments);
    command.args(["--clock-start", "2026-03-05T10:00:00Z"]).envs(environment.iter().copied());
    let mut running = Running::spawn(command.stderr(Stdio::piped()));
    let mut stderr = running.take_stderr();
    let log = std::thread::spawn(move || {
        let mut log = String::new();
        stderr.read_to_string(&mut log).map(|_| log)
    });
    let running = running.when_ready();
    call(&running.url).await;
    running.stop("-TERM");
    log.join().unwrap().unwrap()
}

/// Makes a call that reads, one that fails, and some that change something.
async fn call(url: &str) {
    let client = reqwest::Client::new();
    let get = |path: &str| client.get(format!("{url}{path}")).send();
    assert_eq!(get("/_emulator/info").await.unwrap().status(), 200);
    assert_eq!(get("/api/programs").await.unwrap().status(), 403);
    let pipelines = ["4/pipeline/1", "4/pipeline/3", "5/pipeline/7"];
    for pipeline in pipelines {
        let start = client
            .put(format!("{url}/api/program/{pipeline}/execution"))
            .header("x-gw-ims-org-id", ORGANISATION)
            .header("x-api-key", "ci")
            .bearer_auth("token");
        assert_eq!(start.send().await.unwrap().status(), 201);
        if pipeline == pipelines[0] {
            advance(&client, url, "PT1S").await;
        }
    }
    advance(&client, url, "P1D").await;
}

async fn advance(client: &reqwest::Client, url: &str, by: &str) {
    let advance = client.post(format!("{url}/_emulator/clock/advance"));
    let body = format!(r#"{{"by":"{by}"}}"#);
    assert_eq!(advance.body(body).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn it_says_how_it_was_started_and_what_happens() {
    let log = log_of(&["--database", "x.db", "--pace", "quick"], &[]).await;
    for line in [
        "  database      x.db, new",
        "  seed          the demo data",
        "  pace          quick, clock rate 0",
        "  auth          open",
        "  organisation  1234567890ABCDEF12345678@AdobeOrg",
        "2026-03-05 10:00:00  GET /api/programs 403",
        "2026-03-05 10:00:00  PUT /api/program/4/pipeline/1/execution 201",
        "2026-03-05 10:00:01  validate FINISHED  program=4 pipeline=1 execution=953671",
        "2026-03-05 10:00:01  build RUNNING  program=4 pipeline=1 execution=953671",
        "2026-03-06 10:00:01  POST /_emulator/clock/advance 200",
    ] {
        assert!(log.lines().any(|found| found == line), "{line}\n{log}");
    }
    assert!(log.contains("  address       http://127.0.0.1:"), "{log}");
    assert!(log.contains(" status --watch http://127.0.0.1:"), "{log}");
    let many = log.lines().filter(|line| line.ends_with(" steps have changed their status"));
    assert_eq!(many.count(), 1, "{log}");
    assert!(!log.contains("codeQuality") && !log.contains("/_emulator/info"), "{log}");
    assert!(!log.contains('\x1b'), "there is no terminal");
}

#[tokio::test]
async fn more_or_less_is_logged_as_the_options_say() {
    let quiet: &[(&[&str], &[(&str, &str)])] = &[
        (&["--quiet"], &[]),
        (&[], &[("CME_QUIET", "true")]),
        (&[], &[("RUST_LOG", "warn"), ("CME_QUIET", "1")]),
    ];
    for (arguments, environment) in quiet {
        assert_eq!(log_of(arguments, environment).await, "");
    }
    let reads = log_of(&["-v"], &[]).await;
    assert!(reads.contains("GET /_emulator/info 200") && !reads.contains("SELECT"), "{reads}");
    let sql = log_of(&[], &[("CME_VERBOSE", "2")]).await;
    assert!(sql.contains("GET /_emulator/info 200") && sql.contains("SELECT"));
    let overridden = log_of(&["-vv"], &[("RUST_LOG", "off")]).await;
    assert!(!overridden.contains("GET "), "{overridden}");
}

#[tokio::test]
async fn with_json_every_line_is_json() {
    let log = log_of(&["--log-format", "json", "-v"], &[]).await;
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert_eq!(lines[0]["fields"]["pace"], "quick");
    let read = |line: &&Value| line["fields"]["path"] == "/_emulator/info";
    assert_eq!(lines.iter().find(read).unwrap()["fields"]["status"], 200);

    // That includes why it does not start.
    let directory = TempDir::new().unwrap();
    let failed = program(directory.path())
        .args(["--log-format", "json", "--seed", "missing.yaml"])
        .output()
        .unwrap();
    assert_eq!(failed.status.code(), Some(2));
    let line: Value = serde_json::from_slice(&failed.stderr).unwrap();
    assert_eq!(line["level"], "ERROR");
    assert!(line["fields"]["message"].as_str().unwrap().contains("missing.yaml"), "{line}");
}

#[test]
fn a_filter_that_cannot_be_read_is_an_error() {
    let directory = TempDir::new().unwrap();
    let output = program(directory.path()).env("RUST_LOG", "a=b=c").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("RUST_LOG: "));
}
