//! Options and environment variables that are wrong, or that have no effect.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::process::{Running, program, start};

/// Runs a command that is refused. Returns what it says.
fn refusal(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(output.stdout.is_empty());
    message
}

#[test]
fn messages_tell_the_way_out() {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("empty.yaml"), "# Nothing yet.\n").unwrap();
    for (arguments, told) in [
        (&["--port", "4601"][..], "the port is a part of the address: --listen 127.0.0.1:4600"),
        (&["--listen", "nowhere"], "must be ADDRESS:PORT, for example 127.0.0.1:4600"),
        (&["--ephemeral", "--database", "x.db"], "can't be used together"),
        (&["--quiet", "-v"], "can't be used together"),
        (&["exec", "true", "--pace", "quick"], "exec [OPTIONS] -- COMMAND"),
        (&["exec", "--"], "exec [OPTIONS] -- COMMAND"),
        (&["--pace", "quick", "exec", "--", "true"], "write options after the subcommand: exec --"),
        (&["--seed", "missing.yaml"], "the seed file missing.yaml can't be read: "),
        (&["check", "missing.yaml"], "the seed file missing.yaml can't be read: "),
        (&["--seed", "empty.yaml"], "empty.yaml: the seed is empty; `tenants: []` stands for"),
        (&["check", "empty.yaml"], "empty.yaml: the seed is empty"),
    ] {
        let message = refusal(program(directory.path()).args(arguments));
        assert!(message.contains(told), "{arguments:?}: {message}");
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing was created");
}

#[test]
fn wrong_values_in_the_environment_are_named() {
    let directory = TempDir::new().unwrap();
    for (name, value) in [
        ("CME_PACE", &b"slow"[..]),
        ("CME_EPHEMERAL", b"perhaps"),
        ("CME_QUIET", b"perhaps"),
        ("CME_VERBOSE", b"much"),
        ("CME_LISTEN", b""),
        ("CME_SEED", b""),
        ("CME_CLOCK_RATE", b"-1"),
        ("CME_CLOCK_START", b"yesterday"),
        ("CME_AUTH", b"\xff"),
    ] {
        let message = refusal(program(directory.path()).env(name, OsStr::from_bytes(value)));
        assert!(message.contains(&format!("the environment variable {name}")), "{message}");
    }
    let option = refusal(program(directory.path()).args(["--pace", "slow"]));
    assert!(option.contains("'slow' for '--pace") && !option.contains("variable"), "{option}");
    let json = refusal(program(directory.path()).env("CME_LOG_FORMAT", "json").arg("--colour"));
    let line: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(line["fields"]["message"].as_str().unwrap().contains("--colour"), "{line}");
}

#[test]
fn the_environment_of_serve_does_not_stop_other_subcommands() {
    let directory = TempDir::new().unwrap();
    let mut schema = program(directory.path());
    let output = schema.env("CME_LISTEN", "bad").env("CME_PACE", "slow").arg("schema").output();
    assert!(output.unwrap().status.success());
    for subcommand in ["serve", "exec"] {
        let mut command = program(directory.path());
        command.env("CME_LISTEN", "bad").arg(subcommand);
        let message = refusal(command.args(["--", "true"].iter().filter(|_| subcommand == "exec")));
        assert!(message.contains("the environment variable CME_LISTEN"), "{message}");
    }
    let message = refusal(program(directory.path()).env("CLOUDMANAGER_URL", "foo").arg("status"));
    assert!(message.contains("must be an absolute http or https URL"), "{message}");
    assert!(message.contains("the environment variable CLOUDMANAGER_URL"), "{message}");
    let given =
        program(directory.path()).env("CLOUDMANAGER_URL", "x").args(["status", "foo"]).output();
    let message = String::from_utf8(given.unwrap().stderr).unwrap();
    assert!(message.contains("'foo'") && !message.contains("variable"), "{message}");
}

#[test]
fn options_are_also_taken_from_the_environment() {
    let directory = TempDir::new().unwrap();
    let with = |value: &str| {
        let mut command = program(directory.path());
        command.env("CME_EPHEMERAL", value).env("TMPDIR", directory.path());
        command.args(["--listen", "0"]);
        command
    };
    for value in ["0", "false", "off", ""] {
        let message = refusal(with(value).env("CME_DATABASE", "missing/x.db"));
        assert!(message.starts_with("missing/x.db: "), "{value}: {message}");
    }
    for value in ["1", "true", "yes"] {
        let running = Running::spawn(with(value).stderr(Stdio::null())).when_ready();
        assert!(running.url.starts_with("http://127.0.0.1:"), "{}", running.url);
        assert_eq!(running.stop("-TERM").code(), Some(0));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_port_alone_and_localhost_are_this_machine() {
    let directory = TempDir::new().unwrap();
    for address in ["0", "localhost:0", "127.0.0.1:0"] {
        let mut command = program(directory.path());
        command.args(["--ephemeral", "--listen", address]).stderr(Stdio::null());
        let running = Running::spawn(&mut command).when_ready();
        assert!(running.url.starts_with("http://127.0.0.1:"), "{}", running.url);
    }
}

#[test]
fn options_for_a_new_database_have_no_effect_on_another_and_that_is_said() {
    let directory = TempDir::new().unwrap();
    start(directory.path(), &[]).stop("-TERM");
    std::fs::write(directory.path().join("seed.yaml"), "tenants: []\n").unwrap();
    let mut command = program(directory.path());
    command.args(["--listen", "0", "--quiet", "--seed", "seed.yaml"]);
    command.args(["--clock-start", "2026-03-05T10:00:00Z"]);
    let mut running = Running::spawn(command.stderr(Stdio::piped()));
    let mut stderr = running.take_stderr();
    running.when_ready().stop("-TERM");
    let mut log = String::new();
    stderr.read_to_string(&mut log).unwrap();
    for (line, option) in log.lines().zip(["--seed", "--clock-start"]) {
        let told =
            format!("WARN {option} has no effect because the database cloudmanager.db already");
        assert!(line.starts_with(&told) && line.contains("/_emulator/reset"), "{log}");
    }
    assert_eq!(log.lines().count(), 2, "{log}");
}
