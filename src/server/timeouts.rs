//! The time-outs of connections whose caller must act next.

use std::time::Duration;

use super::activity::{ConnectionActivity, WaitsFor};

/// The time-outs of callers, in real time. Handlers have none here.
#[derive(Clone, Debug)]
pub struct Timeouts {
    /// Until the head of a request is complete, once it has begun.
    pub head: Duration,
    /// Until the next request begins.
    pub idle: Duration,
    /// Until more of a request's body arrives, or more of an answer is read.
    pub stall: Duration,
    /// Until the response begins, if the client has closed its side of the connection: it may have
    /// disconnected.
    pub closed: Duration,
    /// The time-out for all of these once the emulator stops.
    pub end: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(30),
            // Longer than most clients keep connections (up to 90 s), so that the client closes
            // first: a request on a connection that the server closes at that moment would be lost.
            idle: Duration::from_mins(2),
            stall: Duration::from_mins(1),
            // Enough for all answers but those that wait for something.
            closed: Duration::from_secs(5),
            end: Duration::from_secs(1),
        }
    }
}

impl Timeouts {
    /// Returns the time-outs once the emulator stops.
    pub(super) fn for_shutdown(&self) -> Self {
        let end = self.end;
        Self { head: end, idle: end, stall: end, closed: end, end }
    }

    fn timeout_for(&self, waiting: WaitsFor) -> Option<Duration> {
        match waiting {
            WaitsFor::Handler => None,
            WaitsFor::Request => Some(self.idle),
            WaitsFor::Head => Some(self.head),
            WaitsFor::Body | WaitsFor::Reader => Some(self.stall),
            WaitsFor::HandlerForEnded => Some(self.closed),
        }
    }

    /// Waits until a time-out has passed without progress. The connection is checked at intervals:
    /// that costs less than resetting a timer with every read and write. A caller may get up to one
    /// interval more.
    pub(super) async fn wait_for_timeout(&self, activity: &ConnectionActivity) {
        let between = self.head.min(self.idle).min(self.stall).min(self.closed) / 2;
        let mut last = (activity.progress_count(), activity.waiting());
        let mut quiet = Duration::ZERO;
        loop {
            tokio::time::sleep(between).await;
            quiet += between;
            let now = (activity.progress_count(), activity.waiting());
            let longest = self.timeout_for(now.1);
            // The silence before a head does not count against the head.
            if now != last || longest.is_none() {
                (last, quiet) = (now, Duration::ZERO);
            }
            if longest.is_some_and(|longest| quiet >= longest) {
                return;
            }
        }
    }
}
