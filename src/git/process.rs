//! Running `git`: what it sees of its surroundings, and for how long.

use std::ffi::OsStr;
use std::io;
use std::process::{Output, Stdio};

use tokio::process::{Child, Command};

use super::{Git, GitError};

/// The settings of each `git`. Those of the system and the user don't count.
const SETTINGS: [(&str, &str); 13] = [
    // Nothing of what is in a repository runs as a program.
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    // The directory may belong to somebody else, for example in a container.
    ("safe.directory", "*"),
    // Nothing goes on in the background.
    ("gc.auto", "0"),
    ("receive.autogc", "false"),
    ("maintenance.auto", "false"),
    ("receive.denyDeleteCurrent", "ignore"),
    // Large objects are streamed, so that memory stays small.
    ("core.bigFileThreshold", "16m"),
    ("pack.threads", "1"),
    ("pack.windowMemory", "32m"),
    ("pack.deltaCacheSize", "16m"),
    ("uploadpack.allowFilter", "true"),
    ("fetch.unpackLimit", "1"),
];

/// What `git` needs of the emulator's own environment: where programs are.
const INHERITED: [&str; 2] = ["PATH", "SystemRoot"];

/// How much of what `git` says goes into an error, in bytes.
const LONGEST_MESSAGE: usize = 500;

impl Git {
    /// Returns a command of `git`, which ends together with its handle.
    pub(super) fn command<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = Command::new("git");
        command.env_clear().kill_on_drop(true);
        for name in INHERITED {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.envs([
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("LC_ALL", "C"),
        ]);
        let largest_push = self.0.limits.largest_push.to_string();
        let settings =
            SETTINGS.into_iter().chain([("receive.maxInputSize", largest_push.as_str())]);
        for (number, (name, value)) in settings.enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{number}"), name);
            command.env(format!("GIT_CONFIG_VALUE_{number}"), value);
        }
        command.env("GIT_CONFIG_COUNT", (SETTINGS.len() + 1).to_string());
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a short command to its end. Returns what it writes.
    pub(super) async fn run(&self, mut command: Command) -> Result<Vec<u8>, GitError> {
        let Ok(_turn) = self.0.commands.acquire().await else { return Err(GitError::Busy) };
        let running = spawn(&mut command)?.wait_with_output();
        let ended = tokio::time::timeout(self.0.limits.longest_transfer, running).await;
        let Output { status, stdout, stderr } = ended.map_err(|_| GitError::TimedOut)??;
        if status.success() { Ok(stdout) } else { Err(GitError::Failed(message_of(&stderr))) }
    }
}

/// Starts a command.
pub(super) fn spawn(command: &mut Command) -> Result<Child, GitError> {
    command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => GitError::Missing,
        _ => GitError::Io(error),
    })
}

/// Returns what `git` has said on stderr, in one line.
pub(super) fn message_of(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr).trim().replace(char::is_control, " ");
    text.get(..text.floor_char_boundary(LONGEST_MESSAGE)).unwrap_or_default().to_owned()
}
