//! A command with an emulator of its own.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use tempfile::TempDir;

use crate::app::ORGANISATION;
use crate::process::program;

/// Says where the emulator is and ends with the exit code that it reads.
const ASKS: &str = "echo $CLOUDMANAGER_URL; read code; exit $code";

fn exec(directory: &Path) -> Command {
    let mut command = program(directory);
    command.env("TMPDIR", directory).env("PATH", "/usr/bin:/bin").arg("exec");
    command
}

fn run(directory: &Path, arguments: &[&str]) -> Output {
    exec(directory).args(arguments).output().unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A shell's script that runs beside an emulator; killed with all that it started when dropped.
struct Script {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Drop for Script {
    fn drop(&mut self) {
        // They may be over already.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}

impl Script {
    fn start(directory: &Path, options: &[&str], script: &str) -> Self {
        let mut child = exec(directory)
            .args(options)
            .args(["--", "sh", "-c", script])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Lets a script that asks for it end with an exit code; what goes to stderr.
    fn end(mut self, code: i32) -> String {
        writeln!(self.child.stdin.take().unwrap(), "{code}").unwrap();
        let mut message = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut message).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(code));
        message
    }
}

#[tokio::test]
async fn a_command_finds_its_emulator_for_as_long_as_it_runs() {
    let directory = TempDir::new().unwrap();
    let names_of = "echo $CLOUDMANAGER_ORG_ID $CLOUDMANAGER_API_KEY $CLOUDMANAGER_TOKEN; \
                    echo $AIO_CLOUDMANAGER_BASE__URL; ";
    let mut script = Script::start(directory.path(), &[], &format!("{names_of}{ASKS}"));
    let credentials = script.line();
    let credentials: Vec<_> = credentials.split(' ').collect();
    let [organisation, key, token] = credentials[..] else { panic!("{credentials:?}") };
    assert_eq!(organisation, ORGANISATION);
    let url = script.line();
    assert_eq!(script.line(), url);
    let programs = reqwest::Client::new()
        .get(format!("{url}/api/programs"))
        .header("x-gw-ims-org-id", organisation)
        .header("x-api-key", key)
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(programs.status(), 200);
    assert_eq!(names(directory.path()).len(), 1, "a temporary database");
    assert_eq!(script.end(0), "");
    assert!(reqwest::get(format!("{url}/_emulator/health")).await.unwrap_err().is_connect());
    assert_eq!(names(directory.path()), [""; 0]);
}

#[test]
fn stdout_is_the_command_s_own() {
    let directory = TempDir::new().unwrap();
    let output = run(directory.path(), &["--", "echo", "--listen", "a b"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "--listen a b\n");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn it_ends_with_the_exit_code_of_the_command() {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("text"), "not a program").unwrap();
    let text = directory.path().join("text").display().to_string();
    for (command, code) in [
        (&["true"][..], 0),
        (&["false"], 1),
        (&["sh", "-c", "exit 255"], 255),
        (&["sh", "-c", "kill -KILL $$"], 137),
        (&["no-such-command"], 127),
        (&[text.as_str()], 126),
    ] {
        let output = run(directory.path(), &[&["--"], command].concat());
        assert_eq!(output.status.code(), Some(code), "{command:?}");
        assert_eq!(names(directory.path()), ["text"], "{command:?}");
        let message = String::from_utf8(output.stderr).unwrap();
        if [126, 127].contains(&code) {
            let expected = format!("{}: ", command[0]);
            assert!(message.starts_with(&expected) && message.lines().count() == 1, "{message}");
        }
    }
}

#[test]
fn what_keeps_the_emulator_from_starting_keeps_the_command_from_running() {
    let directory = TempDir::new().unwrap();
    for arguments in [
        &["--colour", "--", "touch", "touched"][..],
        &["--seed", "missing.yaml", "--", "touch", "touched"],
        &["--database", "missing/x.db", "--", "touch", "touched"],
        &["touch", "touched"],
        &["--"],
    ] {
        let output = run(directory.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
        assert_eq!(names(directory.path()), [""; 0], "{arguments:?}");
    }
}

#[test]
fn signals_are_passed_on_and_the_command_decides() {
    for signal in ["HUP", "INT", "QUIT", "TERM"] {
        let directory = TempDir::new().unwrap();
        // The process in the background says that it is ready. Before that it still has the trap of
        // its parent, and `kill` would not end it.
        let text = format!(
            "trap 'kill $!; echo caught; exit 9' {signal}; \
             sh -c 'echo ready; exec tail -f /dev/null' & wait"
        );
        let mut script = Script::start(directory.path(), &[], &text);
        assert_eq!(script.line(), "ready");
        let pid = script.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        let mut rest = String::new();
        script.stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "caught\n");
        assert_eq!(script.child.wait().unwrap().code(), Some(9));
        assert_eq!(names(directory.path()), [""; 0]);
    }
}

#[tokio::test]
async fn a_failure_shows_what_the_emulator_has_done() {
    let directory = TempDir::new().unwrap();
    let mut script = Script::start(directory.path(), &[], ASKS);
    let url = script.line();
    for _ in 0..55 {
        reqwest::get(format!("{url}/_emulator/health")).await.unwrap();
    }
    reqwest::get(format!("{url}/api/nothing")).await.unwrap();
    let message = script.end(3);
    let (heading, log) = message.split_once('\n').unwrap();
    assert_eq!(heading, "--- The command failed with exit code 3; the end of the emulator's log:");
    assert_eq!(log.lines().count(), 50);
    let last = log.lines().last().unwrap();
    assert!(last.contains("/api/nothing") && last.contains("403"), "{last}");

    let script = Script::start(directory.path(), &[], ASKS);
    assert_eq!(
        script.end(4),
        "--- The command failed with exit code 4; the emulator's log is empty: no request has \
         reached it.\n"
    );
}

#[tokio::test]
async fn a_named_database_is_kept() {
    let directory = TempDir::new().unwrap();
    let options = ["--database", "kept.db"];
    for expected in [0, 1] {
        let mut script = Script::start(directory.path(), &options, ASKS);
        let api = format!("{}/_emulator/info", script.line());
        let info: Value = reqwest::get(&api).await.unwrap().json().await.unwrap();
        assert_eq!(info["counts"]["executions"], expected, "{info}");
        let history = api.replace("/info", "/program/4/pipeline/3/history");
        let client = reqwest::Client::new();
        client.post(history).body(r#"{"count":1}"#).send().await.unwrap();
        script.end(0);
        let mut kept = names(directory.path());
        kept.retain(|name| Path::new(name).extension() != Some(OsStr::new("lock")));
        assert_eq!(kept, ["kept.db"]);
    }
}

#[test]
fn the_organisation_is_that_of_the_seed_s_first_tenant() {
    let directory = TempDir::new().unwrap();
    let tenant = |id: u32, organisation: &str| {
        format!("  - {{ id: \"{id}\", imsOrgId: {organisation}, imsTenantId: t{id} }}\n")
    };
    let seeds = [
        ("two.yaml", format!("tenants:\n{}{}", tenant(9, "First"), tenant(1, "Second")), "First"),
        ("none.yaml", "tenants: []\n".to_owned(), "none"),
    ];
    for (name, text, expected) in seeds {
        std::fs::write(directory.path().join(name), text).unwrap();
        let shown = ["sh", "-c", "echo ${CLOUDMANAGER_ORG_ID-none}"];
        let output = exec(directory.path())
            .env("CLOUDMANAGER_ORG_ID", "Real@AdobeOrg")
            .args(["--seed", name, "--"])
            .args(shown)
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim_end(), expected);
    }
}

/// A seed with clients of its second tenant alone.
const CLIENTS: &str = r#"
tenants:
  - { id: "1", imsOrgId: First, imsTenantId: first }
  - { id: "2", imsOrgId: Second, imsTenantId: second }
  - { id: "3", imsOrgId: Third, imsTenantId: third }
clients:
  - { clientId: third, clientSecret: x, technicalAccountId: t@techacct.adobe.com, tenantId: "3" }
  - { clientId: zulu, clientSecret: x, technicalAccountId: z@techacct.adobe.com, tenantId: "2" }
  - { clientId: alpha, clientSecret: x, technicalAccountId: a@techacct.adobe.com, tenantId: "2" }
"#;

#[tokio::test]
async fn a_command_is_a_client_of_the_seed_where_only_clients_are_let_in() {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("clients.yaml"), CLIENTS).unwrap();
    let names_of = "echo $CLOUDMANAGER_ORG_ID $CLOUDMANAGER_API_KEY $CLOUDMANAGER_TOKEN; ";
    for (options, expected) in [
        (&["--auth", "strict"][..], [ORGANISATION, "emulator"]),
        (&["--auth", "strict", "--seed", "clients.yaml"], ["Second", "zulu"]),
    ] {
        let mut script = Script::start(directory.path(), options, &format!("{names_of}{ASKS}"));
        let credentials = script.line();
        let credentials: Vec<_> = credentials.split(' ').collect();
        let [organisation, key, token] = credentials[..] else { panic!("{credentials:?}") };
        assert_eq!([organisation, key], expected);
        let url = format!("{}/api/programs", script.line());
        for (token, status) in [(token, 200), ("emulator", 401)] {
            let programs = reqwest::Client::new()
                .get(&url)
                .header("x-gw-ims-org-id", organisation)
                .header("x-api-key", key)
                .bearer_auth(token);
            assert_eq!(programs.send().await.unwrap().status(), status);
        }
        script.end(0);
    }
}

#[test]
fn without_a_client_that_could_be_let_in_the_command_is_not_run() {
    let directory = TempDir::new().unwrap();
    let (tenants, _) = CLIENTS.split_once("clients:").unwrap();
    std::fs::write(directory.path().join("none.yaml"), tenants).unwrap();
    let options = ["--auth", "strict", "--seed", "none.yaml"];
    let output = run(directory.path(), &[&options[..], &["--", "touch", "touched"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "--auth strict: there is no client to run the command as; add `clients` to the seed\n"
    );
    assert_eq!(names(directory.path()), ["none.yaml"]);
}
