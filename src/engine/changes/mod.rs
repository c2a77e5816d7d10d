//! Changes, and how they are announced: epochs, topics and the feed.

mod feed;
mod filter;
mod step_log;
mod topics;

use std::collections::HashSet;

use super::Engine;
use super::executions::epochs::Epochs;
use crate::domain::id::{EnvironmentId, ExecutionId, PipelineKey, ProgramId, WebhookId};
use crate::domain::time::Timestamp;
use feed::Feed;
pub use feed::{FeedUpdate, Follower, Position};
pub use filter::{ChangeFilter, ChangeType};
pub(super) use step_log::StepLog;
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
    /// The journal has changed, up to the call with this number; with the program of that call, if
    /// it is about one.
    Request(u64, Option<ProgramId>),
    /// More changes in one program than are listed one by one. Only the feed creates this.
    ManyInProgram(ProgramId),
    /// Everything was replaced.
    Everything,
}

/// What a transaction changes. It is announced after the commit.
#[derive(Default)]
pub(super) struct Changes {
    changed: Vec<Change>,
    /// How many times a step changed its status.
    pub transitions: u64,
    /// These changes of steps, for the log.
    pub steps: StepLog,
    /// How many events there are for subscribers.
    pub events: u64,
    /// The earliest time at which a changed execution is due.
    pub due: Option<Timestamp>,
}

impl Changes {
    pub fn add(&mut self, change: Change) {
        self.changed.push(change);
    }

    /// Returns each change once: many deliveries to one subscriber, for example, are one change.
    pub fn into_distinct(self) -> Vec<Change> {
        let mut seen = HashSet::with_capacity(self.changed.len());
        self.changed.into_iter().filter(|change| seen.insert(*change)).collect()
    }

    /// Notes that an execution is due at this time, if it ever is.
    pub fn add_due(&mut self, due: Option<Timestamp>) {
        self.due = self.due.into_iter().chain(due).min();
    }
}

/// Announces changes to everything that depends on them.
#[derive(Default)]
pub(super) struct Notifier {
    pub epochs: Epochs,
    topics: Topics,
    feed: Feed,
}

impl Notifier {
    fn notify(&self, changed: &[Change]) {
        // Epochs end first: whoever is woken below and reads again must not get old cache entries.
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
                | Change::ManyInProgram(_) => {}
            }
        }
        self.topics.wake(changed);
        self.feed.add(changed);
    }
}

impl Engine {
    /// Announces changes. Cache entries that depend on them are out of date from here on.
    pub fn notify(&self, changed: &[Change]) {
        self.notifier.notify(changed);
        if changed.iter().any(|change| matches!(change, Change::Clock | Change::Everything)) {
            self.schedule.wake();
        }
    }

    /// Announces [`Change::Request`]. It happens with every call, and only followers of the feed
    /// want it; so this does less than [`Self::notify`].
    pub fn notify_request(&self, number: u64, program: Option<ProgramId>) {
        self.notifier.feed.add(&[Change::Request(number, program)]);
    }

    /// Returns a listener to these topics, from now on.
    #[must_use]
    pub fn listen<const N: usize>(&self, topics: [Topic; N]) -> Listener {
        self.notifier.topics.listen(topics)
    }
}
