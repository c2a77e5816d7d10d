//! What fails around the program is told by its own name.

use std::io::Read;
use std::path::Path;
use std::process::{ChildStderr, Command, Stdio};

use reqwest::Response;
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Running, program};

/// The program at work with what it writes to stderr.
fn start(mut command: Command) -> (Running, ChildStderr) {
    command.args(["--listen", "127.0.0.1:0"]).stderr(Stdio::piped());
    let mut running = Running::spawn(&mut command);
    let stderr = running.take_stderr();
    (running.when_ready(), stderr)
}

async fn errors(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let problem: Value = answer.json().await.unwrap();
    (status, problem["errors"][0].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn copies_that_can_not_be_made_are_told() {
    let directory = TempDir::new().unwrap();
    // A file is where the directory for copies should be.
    std::fs::write(directory.path().join("cloudmanager.db.tmp"), "").unwrap();
    let (running, mut stderr) = start(program(directory.path()));
    let client = reqwest::Client::new();
    let (state, seed) = ("/_emulator/state", "/_emulator/seed");
    for request in [
        client.get(format!("{}{state}", running.url)),
        client.put(format!("{}{state}", running.url)).body("state"),
        client.post(format!("{}{seed}", running.url)).body("tenants: []"),
    ] {
        let (status, error) = errors(request.send().await.unwrap()).await;
        assert_eq!(status, 503);
        assert!(
            error.starts_with("A temporary file beside the database can't be used: "),
            "{error}"
        );
    }
    let health = reqwest::get(format!("{}/_emulator/health", running.url)).await.unwrap();
    assert_eq!(health.status(), 200);
    running.stop("-TERM");
    let mut log = String::new();
    stderr.read_to_string(&mut log).unwrap();
    let told = log.lines().filter(|line| line.contains("ERROR"));
    assert_eq!(told.filter(|line| line.contains("a temporary file can't be used")).count(), 3);
}

/// The program, which can't write files of more than one MiB (two, with some shells).
#[cfg(unix)]
fn program_with_small_files(directory: &Path) -> Command {
    let program = program(directory);
    let mut command = Command::new("/bin/sh");
    // Without the signal, writing more is an error.
    let script = "trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\"";
    command.arg("-c").arg(script).arg(program.get_program());
    command.current_dir(directory).env_clear();
    command
}

#[cfg(unix)]
#[tokio::test]
async fn a_body_that_finds_no_room_is_refused_and_changes_nothing() {
    let directory = TempDir::new().unwrap();
    let (running, _stderr) = start(program_with_small_files(directory.path()));
    let client = reqwest::Client::new();
    let state = format!("{}/_emulator/state", running.url);
    let large = vec![b'#'; 8 * 1024 * 1024];
    for request in [
        client.put(&state).body(large.clone()),
        client.post(format!("{}/_emulator/seed", running.url)).body(large),
    ] {
        let (status, error) = errors(request.send().await.unwrap()).await;
        assert_eq!(status, 507);
        let expected = "A temporary file beside the database can't be used: ";
        assert!(error.starts_with(expected) && error.contains("too large"), "{error}");
    }
    let own = client.get(&state).send().await.unwrap().bytes().await.unwrap();
    let restored = client.put(&state).body(own).send().await.unwrap();
    assert_eq!(restored.status(), 204);
    running.stop("-TERM");
}
