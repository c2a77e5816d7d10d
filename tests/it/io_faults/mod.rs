//! The file system fails below SQLite: every single I/O call of what the program does, once and for
//! good. Whatever it has answered stays, and the same process goes on afterwards.

mod full;
mod operations;
mod start;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use crate::app::ORGANISATION;
use crate::process::{Running, program};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The kinds of calls that may fail; as in the library.
const WRITE: i64 = 2;
const ALL: i64 = 7;

/// The errors that they fail with.
const EIO: i64 = 5;
const ENOSPC: i64 = 28;

/// The library that lets calls fail, and what it shares with the test.
struct Faults {
    directory: TempDir,
    control: File,
}

/// Which of the coming calls fail, counted from one.
#[derive(Clone, Copy, Debug)]
enum Which {
    Only(i64),
    From(i64),
}

/// Which calls fail, and how.
#[derive(Clone, Copy, Debug)]
struct Failure {
    which: Which,
    error: i64,
    kinds: i64,
}

impl Faults {
    /// Compiles the library.
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let library = directory.path().join("preload.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/io_faults/preload.c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .args([library.as_path(), Path::new(source)])
            .arg("-ldl")
            .status();
        assert!(compiled.expect("a C compiler").success());
        let control = File::options()
            .create_new(true)
            .read(true)
            .write(true)
            .open(directory.path().join("control"))
            .unwrap();
        control.set_len(4096).unwrap();
        Self { directory, control }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The program with the library, on the database in a directory.
    fn program(&self, directory: &Path) -> Command {
        let mut command = program(directory);
        command.env("LD_PRELOAD", self.path("preload.so")).env("IO_FAULTS", self.path("control"));
        command.args(["--listen", "127.0.0.1:0", "--clock-rate", "0"]);
        command.stderr(File::create(self.path("log")).unwrap());
        command
    }

    fn start(&self, directory: &Path) -> Running {
        Running::spawn(&mut self.program(directory)).when_ready()
    }

    /// What the program has logged last.
    fn log(&self) -> String {
        let log = std::fs::read_to_string(self.path("log")).unwrap();
        let last: Vec<_> = log.lines().rev().take(3).collect();
        last.join("\n")
    }

    fn get(&self, field: u64) -> i64 {
        let mut bytes = [0; 8];
        self.control.read_exact_at(&mut bytes, 8 * field).unwrap();
        i64::from_ne_bytes(bytes)
    }

    fn set(&self, field: u64, value: i64) {
        self.control.write_all_at(&value.to_ne_bytes(), 8 * field).unwrap();
    }

    /// Lets calls of some kinds fail from now on.
    fn arm(&self, Failure { which, error, kinds }: Failure) {
        let (first, last) = match which {
            Which::Only(call) => (call, call),
            Which::From(call) => (call, i64::MAX),
        };
        self.disarm();
        self.set(0, 0);
        self.set(3, error);
        self.set(4, 0);
        self.set(2, last);
        self.set(1, first);
        self.set(5, kinds);
    }

    /// Lets no call fail.
    fn disarm(&self) {
        self.set(5, 0);
    }

    /// Whether a call has failed since it was armed.
    fn have_struck(&self) -> bool {
        self.get(4) > 0
    }
}

/// Calls a running program.
struct Caller {
    client: Client,
    url: String,
}

impl Caller {
    fn of(running: &Running) -> Self {
        Self { client: Client::new(), url: running.url.clone() }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.url))
            .timeout(PATIENCE)
            .header("x-gw-ims-org-id", ORGANISATION)
            .header("x-api-key", "ci")
            .bearer_auth("token")
    }

    /// Sends a request that must succeed.
    async fn succeed(&self, request: RequestBuilder) -> reqwest::Response {
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        answer
    }

    async fn post(&self, path: &str, body: Value) {
        self.succeed(self.request(Method::POST, path).body(body.to_string())).await;
    }

    /// Whether the emulator finds nothing wrong with its database.
    async fn is_well(&self) -> bool {
        let answer = self.request(Method::GET, "/_emulator/health").send().await.unwrap();
        let status = answer.status();
        let health: Value = answer.json().await.unwrap();
        assert_eq!(status == 200, health["status"] == "ok", "{health}");
        status == 200
    }

    /// Waits until the emulator has checked its database, which reads all of it.
    async fn wait_for_check(&self) {
        loop {
            let health = self.succeed(self.request(Method::GET, "/_emulator/health")).await;
            let health: Value = health.json().await.unwrap();
            if health["database"] == "ok" {
                return;
            }
        }
    }
}

/// Checks a database that the program may be using.
async fn check_integrity(directory: &Path) {
    let url = format!("sqlite://{}", directory.join("cloudmanager.db").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let found: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap();
    assert_eq!(found, "ok");
    connection.close().await.unwrap();
}
