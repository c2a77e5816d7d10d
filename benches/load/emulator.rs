//! The real program.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// A program that has said where it listens; stopped when dropped.
pub struct Running {
    child: Child,
    /// Host and port.
    pub address: String,
}

impl Running {
    /// Waits for a program's first line, `listening on http://…`.
    pub fn start(command: &mut Command) -> Result<Self, Box<dyn Error>> {
        let child = command.stdout(Stdio::piped()).spawn()?;
        let mut running = Self { child, address: String::new() };
        let mut line = String::new();
        let stdout = running.child.stdout.take().ok_or("no stdout")?;
        BufReader::new(stdout).read_line(&mut line)?;
        line.trim().rsplit('/').next().unwrap_or_default().clone_into(&mut running.address);
        Ok(running)
    }

    /// The emulator in a directory, with its database there and a clock that stands.
    pub fn emulator(directory: &Path, options: &[&str]) -> Result<Self, Box<dyn Error>> {
        Self::start(
            Command::new(env!("CARGO_BIN_EXE_cloudmanager-emulator"))
                .current_dir(directory)
                .args(["--listen", "127.0.0.1:0", "--clock-rate", "0", "--quiet"])
                .args(options),
        )
    }

    /// A command with an emulator of its own, which has printed its first line.
    pub fn command(command: &[&str]) -> Result<Self, Box<dyn Error>> {
        let emulator = env!("CARGO_BIN_EXE_cloudmanager-emulator");
        Self::start(Command::new(emulator).args(["exec", "--"]).args(command))
    }

    /// Waits until it ends by itself.
    pub fn wait(mut self) -> Result<(), Box<dyn Error>> {
        self.child.wait()?;
        Ok(())
    }

    /// Resident memory in MB.
    pub fn memory(&self) -> Result<f64, Box<dyn Error>> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
        let kilobytes: f64 = line.split_whitespace().nth(1).ok_or("no VmRSS")?.parse()?;
        Ok(kilobytes / 1024.0)
    }

    /// How many descriptors it has open.
    pub fn descriptors(&self) -> Result<usize, Box<dyn Error>> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count())
    }

    /// Stops it as a user does, and waits until everything is in the one file.
    pub fn stop(mut self) -> Result<(), Box<dyn Error>> {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A seed with one program of `count` pipelines: for production, or for code quality alone.
pub fn seed(count: usize, production: bool) -> String {
    let steps =
        |names: &[&str]| names.iter().map(|name| json!({ "name": name })).collect::<Value>();
    let mut phases = vec![
        json!({"type": "VALIDATE"}),
        json!({"type": "BUILD", "repositoryId": "1", "branch": "main"}),
    ];
    if production {
        let tests = ["deploy", "securityTest", "loadTest", "assetsTest"];
        phases.push(json!({"type": "DEPLOY", "environmentId": "1", "steps": steps(&tests)}));
        let go_live = ["approval", "deploy"];
        phases.push(json!({"type": "DEPLOY", "environmentId": "2", "steps": steps(&go_live)}));
    }
    let pipelines: Vec<_> = (1..=count)
        .map(|id| json!({"id": id.to_string(), "name": format!("Pipeline {id}"), "phases": phases}))
        .collect();
    json!({
        "tenants": [{"id": "1", "imsOrgId": "1234567890ABCDEF12345678@AdobeOrg", "imsTenantId": "t"}],
        "programs": [{"id": "4", "tenantId": "1", "name": "P",
            "environments": [
                {"id": "1", "name": "stage", "type": "stage"},
                {"id": "2", "name": "prod", "type": "prod"},
            ],
            "repositories": [{"id": "1", "repo": "code", "branches": {"main": "abc"}}],
            "pipelines": pipelines}],
    })
    .to_string()
}
