//! Storing deliveries and the outcome of attempts.

use serde::Serialize;

use crate::domain::delivery::{
    Attempt, Attempted, Delivery, DeliveryStatus, Failures, NewDelivery, Next, Notice, Reply,
};
use crate::domain::id::{
    DeliveryId, ExecutionId, PhaseId, PipelineId, PipelineKey, ProgramId, StepId, WebhookId,
};
use crate::domain::time::Timestamp;
use crate::store::insert::insert_rows;
use crate::store::{StoreError, Transaction};

/// A new delivery, as a statement takes it.
#[derive(Serialize)]
struct NewRow {
    webhook_id: WebhookId,
    event_id: String,
    kind: &'static str,
    published_at: Timestamp,
    program_id: ProgramId,
    pipeline_id: PipelineId,
    execution_id: ExecutionId,
    phase_id: Option<PhaseId>,
    step_id: Option<StepId>,
    user: Option<String>,
}

impl NewRow {
    fn new(NewDelivery { webhook_id, position: _, notice }: NewDelivery) -> Self {
        let Notice { event_id, kind, published_at, pipeline, execution_id, step, user } = notice;
        let PipelineKey { program_id, pipeline_id } = pipeline;
        let (phase_id, step_id) = step.unzip();
        Self {
            webhook_id,
            event_id,
            kind: kind.as_str(),
            published_at,
            program_id,
            pipeline_id,
            execution_id,
            phase_id,
            step_id,
            user,
        }
    }
}

/// Stores new deliveries in the order in which the events were published: within a queue, they are
/// made in the order of their identifiers.
pub async fn insert(
    tx: &mut Transaction,
    mut deliveries: Vec<NewDelivery>,
) -> Result<(), StoreError> {
    deliveries.sort_unstable_by_key(|NewDelivery { webhook_id, position, notice }| {
        (notice.published_at, notice.execution_id, *position, *webhook_id)
    });
    let rows: Vec<_> = deliveries.into_iter().map(NewRow::new).collect();
    for statement in [
        "INSERT INTO deliveries (webhook_id, event_id, kind, published_at, program_id, \
         pipeline_id, execution_id, phase_id, step_id, user) \
         SELECT value ->> 'webhook_id', value ->> 'event_id', value ->> 'kind', \
         value ->> 'published_at', value ->> 'program_id', value ->> 'pipeline_id', \
         value ->> 'execution_id', value ->> 'phase_id', value ->> 'step_id', value ->> 'user' \
         FROM json_each($1) ORDER BY key",
        "INSERT INTO queues (webhook_id, execution_id, due_at) \
         SELECT value ->> 'webhook_id', value ->> 'execution_id', value ->> 'published_at' \
         FROM json_each($1) WHERE true ORDER BY key \
         ON CONFLICT (webhook_id, execution_id) DO NOTHING",
    ] {
        insert_rows(tx, statement, &rows).await?;
    }
    Ok(())
}

/// An attempt, as statements take it.
#[derive(Serialize)]
struct AttemptedRow<'a> {
    delivery_id: DeliveryId,
    event_id: &'a str,
    round: i64,
    at: Timestamp,
    answered: Option<u16>,
    error: Option<&'a str>,
    answer: Option<&'a str>,
    duration: i64,
    status: DeliveryStatus,
    failures: u32,
    failing_since: Option<Timestamp>,
    /// When the queue is due: for the next delivery, or for this one again.
    due_at: Timestamp,
}

impl<'a> AttemptedRow<'a> {
    fn new(attempted: &'a Attempted) -> Self {
        let Attempted { delivery, attempt, next } = attempted;
        let Delivery { id, webhook_id: _, notice, status: _, round } = delivery;
        let Attempt { at, reply, answer, duration } = attempt;
        let (answered, error) = match reply {
            Reply::Status(status) => (Some(*status), None),
            Reply::None(reason) => (None, Some(reason.as_str())),
        };
        let (status, due_at, failures) = match next {
            Next::Over(status) => (*status, *at, None),
            Next::Again(again, failures) => (DeliveryStatus::Pending, *again, Some(failures)),
        };
        Self {
            delivery_id: *id,
            event_id: &notice.event_id,
            round: *round,
            at: *at,
            answered,
            error,
            answer: answer.as_deref(),
            duration: *duration,
            status,
            failures: failures.map_or(0, |Failures { count, .. }| *count),
            failing_since: failures.map(|Failures { since, .. }| *since),
            due_at,
        }
    }
}

/// Records attempts. The event is compared, too: identifiers of deliveries can be used again after a
/// deletion, those of events are random.
pub(super) const RECORD: [&str; 5] = [
    "INSERT INTO attempts (delivery_id, number, at, status, error, answer, duration) \
     SELECT d.id, (SELECT coalesce(max(number), 0) + 1 FROM attempts WHERE delivery_id = d.id), \
     value ->> 'at', value ->> 'answered', value ->> 'error', value ->> 'answer', \
     value ->> 'duration' FROM json_each($1) JOIN deliveries AS d \
     ON d.id = value ->> 'delivery_id' AND d.event_id = value ->> 'event_id'",
    // The last 100 attempts at a delivery are kept.
    "DELETE FROM attempts WHERE delivery_id IN (SELECT value ->> 'delivery_id' FROM json_each($1)) \
     AND number <= (SELECT max(number) FROM attempts AS newest \
         WHERE newest.delivery_id = attempts.delivery_id) - 100",
    "UPDATE deliveries SET status = value ->> 'status', failures = value ->> 'failures', \
     failing_since = value ->> 'failing_since' FROM json_each($1) \
     WHERE deliveries.id = value ->> 'delivery_id' AND event_id = value ->> 'event_id' \
     AND round = value ->> 'round'",
    // If an earlier delivery was queued again meanwhile, the queue waits for that one.
    "UPDATE queues SET due_at = value ->> 'due_at' FROM json_each($1) JOIN deliveries AS d \
     ON d.id = value ->> 'delivery_id' AND d.event_id = value ->> 'event_id' \
     AND d.round = value ->> 'round' \
     WHERE queues.webhook_id = d.webhook_id AND queues.execution_id = d.execution_id \
     AND NOT EXISTS (SELECT 1 FROM deliveries AS earlier \
         WHERE earlier.webhook_id = d.webhook_id AND earlier.execution_id = d.execution_id \
         AND earlier.status = 'PENDING' AND earlier.id < d.id)",
    "DELETE FROM queues WHERE (webhook_id, execution_id) IN \
     (SELECT d.webhook_id, d.execution_id FROM json_each($1) JOIN deliveries AS d \
     ON d.id = value ->> 'delivery_id') \
     AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.webhook_id = queues.webhook_id \
     AND d.execution_id = queues.execution_id AND d.status = 'PENDING')",
];

/// Stores attempts and what follows from them. Attempts at deliveries that no longer exist are left
/// out. If a delivery was queued again meanwhile, the attempt is stored, but has no consequences.
pub async fn record(tx: &mut Transaction, attempted: &[Attempted]) -> Result<(), StoreError> {
    let rows: Vec<_> = attempted.iter().map(AttemptedRow::new).collect();
    for statement in RECORD {
        insert_rows(tx, statement, &rows).await?;
    }
    Ok(())
}

/// Queues a delivery again.
pub(super) const REPEAT: [&str; 2] = [
    "UPDATE deliveries SET status = 'PENDING', round = round + 1, failures = 0, \
     failing_since = NULL WHERE id = $1",
    // Only the first pending delivery decides when the queue is due.
    "INSERT INTO queues (webhook_id, execution_id, due_at) \
     SELECT webhook_id, execution_id, $2 FROM deliveries AS d WHERE id = $1 \
     AND NOT EXISTS (SELECT 1 FROM deliveries AS earlier \
         WHERE earlier.webhook_id = d.webhook_id AND earlier.execution_id = d.execution_id \
         AND earlier.status = 'PENDING' AND earlier.id < d.id) \
     ON CONFLICT (webhook_id, execution_id) DO UPDATE SET due_at = excluded.due_at",
];

/// Makes a delivery pending again, due at `now` or when the earlier ones of its queue are over.
/// Does nothing if there is no such delivery. Later ones of the queue wait until this one is over.
pub async fn repeat(
    tx: &mut Transaction,
    id: DeliveryId,
    now: Timestamp,
) -> Result<(), StoreError> {
    for statement in REPEAT {
        sqlx::query(statement).bind(id.number()).bind(now.as_millis()).execute(&mut **tx).await?;
    }
    Ok(())
}

/// Marks deliveries that can't be read as failed, each with an attempt that says why, at `now`. The
/// later ones of their queues are made next.
pub async fn give_up(
    tx: &mut Transaction,
    unreadable: &[(DeliveryId, String)],
    now: Timestamp,
) -> Result<(), StoreError> {
    for (id, reason) in unreadable {
        for statement in [
            "INSERT INTO attempts (delivery_id, number, at, error, duration) \
             SELECT id, (SELECT coalesce(max(number), 0) + 1 FROM attempts \
                 WHERE delivery_id = deliveries.id), $2, $3, 0 FROM deliveries WHERE id = $1",
            "UPDATE deliveries SET status = 'FAILED', failures = 0, failing_since = NULL \
             WHERE id = $1",
            "UPDATE queues SET due_at = $2 WHERE (webhook_id, execution_id) = \
             (SELECT webhook_id, execution_id FROM deliveries WHERE id = $1)",
        ] {
            let query = sqlx::query(statement).bind(id.number()).bind(now.as_millis());
            query.bind(reason).execute(&mut **tx).await?;
        }
    }
    Ok(())
}

/// Removes the queues of a subscriber that hold no pending delivery.
pub async fn remove_empty_queues(
    tx: &mut Transaction,
    webhook_id: WebhookId,
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM queues WHERE webhook_id = $1 AND NOT EXISTS (SELECT 1 FROM deliveries AS d \
         WHERE d.webhook_id = queues.webhook_id AND d.execution_id = queues.execution_id \
         AND d.status = 'PENDING')",
    )
    .bind(webhook_id.number())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Removes the given deliveries with their attempts, except pending ones.
pub async fn delete_finished(
    tx: &mut Transaction,
    deliveries: &[DeliveryId],
) -> Result<(), StoreError> {
    // A delivery may have been requested again since it was found.
    insert_rows(
        tx,
        "DELETE FROM deliveries WHERE id IN (SELECT value FROM json_each($1)) \
         AND status <> 'PENDING'",
        deliveries,
    )
    .await
}
