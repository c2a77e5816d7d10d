//! A command with an emulator of its own: it is there before the command starts, and gone when the
//! command has ended.

mod intercept;
mod signals;

use std::ffi::OsString;
use std::io;
use std::pin::pin;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::sync::oneshot;

use crate::app::{App, AppError, AppOptions, Credentials};
use crate::log::{self, Recent};
use intercept::InterceptedEnvironment;
use signals::CommandSignals;

/// How long requests in flight may take when the command has ended: only processes that it has
/// left behind can still wait for them.
const GRACE: Duration = Duration::from_millis(100);

/// The exit code when there is no such command; that and the next as in a shell.
const NOT_FOUND: u8 = 127;

/// The exit code when the command is there, but can't be run.
const NOT_EXECUTABLE: u8 = 126;

/// A command, and how it reaches the emulator.
#[derive(Clone, Debug)]
pub struct CommandToRun {
    /// Its name and arguments.
    pub words: Vec<OsString>,
    /// Whether it finds the emulator under the real names.
    pub is_intercepted: bool,
}

/// Starts an emulator, runs the command and stops the emulator; the command's exit code, or 128 and
/// the number of the signal that ended it. If it fails, the log's last entries go to stderr.
pub async fn run(
    options: AppOptions,
    command: &CommandToRun,
    recent: &Recent,
) -> Result<ExitCode, AppError> {
    let signals = CommandSignals::listen().map_err(AppError::Serve)?;
    let app = App::build(options).await?;
    let credentials = app.credentials().await?;
    let interception = if command.is_intercepted {
        Some(InterceptedEnvironment::prepare(&app).await?)
    } else {
        None
    };
    let started = start(&command.words, app.url(), &credentials, interception.as_ref());
    let mut child = match started {
        Ok(child) => child,
        Err(code) => return Ok(code),
    };
    let (status, stopped) = attend(app, wait(&mut child, signals)).await;
    let status = status.map_err(AppError::Serve)?;
    if !status.success() {
        report_failure(status, &recent.entries());
    }
    stopped?;
    Ok(ExitCode::from(code_of(status)))
}

/// Runs the emulator until the command has ended. Returns the results of both.
///
/// If the emulator fails first, this is reported at once, but the command is not killed, because it
/// may have to clean up. The exit code is then that of the failure, even if the command succeeds:
/// its success means nothing if the emulator was missing.
async fn attend<T>(app: App, command: impl Future<Output = T>) -> (T, Result<(), AppError>) {
    let (end, ended) = oneshot::channel::<()>();
    let stop = async move {
        // Nothing is ever sent: this ends when the sender is dropped.
        let _ = ended.await;
    };
    let mut server = tokio::spawn(app.run_until_stopped(stop, GRACE));
    let mut command = pin!(command);
    let (status, stopped) = tokio::select! {
        status = &mut command => {
            drop(end);
            (status, server.await)
        }
        stopped = &mut server => {
            log::say("--- The emulator failed; the command continues without it.");
            (command.await, stopped)
        }
    };
    let panicked = |error| Err(AppError::Serve(io::Error::other(error)));
    (status, stopped.unwrap_or_else(panicked))
}

/// Starts the command, which learns from its environment where the emulator is.
fn start(
    command: &[OsString],
    url: &str,
    credentials: &Credentials,
    interception: Option<&InterceptedEnvironment>,
) -> Result<Child, ExitCode> {
    let Credentials { organisation, api_key, token } = credentials;
    let (name, arguments) = command.split_first().ok_or(ExitCode::from(NOT_FOUND))?;
    let mut command = Command::new(name);
    command
        .args(arguments)
        .env("CLOUDMANAGER_URL", url)
        .env("CLOUDMANAGER_API_KEY", api_key)
        .env("CLOUDMANAGER_TOKEN", token);
    if let Some(interception) = interception {
        command.envs(interception.variables());
    } else {
        // What `aio` reads as its setting cloudmanager.base_url.
        command.env("AIO_CLOUDMANAGER_BASE__URL", url);
        // The command must call the emulator directly: a proxy can't reach this machine's loopback.
        for name in ["no_proxy", "NO_PROXY"] {
            let others = std::env::var(name).unwrap_or_default();
            command.env(name, format!("{others},127.0.0.1,localhost").trim_start_matches(','));
        }
    }
    match organisation {
        Some(organisation) => command.env("CLOUDMANAGER_ORG_ID", organisation),
        None => command.env_remove("CLOUDMANAGER_ORG_ID"),
    };
    command.spawn().map_err(|error| {
        let name = name.display();
        if error.kind() == io::ErrorKind::NotFound {
            log::say(&format!("{name}: command not found"));
            ExitCode::from(NOT_FOUND)
        } else {
            log::say(&format!("{name}: can't be run: {error}"));
            ExitCode::from(NOT_EXECUTABLE)
        }
    })
}

/// Waits until the command ends. Passes signals on to it, which it may ignore.
async fn wait(child: &mut Child, mut signals: CommandSignals) -> io::Result<ExitStatus> {
    loop {
        tokio::select! {
            ended = child.wait() => return ended,
            Some(signal) = signals.next() => signal.pass_on(child),
        }
    }
}

/// The number of the signal that ended the command, if one has.
fn signal_of(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    return None;
}

fn code_of(status: ExitStatus) -> u8 {
    let code = signal_of(status).map(|signal| 128 + signal).or(status.code());
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Shows what the emulator has done for a command that failed.
fn report_failure(status: ExitStatus, entries: &[String]) {
    let how = match signal_of(status) {
        Some(signal) => format!("was terminated by signal {signal}"),
        None => format!("failed with exit code {}", code_of(status)),
    };
    if entries.is_empty() {
        log::say(&format!(
            "--- The command {how}; the emulator's log is empty: no request has reached it."
        ));
    } else {
        log::say(&format!("--- The command {how}; the end of the emulator's log:"));
        for entry in entries {
            log::say(entry.trim_end_matches('\n'));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpStream;

    use super::*;
    use crate::access::Auth;
    use crate::app::InterceptionOptions;
    use crate::engine::EngineOptions;
    use crate::server::Timeouts;

    fn options() -> AppOptions {
        AppOptions {
            listen: ([127, 0, 0, 1], 0).into(),
            database: None,
            seed: None,
            public_url: None,
            event_url: None,
            allow_hosts: Vec::new(),
            auth: Auth::Open,
            engine: EngineOptions::default(),
            timeouts: Timeouts::default(),
            interception: InterceptionOptions::default(),
        }
    }

    #[tokio::test]
    async fn the_command_outlives_an_emulator_that_fails() {
        let mut app = App::build(options()).await.unwrap();
        app.add_worker("clerk", async { panic!("on purpose") });
        let mut connection = TcpStream::connect(&app.url()["http://".len()..]).await.unwrap();
        let command = async move {
            // The emulator closes the connection when it stops.
            let _ = connection.read(&mut [0]).await;
            "ended by itself"
        };
        let (ended, stopped) = attend(app, command).await;
        assert_eq!(ended, "ended by itself");
        let error = stopped.unwrap_err();
        let told = "the clerk failed, so the emulator has stopped: it panicked: on purpose";
        assert_eq!((error.to_string().as_str(), error.exit_code()), (told, 1));
    }

    #[tokio::test]
    async fn the_emulator_stops_when_the_command_has_ended() {
        let app = App::build(options()).await.unwrap();
        let (code, stopped) = attend(app, async { 7 }).await;
        assert!(code == 7 && stopped.is_ok(), "{stopped:?}");
    }
}
