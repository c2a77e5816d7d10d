//! The real program: how it starts, what it prints, how it stops.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio};

use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

/// The program, to be run in a directory and with an empty environment.
pub fn program(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloudmanager-emulator"));
    command.current_dir(directory).env_clear();
    command
}

fn run(directory: &Path, arguments: &[&str]) -> Output {
    program(directory).args(arguments).output().unwrap()
}

/// The program at work; killed when dropped, so that no test leaves it behind.
pub struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// Where it answers, once it has said so.
    pub url: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be over already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the program in a directory, on a free port.
pub fn start(directory: &Path, arguments: &[&str]) -> Running {
    let mut command = program(directory);
    command.args(["--listen", "127.0.0.1:0"]).args(arguments);
    Running::spawn(command.stderr(Stdio::null())).when_ready()
}

impl Running {
    /// Starts it.
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout, url: String::new() }
    }

    /// What it writes to stderr, where that is piped.
    pub fn take_stderr(&mut self) -> ChildStderr {
        self.child.stderr.take().unwrap()
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it says where it answers.
    pub fn when_ready(mut self) -> Self {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.strip_prefix("listening on ").expect(&line).trim().clone_into(&mut self.url);
        self
    }

    /// Waits until it says where it answers, or is over.
    pub fn ready_or_over(mut self) -> Result<Self, ExitStatus> {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        let Some(url) = line.strip_prefix("listening on ") else {
            return Err(self.child.wait().unwrap());
        };
        url.trim().clone_into(&mut self.url);
        Ok(self)
    }

    /// Kills it, without a warning.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Sends it a signal and waits for its end.
    pub fn stop(mut self, signal: &str) -> ExitStatus {
        self.signal(signal);
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "nothing else goes to stdout");
        self.child.wait().unwrap()
    }
}

/// Sets how large the files of a process may become, as a full disk would: a number of bytes, or
/// `unlimited`. `prlimit` is a program of util-linux.
pub fn limit_files(process: u32, size: &str) {
    let arguments = [format!("--pid={process}"), format!("--fsize={size}:")];
    assert!(Command::new("prlimit").args(arguments).status().unwrap().success());
}

pub async fn health(url: &str) -> u16 {
    reqwest::get(format!("{url}/_emulator/health")).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn it_starts_says_where_and_stops_on_signals() {
    for signal in ["-TERM", "-INT"] {
        let directory = TempDir::new().unwrap();
        let running = start(directory.path(), &[]);
        assert_eq!(health(&running.url).await, 200);
        assert_eq!(running.stop(signal).code(), Some(0));
        // Everything is in the one file.
        assert!(directory.path().join("cloudmanager.db").exists());
        assert!(!directory.path().join("cloudmanager.db-wal").exists());
    }
}

#[tokio::test]
async fn an_ephemeral_database_leaves_nothing() {
    let directory = TempDir::new().unwrap();
    let temporary = directory.path().display().to_string();
    let mut command = program(directory.path());
    command.env("TMPDIR", &temporary).args(["--ephemeral", "--listen", "127.0.0.1:0"]);
    let running = Running::spawn(&mut command).when_ready();
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    assert_eq!(running.stop("-TERM").code(), Some(0));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_second_instance_on_one_database_is_refused() {
    let directory = TempDir::new().unwrap();
    let running = start(directory.path(), &[]);
    let second = run(directory.path(), &["--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(2));
    assert_eq!(
        String::from_utf8(second.stderr).unwrap(),
        "cloudmanager.db: another cloudmanager-emulator is using this database\n"
    );
    assert_eq!(health(&running.url).await, 200);
    running.stop("-TERM");
}

#[tokio::test]
async fn a_port_in_use_is_refused_and_nothing_is_created() {
    let directory = TempDir::new().unwrap();
    let running = start(directory.path(), &["--ephemeral"]);
    let address = running.url.trim_start_matches("http://").to_owned();
    let second = run(directory.path(), &["--listen", &address]);
    assert_eq!(second.status.code(), Some(2));
    let message = String::from_utf8(second.stderr).unwrap();
    assert!(message.starts_with(&format!("can't listen on {address}: ")), "{message}");
    assert!(message.contains("--listen 127.0.0.1:0 takes any free port"), "{message}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    running.stop("-TERM");
}

#[test]
fn bad_options_are_refused_and_nothing_is_created() {
    let directory = TempDir::new().unwrap();
    for arguments in [
        &["--listen", "nowhere"][..],
        &["--pace", "slow"],
        &["--clock-rate", "-1"],
        &["--clock-rate", "NaN"],
        &["--clock-start", "yesterday"],
        &["--public-url", "example.com"],
        &["--seed", "missing.yaml"],
        &["--auth", "none"],
        &["--colour"],
        &["dance"],
        &["--database", "missing/directory/x.db", "--listen", "127.0.0.1:0"],
    ] {
        let output = run(directory.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn seed_files_are_checked_with_file_line_and_field() {
    let directory = TempDir::new().unwrap();
    let good = "tenants: [{ id: \"1\", imsOrgId: A, imsTenantId: a }]\n";
    std::fs::write(directory.path().join("good.yaml"), good).unwrap();
    let bad = format!("{good}programs:\n  - {{ id: x, tenantId: \"2\", name: P }}\n");
    std::fs::write(directory.path().join("bad.yaml"), bad).unwrap();
    let checked = run(directory.path(), &["check", "good.yaml"]);
    assert_eq!(checked.status.code(), Some(0));
    assert_eq!(String::from_utf8(checked.stdout).unwrap(), "good.yaml: no mistakes\n");
    for arguments in [&["check", "bad.yaml"][..], &["--seed", "bad.yaml"]] {
        let output = run(directory.path(), arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        assert_eq!(
            String::from_utf8(output.stderr).unwrap(),
            "bad.yaml: line 3: programs[0].tenantId: the tenant 2 does not exist\n\
             bad.yaml: line 3: programs[0].id: must be a whole number from 1 to \
             9223372036854775807, written as a string\n"
        );
    }
}

#[tokio::test]
async fn a_file_of_something_else_is_refused_and_not_touched() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("cloudmanager.db");
    std::fs::write(&path, "This is not a database. ".repeat(100)).unwrap();
    let other = directory.path().join("other.db");
    let url = format!("sqlite://{}?mode=rwc", other.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query("CREATE TABLE tenants (id)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    for file in ["cloudmanager.db", "other.db"] {
        let before = std::fs::read(directory.path().join(file)).unwrap();
        let output = run(directory.path(), &["--listen", "127.0.0.1:0", "--database", file]);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(
            String::from_utf8(output.stderr).unwrap(),
            format!("{file}: not a database of the Cloud Manager emulator\n")
        );
        assert_eq!(std::fs::read(directory.path().join(file)).unwrap(), before);
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2, "nothing is left behind");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_not_touched() {
    let directory = TempDir::new().unwrap();
    start(directory.path(), &[]).stop("-TERM");
    let path = directory.path().join("cloudmanager.db");
    let url = format!("sqlite://{}", path.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query("UPDATE _sqlx_migrations SET version = 99 WHERE version = 2")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let before = std::fs::read(&path).unwrap();
    let output = run(directory.path(), &["--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    let told = "cloudmanager.db: the database is from a newer cloudmanager-emulator (schema 99; ";
    assert!(message.starts_with(told) && message.lines().count() == 1, "{message}");
    assert!(message.ends_with("or use another --database or --ephemeral\n"), "{message}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_is_the_same_by_any_name() {
    let directory = TempDir::new().unwrap();
    let running = start(directory.path(), &[]);
    std::os::unix::fs::symlink("cloudmanager.db", directory.path().join("other.db")).unwrap();
    let second = run(directory.path(), &["--listen", "127.0.0.1:0", "--database", "other.db"]);
    assert_eq!(second.status.code(), Some(2));
    assert!(String::from_utf8(second.stderr).unwrap().contains("is using this database"));
    running.stop("-TERM");
}

#[test]
fn it_prints_its_description() {
    let directory = TempDir::new().unwrap();
    let output = run(directory.path(), &["openapi"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), include_str!("../../openapi.yaml"));
}

#[test]
fn it_prints_the_schema_of_seeds() {
    let directory = TempDir::new().unwrap();
    let output = run(directory.path(), &["schema"]);
    assert_eq!(output.status.code(), Some(0));
    let checked_in = include_str!("../../docs/seed.schema.json");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), checked_in);
}

#[tokio::test]
async fn a_scheduled_seed_runs_in_real_time_too() {
    let directory = TempDir::new().unwrap();
    // A thousand times as fast: what takes nine seconds is over in nine milliseconds.
    let running = start(directory.path(), &["--ephemeral", "--clock-rate", "1000"]);
    let client = reqwest::Client::new();
    let api = format!("{}/api/program/4/pipeline/3", running.url);
    let signed = |request: reqwest::RequestBuilder| {
        request
            .header("x-gw-ims-org-id", crate::app::ORGANISATION)
            .header("x-api-key", "ci")
            .bearer_auth("token")
    };
    let started = signed(client.put(format!("{api}/execution"))).send().await.unwrap();
    let location = started.headers()["location"].to_str().unwrap().to_owned();
    loop {
        let shown: serde_json::Value =
            signed(client.get(&location)).send().await.unwrap().json().await.unwrap();
        if shown["status"] == "FINISHED" {
            break;
        }
        assert!(["NOT_STARTED", "RUNNING"].contains(&shown["status"].as_str().unwrap()));
    }
    running.stop("-TERM");
}

/// Starts the program with everything in its log, calls IMS and the API, and stops it; the log.
async fn log_of_calls(seed: &str, calls: &[(&str, &str, u16)]) -> String {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("seed.yaml"), seed).unwrap();
    let mut command = program(directory.path());
    command.env("RUST_LOG", "trace").args(["--listen", "127.0.0.1:0", "--seed", "seed.yaml"]);
    let mut running = Running::spawn(command.env("CME_AUTH", "strict").stderr(Stdio::piped()));
    let mut stderr = running.child.stderr.take().unwrap();
    let log = std::thread::spawn(move || {
        let mut log = String::new();
        stderr.read_to_string(&mut log).map(|_| log)
    });
    let running = running.when_ready();
    let client = reqwest::Client::new();
    for (path, form, status) in calls {
        let request = client.post(format!("{}{path}", running.url)).body((*form).to_owned());
        let form = request.header("content-type", crate::app::FORM);
        assert_eq!(form.send().await.unwrap().status(), *status, "{path}");
    }
    running.stop("-TERM");
    log.join().unwrap().unwrap()
}

const WITH_CLIENT: &str = "tenants: [{ id: \"1\", imsOrgId: A, imsTenantId: a }]\n\
    clients: [{ clientId: ci, clientSecret: Tr3asure, technicalAccountId: t, tenantId: \"1\" }]\n";

#[tokio::test]
async fn secrets_and_tokens_are_not_logged() {
    let form = "grant_type=client_credentials&client_id=ci&client_secret=Tr3asure";
    let in_query = format!("/ims/token/v3?{form}");
    let exchange = "client_id=ci&client_secret=Tr3asure&jwt_token=Pr3cious";
    let webhook = r#"{"tenantId":"1","clientId":"ci","clientSecret":"Tr3asure",
        "url":"http://127.0.0.1:1/?key=Pr3cious","events":["all"]}"#;
    let log = log_of_calls(
        WITH_CLIENT,
        &[
            ("/ims/token/v3", form, 200),
            (&in_query, "", 200),
            ("/ims/token/v3?client_secret=Pr3cious", "", 400),
            ("/ims/exchange/jwt", exchange, 400),
            ("/files/Pr3cious", "", 405),
            ("/files/Pr3cious/more", "", 404),
            ("/_emulator/webhooks", webhook, 400),
            ("/_emulator/webhooks?challenge=false", webhook, 201),
        ],
    )
    .await;
    assert!(log.contains("/ims/token/v3") && log.contains("/ims/exchange/jwt"), "{log}");
    assert!(log.contains("/files/***"), "{log}");
    for secret in ["Tr3asure", "Pr3cious", "eyJ"] {
        assert!(!log.contains(secret), "{log}");
    }
    assert!(!log.contains("WARN"), "{log}");
}

#[tokio::test]
async fn it_warns_where_only_clients_are_let_in_and_there_are_none() {
    let form = "grant_type=client_credentials&client_id=ci&client_secret=x";
    let (tenants, _) = WITH_CLIENT.split_once("clients:").unwrap();
    let log = log_of_calls(tenants, &[("/ims/token/v3", form, 400)]).await;
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("WARN")).collect();
    let [warning] = warnings[..] else { panic!("{log}") };
    assert!(warning.contains("--auth strict rejects all calls: there are no clients"), "{warning}");
}

#[tokio::test]
async fn streams_end_at_once_when_it_stops() {
    let directory = TempDir::new().unwrap();
    let log = directory.path().join("log");
    let mut command = program(directory.path());
    command
        .args(["--listen", "127.0.0.1:0", "--quiet"])
        .stderr(std::fs::File::create(&log).unwrap());
    let running = Running::spawn(&mut command).when_ready();
    let stream = reqwest::get(format!("{}/_emulator/events", running.url)).await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    assert_eq!(running.stop("-TERM").code(), Some(0));
    assert!(stream.text().await.unwrap().starts_with("id: "), "the stream ends as it should");
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "", "nothing was cut off");
}
