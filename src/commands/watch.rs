//! What runs, as it changes.

use std::convert::Infallible;
use std::io::{self, ErrorKind, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use reqwest::Response;
use tokio::time::Instant;

use super::client::EmulatorClient;
use super::{CommandError, table, write};
use crate::control::status::StatusView;
use crate::domain::execution::status::StepStatus;
use crate::domain::time::Timestamp;
use crate::log::shows_colours;

/// The events that change what is shown. `reset` comes with them.
const EVENTS: &str = "/_emulator/events?types=execution,pipeline,program,clock,reset";

/// How often the bar of a running step moves.
const TICK: Duration = Duration::from_millis(250);

/// Shows what runs until the emulator stops, or the reader of stdout leaves. On a terminal, the table
/// is replaced; elsewhere, a new one follows each change.
pub(super) async fn watch(client: &EmulatorClient) -> Result<ExitCode, CommandError> {
    let Err(error) = follow(client).await;
    match error {
        CommandError::Write(error) if error.kind() == ErrorKind::BrokenPipe => {
            Ok(ExitCode::SUCCESS)
        }
        error => Err(error),
    }
}

#[allow(clippy::disallowed_methods, reason = "the bar moves in real time")]
async fn follow(client: &EmulatorClient) -> Result<Infallible, CommandError> {
    // The stream begins before the first read, so no change is missed in between.
    let mut changes = ChangeStream { stream: client.stream(EVENTS).await?, rest: Vec::new() };
    let is_terminal = io::stdout().is_terminal();
    loop {
        let status: StatusView = client.get("/_emulator/status").await?;
        let read_at = Instant::now();
        let moves = is_terminal && status.rate > 0.0 && is_running(&status);
        loop {
            let now = time_after(&status, read_at.elapsed());
            let table = table::render(&status, &now, shows_colours(&io::stdout()));
            let shown = if is_terminal { as_screen(&table) } else { table };
            write(shown.as_bytes())?;
            tokio::select! {
                event = changes.next() => {
                    event?;
                    break;
                }
                () = tokio::time::sleep(TICK), if moves => {}
            }
        }
        if !is_terminal {
            write(b"\n")?;
        }
    }
}

/// Returns as much of a table as the terminal has room for, in place of what it shows.
fn as_screen(table: &str) -> String {
    let lines: Vec<_> = table.lines().take(height().saturating_sub(1)).collect();
    // To the upper left corner; each line is cleared to its end, and what is below them.
    format!("\x1b[H{}\x1b[K\n\x1b[J", lines.join("\x1b[K\n"))
}

/// Returns how many lines the terminal has.
fn height() -> usize {
    #[cfg(unix)]
    if let Ok(size) = rustix::termios::tcgetwinsize(io::stdout())
        && size.ws_row > 0
    {
        return size.ws_row.into();
    }
    usize::MAX
}

fn is_running(status: &StatusView) -> bool {
    let pipelines = status.programs.iter().flat_map(|program| &program.pipelines);
    let mut steps = pipelines.filter_map(|it| it.execution.as_ref()).flat_map(|it| &it.steps);
    steps.any(|step| step.status == StepStatus::Running)
}

/// Returns the emulated time some real time after the status was read.
#[allow(clippy::cast_possible_truncation, reason = "times of the emulator are far below 2^53 ms")]
fn time_after(status: &StatusView, elapsed: Duration) -> String {
    let Ok(read) = Timestamp::parse(&status.now) else { return status.now.clone() };
    let passed = (elapsed.as_secs_f64() * 1000.0 * status.rate) as i64;
    Timestamp::from_millis(read.as_millis().saturating_add(passed)).to_string()
}

/// The changes that the emulator tells.
struct ChangeStream {
    stream: Response,
    /// The beginning of the next line.
    rest: Vec<u8>,
}

impl ChangeStream {
    /// Waits for a change. If the caller stops waiting, nothing is lost.
    async fn next(&mut self) -> Result<(), CommandError> {
        loop {
            let Ok(Some(chunk)) = self.stream.chunk().await else {
                return Err(CommandError::Stopped);
            };
            self.rest.extend_from_slice(&chunk);
            let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { continue };
            let lines: Vec<u8> = self.rest.drain(..=end).collect();
            if lines.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"event:")) {
                return Ok(());
            }
        }
    }
}
