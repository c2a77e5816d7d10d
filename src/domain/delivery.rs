//! Deliveries of events to subscribers, with their retries.
//!
//! Source: Adobe I/O Events, "Webhook retries": what is answered with 429, with 5xx other than 505
//! or not within ten seconds is sent again after 1, 2, 4, 8 and then every 15 minutes for a day;
//! every other answer that is no success ends it.

use super::event::{Event, EventKind};
use super::execution::Execution;
use super::id::{DeliveryId, ExecutionId, PhaseId, PipelineKey, StepId, WebhookId};
use super::time::{Duration, Timestamp};
use super::webhook::Webhook;
use super::word::words;

/// The pause after the first failed attempt. It doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_mins(1);

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_mins(15);

/// How long after the first failed attempt retries are made.
const RETRY_PERIOD: Duration = Duration::from_days(1);

words! {
    /// The status of a delivery.
    pub enum DeliveryStatus {
        /// It was not attempted yet, or will be retried.
        Pending = "PENDING",
        /// The subscriber has accepted it.
        Delivered = "DELIVERED",
        /// It was given up.
        Failed = "FAILED",
    }
}

/// The content of a delivery: an event, and what it happened to. It is stored whole, because the
/// execution may be deleted before the delivery is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Identifies the event, the same for every subscriber and every attempt.
    pub event_id: String,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub published_at: Timestamp,
    /// The pipeline.
    pub pipeline: PipelineKey,
    /// The execution.
    pub execution_id: ExecutionId,
    /// The step, for the events of steps.
    pub step: Option<(PhaseId, StepId)>,
    /// Who started the execution, if somebody did.
    pub user: Option<String>,
}

impl Notice {
    /// Returns the notice of an event of an execution.
    fn new(event_id: String, execution: &Execution, event: &Event) -> Self {
        let step = event.step.and_then(|position| execution.step(position));
        Self {
            event_id,
            kind: event.kind,
            published_at: event.at,
            pipeline: execution.pipeline,
            execution_id: execution.id,
            step: step.map(|(step, _)| (step.phase_id, step.id)),
            user: execution.user.clone(),
        }
    }
}

/// A notice for a subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its identifier.
    pub id: DeliveryId,
    /// The subscriber.
    pub webhook_id: WebhookId,
    /// The content.
    pub notice: Notice,
    /// The status.
    pub status: DeliveryStatus,
    /// How often it was queued. When it is queued again while an attempt is under way, the outcome
    /// of that attempt is ignored: it belongs to an earlier round.
    pub round: i64,
}

/// A delivery that is not stored yet, so it has no identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// The subscriber.
    pub webhook_id: WebhookId,
    /// The position of the event among those of the same change. It keeps their order where several
    /// happen at one time.
    pub position: usize,
    /// The content.
    pub notice: Notice,
}

/// Returns the deliveries of some events of an execution: one for each event and subscriber that
/// wants it. `make_id` makes an identifier for each event that any subscriber wants.
pub fn of(
    execution: &Execution,
    happened: &[Event],
    webhooks: &[&Webhook],
    mut make_id: impl FnMut() -> String,
) -> Vec<NewDelivery> {
    let mut deliveries = Vec::new();
    for (position, event) in happened.iter().enumerate() {
        let wants = |webhook: &&&Webhook| webhook.subscription.events.contains(&event.kind);
        let mut wanting = webhooks.iter().filter(wants).peekable();
        if wanting.peek().is_some() {
            let notice = Notice::new(make_id(), execution, event);
            deliveries.extend(wanting.map(|webhook| NewDelivery {
                webhook_id: webhook.id,
                position,
                notice: notice.clone(),
            }));
        }
    }
    deliveries
}

/// The outcome of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An answer with this status.
    Status(u16),
    /// No answer, and why.
    None(String),
}

/// An attempt at a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it was made.
    pub at: Timestamp,
    /// Its outcome.
    pub reply: Reply,
    /// The beginning of the body of an answer that was no success.
    pub answer: Option<String>,
    /// How long it took, in real milliseconds.
    pub duration: i64,
}

/// The failed attempts of a delivery in its current round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: u32,
    /// When the first was made.
    pub since: Timestamp,
}

/// A delivery that can be attempted now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueDelivery {
    /// The delivery.
    pub delivery: Delivery,
    /// The failed attempts so far, if any.
    pub failures: Option<Failures>,
}

/// A delivery with all attempts at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedDelivery {
    /// The delivery.
    pub delivery: Delivery,
    /// When it is tried next, or `None` if it is over or waits for an earlier one.
    pub next_attempt_at: Option<Timestamp>,
    /// The attempts, in order.
    pub attempts: Vec<Attempt>,
}

/// What follows from an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The delivery is over.
    Over(DeliveryStatus),
    /// It is tried again at that time.
    Again(Timestamp, Failures),
}

/// An attempt that was made, and what follows from it.
#[derive(Clone, Debug)]
pub struct Attempted {
    /// The delivery, as it was before.
    pub delivery: Delivery,
    /// The attempt.
    pub attempt: Attempt,
    /// What follows.
    pub next: Next,
}

impl DueDelivery {
    /// Returns the outcome of an attempt, and what follows from it.
    #[must_use]
    pub fn after(self, attempt: Attempt) -> Attempted {
        let next = next(&attempt.reply, self.failures, attempt.at);
        Attempted { delivery: self.delivery, attempt, next }
    }
}

/// Returns whether an attempt at `now` ends the delivery, or when it is retried. `earlier` are the
/// failed attempts before it.
fn next(reply: &Reply, earlier: Option<Failures>, now: Timestamp) -> Next {
    match reply {
        Reply::Status(200..=299) => return Next::Over(DeliveryStatus::Delivered),
        Reply::Status(429 | 500..=504 | 506..=599) | Reply::None(_) => {}
        Reply::Status(_) => return Next::Over(DeliveryStatus::Failed),
    }
    let failures = match earlier {
        None => Failures { count: 1, since: now },
        Some(Failures { count, since }) => Failures { count: count.saturating_add(1), since },
    };
    let again = now.checked_add(pause(failures.count));
    match again.filter(|again| again.since(failures.since) <= RETRY_PERIOD) {
        Some(again) => Next::Again(again, failures),
        None => Next::Over(DeliveryStatus::Failed),
    }
}

/// Returns the pause after this many failed attempts.
fn pause(failures: u32) -> Duration {
    let doubled = 2_i64.saturating_pow(failures.saturating_sub(1));
    let millis = FIRST_PAUSE.as_millis().saturating_mul(doubled);
    Duration::from_millis(millis).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::EPOCH;

    fn minutes(minutes: i64) -> Timestamp {
        START + Duration::from_mins(minutes)
    }

    #[test]
    fn success_ends_a_delivery_at_once() {
        for status in [200, 202, 204, 299] {
            let next = next(&Reply::Status(status), None, START);
            assert_eq!(next, Next::Over(DeliveryStatus::Delivered), "{status}");
        }
    }

    #[test]
    fn what_the_subscriber_refuses_is_not_sent_again() {
        for status in [100, 301, 307, 400, 401, 404, 410, 428, 430, 499, 505, 600] {
            let next = next(&Reply::Status(status), None, START);
            assert_eq!(next, Next::Over(DeliveryStatus::Failed), "{status}");
        }
    }

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour_for_a_day() {
        for reply in [429, 500, 503, 504, 506, 599]
            .map(Reply::Status)
            .into_iter()
            .chain([Reply::None("connection refused".into())])
        {
            let mut attempts = Vec::new();
            let (mut now, mut failures) = (START, None);
            let end = loop {
                attempts.push(now);
                match next(&reply, failures, now) {
                    Next::Again(at, counted) => (now, failures) = (at, Some(counted)),
                    Next::Over(status) => break status,
                }
            };
            assert_eq!(end, DeliveryStatus::Failed);
            assert_eq!(attempts[..7], [0, 1, 3, 7, 15, 30, 45].map(minutes));
            assert_eq!(attempts.last(), Some(&minutes(24 * 60)));
            assert_eq!(attempts.len(), 100);
        }
    }

    #[test]
    fn what_became_due_long_ago_is_tried_once_more() {
        let failures = Failures { count: 3, since: START };
        let late = START + Duration::from_days(14);
        let reply = Reply::Status(503);
        assert_eq!(next(&reply, Some(failures), late), Next::Over(DeliveryStatus::Failed));
        let reply = Reply::Status(200);
        assert_eq!(next(&reply, Some(failures), late), Next::Over(DeliveryStatus::Delivered));
    }
}
