//! What ends the real program, and what does not: signals, and those who read what it says.

use std::io::Read;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::process::{Running, health, program, start};

#[cfg(unix)]
#[tokio::test]
async fn it_stops_on_hangup_and_quit_unless_it_is_to_survive_its_terminal() {
    for signal in ["-HUP", "-QUIT"] {
        let directory = TempDir::new().unwrap();
        let running = start(directory.path(), &[]);
        assert_eq!(running.stop(signal).code(), Some(0));
        assert!(!directory.path().join("cloudmanager.db-wal").exists());
    }
    let directory = TempDir::new().unwrap();
    let mut command = Command::new("/bin/sh");
    let script = "trap '' HUP; exec \"$0\" --ephemeral --listen 127.0.0.1:0";
    command.arg("-c").arg(script).arg(program(directory.path()).get_program());
    let running = Running::spawn(command.env_clear().env("TMPDIR", directory.path())).when_ready();
    running.signal("-HUP");
    assert_eq!(health(&running.url).await, 200);
    assert_eq!(running.stop("-TERM").code(), Some(0));
}

#[tokio::test]
async fn a_log_that_nobody_reads_delays_nothing() {
    let directory = TempDir::new().unwrap();
    let mut command = program(directory.path());
    command.env("RUST_LOG", "trace").args(["--ephemeral", "--listen", "127.0.0.1:0"]);
    let mut running = Running::spawn(command.stderr(Stdio::piped()));
    let stderr = running.take_stderr();
    let running = running.when_ready();
    let client = reqwest::Client::new();
    // Far more than the pipe and the queue of lines take.
    let path = "x".repeat(4000);
    for _ in 0..600 {
        let answer = client.get(format!("{}/{path}", running.url)).send().await.unwrap();
        assert_eq!(answer.status(), 404);
    }
    assert_eq!(running.stop("-TERM").code(), Some(0));
    drop(stderr);
}

#[tokio::test]
async fn lines_that_were_dropped_are_counted_and_the_last_ones_are_written() {
    let directory = TempDir::new().unwrap();
    let mut command = program(directory.path());
    command.env("RUST_LOG", "debug").args(["--ephemeral", "--listen", "127.0.0.1:0"]);
    let mut running = Running::spawn(command.stderr(Stdio::piped()));
    let mut stderr = running.take_stderr();
    let running = running.when_ready();
    let client = reqwest::Client::new();
    let path = "x".repeat(4000);
    for _ in 0..600 {
        client.get(format!("{}/{path}", running.url)).send().await.unwrap();
    }
    let log = std::thread::spawn(move || {
        let mut log = String::new();
        stderr.read_to_string(&mut log).map(|_| log)
    });
    assert_eq!(running.stop("-TERM").code(), Some(0));
    let log = log.join().unwrap().unwrap();
    let counted = log.lines().find_map(|line| line.split_once(" lines were dropped"));
    assert!(counted.unwrap().0.parse::<u32>().unwrap() > 0);
}

#[tokio::test]
async fn it_goes_on_when_nobody_is_left_to_read_what_it_says() {
    let directory = TempDir::new().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let mut command = program(directory.path());
    command.env("RUST_LOG", "debug").args(["--ephemeral", "--listen", &address]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    let url = format!("http://{address}/_emulator/health");
    for _ in 0..3 {
        let answer = loop {
            // It may not listen yet.
            match reqwest::get(&url).await {
                Ok(answer) => break answer,
                Err(error) => assert!(error.is_connect() && child.try_wait().unwrap().is_none()),
            }
        };
        assert_eq!(answer.status(), 200);
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[tokio::test]
async fn beyond_loopback_it_warns() {
    for (address, warns) in
        [("0.0.0.0:0", true), ("[::ffff:127.0.0.1]:0", false), ("127.0.0.1:0", false)]
    {
        let directory = TempDir::new().unwrap();
        let mut command = program(directory.path());
        command.args(["--ephemeral", "--quiet", "--listen", address]).stderr(Stdio::piped());
        let mut running = Running::spawn(&mut command);
        let mut stderr = running.take_stderr();
        let running = running.when_ready();
        assert_eq!(running.stop("-TERM").code(), Some(0));
        let mut log = String::new();
        stderr.read_to_string(&mut log).unwrap();
        let told = "anyone who can reach the port controls the emulator\n";
        assert!(log.lines().count() == usize::from(warns) && log.ends_with(told) == warns, "{log}");
    }
}
