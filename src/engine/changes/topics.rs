//! Topics: they wake exactly those listeners that wait for a change.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use tokio::sync::Notify;

use super::Change;
use crate::domain::id::{PipelineKey, WebhookId};

/// What a listener waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// An execution of the pipeline has changed.
    Executions(PipelineKey),
    /// Deliveries to the subscriber have changed.
    Deliveries(WebhookId),
    /// Deliveries to any subscriber have changed.
    AnyDeliveries,
    /// The clock was set or moved.
    Clock,
}

impl Change {
    /// Returns the topics of the change. [`Change::Everything`] has none, because it wakes all.
    fn topics(self) -> [Option<Topic>; 2] {
        match self {
            Self::Execution(pipeline, _) | Self::Pipeline(pipeline) => {
                [Some(Topic::Executions(pipeline)), None]
            }
            Self::Webhook(webhook) | Self::Deliveries(webhook) => {
                [Some(Topic::Deliveries(webhook)), Some(Topic::AnyDeliveries)]
            }
            Self::Clock => [Some(Topic::Clock), None],
            Self::Program(_)
            | Self::Environment(..)
            | Self::Request(..)
            | Self::ManyInProgram(_)
            | Self::Everything => [None, None],
        }
    }
}

/// The listeners of each topic that has any, by their numbers. A topic without listeners is
/// removed, so that the map does not grow with every pipeline that anybody ever waited for.
#[derive(Default)]
struct Listening {
    by_topic: HashMap<Topic, HashMap<u64, Arc<Notify>>>,
    last_number: u64,
}

/// Wakes listeners by topic.
#[derive(Default)]
pub(in crate::engine) struct Topics(Arc<Mutex<Listening>>);

fn lock(listening: &Mutex<Listening>) -> MutexGuard<'_, Listening> {
    listening.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Topics {
    /// Returns a listener to these topics, from now on.
    pub fn listen<const N: usize>(&self, topics: [Topic; N]) -> Listener {
        let notify = Arc::new(Notify::new());
        let mut listening = lock(&self.0);
        listening.last_number += 1;
        let number = listening.last_number;
        for topic in topics {
            listening.by_topic.entry(topic).or_default().insert(number, notify.clone());
        }
        Listener { topics: topics.into(), number, notify, listening: self.0.clone() }
    }

    /// Wakes the listeners of these changes.
    pub fn wake(&self, changed: &[Change]) {
        let Listening { by_topic, .. } = &*lock(&self.0);
        if by_topic.is_empty() {
            return;
        }
        let wake = |listeners: &HashMap<u64, Arc<Notify>>| {
            // `notify_one` stores a permit, so a listener that is not waiting yet misses nothing.
            for notify in listeners.values() {
                notify.notify_one();
            }
        };
        for change in changed {
            if *change == Change::Everything {
                by_topic.values().for_each(wake);
            }
            let topics = change.topics().into_iter().flatten();
            topics.filter_map(|topic| by_topic.get(&topic)).for_each(wake);
        }
    }
}

/// Waits for changes of its topics. It stops listening when it is dropped.
pub struct Listener {
    topics: Box<[Topic]>,
    number: u64,
    notify: Arc<Notify>,
    listening: Arc<Mutex<Listening>>,
}

impl Listener {
    /// Forgets the changes so far. Call it before a read: changes after the read still wake the
    /// listener, and those that the read has seen do not.
    pub fn mark_seen(&mut self) {
        let _ = self.notify.notified().now_or_never();
    }

    /// Waits for a change; returns at once if there was one since the last wait or `mark_seen`.
    pub async fn changed(&mut self) {
        self.notify.notified().await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut listening = lock(&self.listening);
        for topic in &self.topics {
            if let Entry::Occupied(mut listeners) = listening.by_topic.entry(*topic) {
                listeners.get_mut().remove(&self.number);
                if listeners.get().is_empty() {
                    listeners.remove();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{ExecutionId, PipelineId, ProgramId};

    fn pipeline(id: i64) -> PipelineKey {
        PipelineKey { program_id: ProgramId::new(4), pipeline_id: PipelineId::new(id) }
    }

    #[test]
    fn those_who_wait_are_woken_by_what_they_wait_for() {
        let topics = Topics::default();
        let webhook = WebhookId::new(9);
        let mut listeners = [
            Topic::Executions(pipeline(1)),
            Topic::Executions(pipeline(2)),
            Topic::Deliveries(webhook),
            Topic::AnyDeliveries,
            Topic::Clock,
        ]
        .map(|topic| topics.listen([topic]));
        let mut woken = |changed: &[Change]| {
            topics.wake(changed);
            listeners.each_mut().map(|listener| listener.changed().now_or_never().is_some())
        };
        let execution = Change::Execution(pipeline(1), ExecutionId::new(7));
        for (changed, expected) in [
            (&[][..], [false, false, false, false, false]),
            (&[execution], [true, false, false, false, false]),
            (&[Change::Pipeline(pipeline(2))], [false, true, false, false, false]),
            (&[Change::Deliveries(webhook)], [false, false, true, true, false]),
            (&[Change::Webhook(WebhookId::new(1))], [false, false, false, true, false]),
            (&[Change::Clock], [false, false, false, false, true]),
            (&[Change::Program(ProgramId::new(4))], [false, false, false, false, false]),
            (&[Change::Everything], [true, true, true, true, true]),
            (&[Change::Clock, execution], [true, false, false, false, true]),
        ] {
            assert_eq!(woken(changed), expected, "{changed:?}");
        }
    }

    #[test]
    fn a_change_between_two_waits_is_not_missed() {
        let topics = Topics::default();
        let mut listener = topics.listen([Topic::Executions(pipeline(1)), Topic::Clock]);
        assert!(listener.changed().now_or_never().is_none());
        topics.wake(&[Change::Clock]);
        topics.wake(&[Change::Pipeline(pipeline(1))]);
        assert!(listener.changed().now_or_never().is_some());
        assert!(listener.changed().now_or_never().is_none());
        topics.wake(&[Change::Clock]);
        listener.mark_seen();
        assert!(listener.changed().now_or_never().is_none());
        topics.wake(&[Change::Clock]);
        assert!(listener.changed().now_or_never().is_some());
        assert!(listener.changed().now_or_never().is_none());
    }

    #[test]
    fn nothing_is_kept_of_those_who_have_gone() {
        let topics = Topics::default();
        let first = topics.listen([Topic::Clock, Topic::AnyDeliveries]);
        let mut second = topics.listen([Topic::Clock]);
        drop(first);
        topics.wake(&[Change::Clock]);
        assert!(second.changed().now_or_never().is_some());
        drop(second);
        assert!(lock(&topics.0).by_topic.is_empty());
    }
}
