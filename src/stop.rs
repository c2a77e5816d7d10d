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
pub struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Listens from now on, so that no signal ends the program unprepared.
    pub fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for Ctrl-C or SIGTERM.
    pub async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
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
