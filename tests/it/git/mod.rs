//! Repositories that live in git, by the real `git` against the real program.

mod hostile;
mod limits;
mod state;
mod tags;
mod usual;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::app::ORGANISATION;
use crate::process::{Running, start};

/// The repository of the demo's first program, and that of its second one.
const WERETAIL: &str = "git/weretail/weretail";
const OUTLET: &str = "git/weretail/weretail-outlet";

/// Where the API has them.
const REPOSITORY: &str = "/api/program/4/repository/1";
const OUTLET_REPOSITORY: &str = "/api/program/5/repository/2";

/// A running emulator, and room for working copies.
struct Forge {
    directory: TempDir,
    running: Running,
}

impl Forge {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(arguments: &[&str]) -> Self {
        let directory = TempDir::new().unwrap();
        let running = start(directory.path(), arguments);
        Self { directory, running }
    }

    fn restarted(self, arguments: &[&str]) -> Self {
        let Self { directory, running } = self;
        assert_eq!(running.stop("-TERM").code(), Some(0));
        let running = start(directory.path(), arguments);
        Self { directory, running }
    }

    /// The address of a repository.
    fn url(&self, repository: &str) -> String {
        format!("{}/{repository}/", self.running.url)
    }

    /// The same with a user.
    fn url_as(&self, repository: &str, user: &str) -> String {
        self.url(repository).replacen("http://", &format!("http://{user}@"), 1)
    }

    /// The directory of a repository beside the database.
    fn bare(&self, name: &str) -> PathBuf {
        let root = self.directory.path().join("cloudmanager.db.git");
        let mut generations = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
        let generation = generations.next().unwrap();
        assert_eq!(generations.next(), None, "there is one generation");
        generation.join(name)
    }

    /// A new working copy with one commit on a branch.
    fn work(&self, name: &str, branch: &str) -> Work {
        let work = Work(self.directory.path().join(name));
        std::fs::create_dir(&work.0).unwrap();
        work.run(&["init", "--quiet", "--initial-branch", branch]);
        work.commit("first");
        work
    }

    /// A clone.
    fn clone(&self, url: &str, name: &str) -> Work {
        let work = Work(self.directory.path().join(name));
        git(self.directory.path(), &["clone", "--quiet", url, name]);
        work
    }

    async fn send(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let client = reqwest::Client::new();
        let url = format!("{}{path}", self.running.url);
        let request = client
            .request(method.parse().unwrap(), url)
            .header("authorization", "Bearer token")
            .header("x-api-key", "ci")
            .header("x-gw-ims-org-id", ORGANISATION)
            .body(body.to_owned());
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.send("GET", path, "").await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// The branches that the API lists.
    async fn branches(&self, repository: &str) -> Vec<String> {
        let list = self.get(&format!("{repository}/branches")).await;
        let branches = list["_embedded"]["branches"].as_array().unwrap();
        branches.iter().map(|branch| branch["name"].as_str().unwrap().to_owned()).collect()
    }

    /// The newest execution of a pipeline.
    async fn current(&self, pipeline: &str) -> Value {
        self.get(&format!("{pipeline}/execution")).await
    }
}

/// A working copy.
struct Work(PathBuf);

impl Work {
    fn run(&self, arguments: &[&str]) -> String {
        git(&self.0, arguments)
    }

    /// What a command that fails says.
    fn fails(&self, arguments: &[&str]) -> String {
        let output = try_git(&self.0, arguments);
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Adds a commit; its identifier.
    fn commit(&self, text: &str) -> String {
        std::fs::write(self.0.join("file"), text).unwrap();
        self.run(&["add", "."]);
        self.run(&["commit", "--quiet", "-m", "change"]);
        self.head()
    }

    fn head(&self) -> String {
        self.run(&["rev-parse", "HEAD"])
    }
}

fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = try_git(directory, arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn try_git(directory: &Path, arguments: &[&str]) -> Output {
    command(directory, arguments).output().unwrap()
}

/// A `git` that no settings of this machine change.
fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.current_dir(directory).args(arguments).stdin(Stdio::null()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap()).envs([
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_AUTHOR_NAME", "A"),
        ("GIT_AUTHOR_EMAIL", "a@example.com"),
        ("GIT_COMMITTER_NAME", "A"),
        ("GIT_COMMITTER_EMAIL", "a@example.com"),
    ]);
    command
}

/// The body of a push that makes a branch in an empty repository, and the commit that it is of.
pub fn push_request(branch: &str) -> (Vec<u8>, String) {
    let directory = TempDir::new().unwrap();
    let work = Work(directory.path().to_owned());
    work.run(&["init", "--quiet"]);
    let commit = work.commit("first");
    let mut packing = command(&work.0, &["pack-objects", "--stdout", "--revs", "--quiet"]);
    let mut packing = packing.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut packing.stdin.take().unwrap(), b"HEAD\n").unwrap();
    let pack = packing.wait_with_output().unwrap().stdout;
    let update = format!("{} {commit} refs/heads/{branch}\0report-status", "0".repeat(40));
    let update = format!("{:04x}{update}0000", update.len() + 4);
    ([update.into_bytes(), pack].concat(), commit)
}
