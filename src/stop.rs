//! The signals that stop the program.

use std::time::Duration;

/// How long requests in flight may take after the signal, in real time.
pub const GRACE: Duration = Duration::from_secs(10);

/// Lets a write beyond the largest size of files fail as any other, instead of ending the program.
#[cfg(unix)]
pub fn outlive_size_limits() -> std::io::Result<()> {
    let limit = signal_hook::consts::SIGXFSZ;
    signal_hook::flag::register(limit, std::sync::Arc::default()).map(drop)
}

/// The same where there is no such signal.
#[cfg(not(unix))]
pub fn outlive_size_limits() -> std::io::Result<()> {
    Ok(())
}

/// The signals, from when they are listened to.
#[cfg(unix)]
pub struct Signals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Signals {
    /// Listens from now on, so that no signal ends the program unprepared.
    pub fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hangup = (!ignores_hangup()).then_some(SignalKind::hangup());
        let others = [SignalKind::interrupt(), SignalKind::quit(), SignalKind::terminate()];
        others.into_iter().chain(hangup).map(signal).collect::<Result<_, _>>().map(Self)
    }

    /// Waits for Ctrl-C, SIGTERM, SIGQUIT or SIGHUP.
    pub async fn wait(&mut self) {
        let signals = self.0.iter_mut().map(|signal| Box::pin(signal.recv()));
        futures_util::future::select_all(signals).await;
    }
}

/// Whether this was started to go on after its terminal is gone, as with `nohup`: listening to the
/// signal would undo that. Where the system does not say, it was not.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    const SIGHUP: u64 = 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & (1 << (SIGHUP - 1)) != 0)
}

/// Ctrl-C, from when it is listened to.
#[cfg(windows)]
pub struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    /// Listens from now on, so that no signal ends the program unprepared.
    pub fn listen() -> std::io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    /// Waits for Ctrl-C.
    pub async fn wait(&mut self) {
        self.0.recv().await;
    }
}
