//! How long a caller is waited for who has to do the next thing on a connection.

use std::time::Duration;

use super::activity::{Activity, Waiting};

/// How long a caller may do nothing, in real time. What is waited for within the emulator is not
/// limited here.
#[derive(Clone, Debug)]
pub struct Patience {
    /// Until the head of a request has come, once it has begun.
    pub head: Duration,
    /// Until the next request comes.
    pub idle: Duration,
    /// Until more of a request's body comes, or more of an answer is read.
    pub stall: Duration,
    /// The same for all of these, once the emulator stops.
    pub end: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(30),
            // Longer than clients keep connections (mostly up to 90 s): they must not send a
            // request over one that is being closed.
            idle: Duration::from_mins(2),
            stall: Duration::from_mins(1),
            end: Duration::from_secs(1),
        }
    }
}

impl Patience {
    /// How long is waited once the emulator stops.
    pub(super) fn at_the_end(&self) -> Self {
        let end = self.end;
        Self { head: end, idle: end, stall: end, end }
    }

    fn for_what(&self, waiting: Waiting) -> Option<Duration> {
        match waiting {
            Waiting::Handler => None,
            Waiting::Request => Some(self.idle),
            Waiting::Head => Some(self.head),
            Waiting::Body | Waiting::Reader => Some(self.stall),
        }
    }

    /// Waits until a caller has done nothing for too long. Looking at a connection now and then
    /// costs less than a timer for each thing that happens on it; the caller may get as much more
    /// time as there is between two looks.
    pub(super) async fn lose(&self, activity: &Activity) {
        let between = self.head.min(self.idle).min(self.stall) / 2;
        let (mut moves, mut quiet) = (activity.moves(), Duration::ZERO);
        loop {
            tokio::time::sleep(between).await;
            quiet += between;
            let now = activity.moves();
            let longest = self.for_what(activity.waiting());
            if now != moves || longest.is_none() {
                (moves, quiet) = (now, Duration::ZERO);
            }
            if longest.is_some_and(|longest| quiet >= longest) {
                return;
            }
        }
    }
}
