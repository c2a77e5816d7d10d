//! What has changed, and who is told of it.

mod feed;
mod interest;
mod topics;

use std::collections::HashSet;

use super::Engine;
use super::executions::epochs::Epochs;
use crate::domain::id::{EnvironmentId, ExecutionId, PipelineKey, ProgramId, WebhookId};
use crate::domain::time::Timestamp;
use feed::Feed;
pub use feed::{Follower, News, Position};
pub use interest::{ChangeType, Interest};
use topics::Topics;
pub use topics::{Listener, Topic};

/// Something that has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// An execution.
    Execution(PipelineKey, ExecutionId),
    /// The definition of a pipeline, or many of its executions at once.
    Pipeline(PipelineKey),
    /// A program.
    Program(ProgramId),
    /// An environment.
    Environment(ProgramId, EnvironmentId),
    /// A subscription to events.
    Webhook(WebhookId),
    /// The deliveries to a subscriber.
    Deliveries(WebhookId),
    /// The clock was set or moved.
    Clock,
    /// The journal has changed up to the call with this number, which is about a program or not.
    Request(u64, Option<ProgramId>),
    /// So much in one program that it is not told one by one. Only the feed tells this.
    Many(ProgramId),
    /// Everything was replaced.
    Everything,
}

/// What a transaction changes, for those who are told after its commit.
#[derive(Default)]
pub(super) struct Changes {
    changed: Vec<Change>,
    /// How many times a step changed its status.
    pub transitions: u64,
    /// How many events there are for subscribers.
    pub events: u64,
    /// When time alone will first change one of the executions.
    pub due: Option<Timestamp>,
}

impl Changes {
    pub fn add(&mut self, change: Change) {
        self.changed.push(change);
    }

    /// Each change once.
    pub fn into_distinct(self) -> Vec<Change> {
        let mut seen = HashSet::with_capacity(self.changed.len());
        self.changed.into_iter().filter(|change| seen.insert(*change)).collect()
    }

    /// Time will change an execution at `due`.
    pub fn add_due(&mut self, due: Option<Timestamp>) {
        self.due = self.due.into_iter().chain(due).min();
    }
}

/// Everybody who is told of changes.
#[derive(Default)]
pub(super) struct Audience {
    pub epochs: Epochs,
    topics: Topics,
    feed: Feed,
}

impl Audience {
    fn tell(&self, changed: &[Change]) {
        for change in changed {
            match change {
                Change::Execution(pipeline, _) | Change::Pipeline(pipeline) => {
                    self.epochs.end(*pipeline);
                }
                Change::Everything => self.epochs.end_all(),
                Change::Program(_)
                | Change::Environment(..)
                | Change::Webhook(_)
                | Change::Deliveries(_)
                | Change::Clock
                | Change::Request(..)
                | Change::Many(_) => {}
            }
        }
        self.topics.tell(changed);
        self.feed.add(changed);
    }
}

impl Engine {
    /// Tells everybody what has changed. What memory made of it is out of date from here on.
    pub fn tell(&self, changed: &[Change]) {
        self.audience.tell(changed);
        if changed.iter().any(|change| matches!(change, Change::Clock | Change::Everything)) {
            self.schedule.wake();
        }
    }

    /// Tells of [`Change::Request`]. Nobody waits for that, so it costs less than [`Self::tell`].
    pub fn tell_request(&self, number: u64, program: Option<ProgramId>) {
        self.audience.feed.add(&[Change::Request(number, program)]);
    }

    /// Listens to changes from now on.
    #[must_use]
    pub fn listen<const N: usize>(&self, topics: [Topic; N]) -> Listener {
        self.audience.topics.listen(topics)
    }
}
