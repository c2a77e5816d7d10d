//! The signals that are passed on to the command.

use std::io;

use tokio::process::Child;
#[cfg(unix)]
use tokio::sync::mpsc;

/// A signal that somebody has sent to this process alone.
#[cfg(unix)]
pub(super) struct Signal(rustix::process::Signal);

/// The signals, from when they are listened to.
#[cfg(unix)]
pub(super) struct CommandSignals(mpsc::UnboundedReceiver<Signal>);

#[cfg(unix)]
impl CommandSignals {
    /// Listens from now on, so that no signal ends this process before the command.
    pub(super) fn listen() -> io::Result<Self> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
        use signal_hook::iterator::SignalsInfo;
        use signal_hook::iterator::exfiltrator::origin::WithOrigin;

        let mut incoming = SignalsInfo::<WithOrigin>::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
        let (sender, receiver) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            // A signal without a sending process comes from the terminal, which sends it to the
            // command, too. Passing it on would send it twice, and many programs skip their cleanup
            // at the second Ctrl-C.
            for origin in incoming.forever().filter(|origin| origin.process.is_some()) {
                let signal = rustix::process::Signal::from_named_raw(origin.signal).map(Signal);
                if signal.is_some_and(|signal| sender.send(signal).is_err()) {
                    return;
                }
            }
        });
        Ok(Self(receiver))
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Option<Signal> {
        self.0.recv().await
    }
}

#[cfg(unix)]
impl Signal {
    /// Sends it to the command, unless that has ended.
    pub(super) fn pass_on(self, child: &Child) {
        let pid = child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            // The command may end at this moment.
            let _ = rustix::process::kill_process(pid, self.0);
        }
    }
}

/// There are none: Ctrl-C reaches every process of a console.
#[cfg(windows)]
pub(super) enum Signal {}

/// Ctrl-C, which must not end this process before the command.
#[cfg(windows)]
pub(super) struct CommandSignals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl CommandSignals {
    /// Listens from now on.
    pub(super) fn listen() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    /// Ignores Ctrl-C: every process of the console receives it. Returns `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Signal> {
        while self.0.recv().await.is_some() {}
        None
    }
}

#[cfg(windows)]
impl Signal {
    /// There is nothing to pass on.
    pub(super) fn pass_on(self, _: &Child) {
        match self {}
    }
}
