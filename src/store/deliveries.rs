//! Deliveries: what subscribers are told, in which order, and what came of it.

use std::collections::HashMap;

use sqlx::QueryBuilder;
use uuid::Uuid;

use super::insert::insert_rows;
use super::{Database, StoreError, Transaction, parse_word, word};
use crate::domain::delivery::{Delivery, DeliveryStatus, Failures, Next, Notice, Reply};
use crate::domain::event::{Event, EventKind};
use crate::domain::execution::Execution;
use crate::domain::id::{
    DeliveryId, ExecutionId, PhaseId, PipelineId, PipelineKey, ProgramId, StepId, WebhookId,
};
use crate::domain::time::Timestamp;
use crate::domain::webhook::Webhook;

/// A delivery that is still to be made, before it has an identifier.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    webhook_id: WebhookId,
    /// The position of the event among what happened to the execution.
    position: usize,
    notice: Notice,
}

/// A delivery whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueDelivery {
    /// The delivery.
    pub delivery: Delivery,
    /// The attempts so far, all in vain.
    pub failures: Option<Failures>,
}

/// An attempt at a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it was made.
    pub at: Timestamp,
    /// What came of it.
    pub reply: Reply,
    /// The beginning of an answer that was no success.
    pub answer: Option<String>,
    /// How long it took, in real milliseconds.
    pub duration: i64,
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

/// A delivery with all attempts at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedDelivery {
    /// The delivery.
    pub delivery: Delivery,
    /// When it is tried next; none if it is over or waits for one before it.
    pub next_attempt_at: Option<Timestamp>,
    /// The attempts, in order.
    pub attempts: Vec<Attempt>,
}

/// Which deliveries are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// This one.
    pub id: Option<DeliveryId>,
    /// Those that stand so.
    pub status: Option<DeliveryStatus>,
    /// Those to this subscriber.
    pub webhook_id: Option<WebhookId>,
    /// Those about this execution.
    pub execution_id: Option<ExecutionId>,
    /// Those before this one.
    pub before: Option<DeliveryId>,
}

/// The deliveries of what happened to an execution, one for each event and subscriber who wants it.
#[must_use]
pub fn of(execution: &Execution, happened: &[Event], webhooks: &[&Webhook]) -> Vec<NewDelivery> {
    let mut deliveries = Vec::new();
    for (position, Event { kind, at, step }) in happened.iter().enumerate() {
        let mut wanting = webhooks.iter().filter(|w| w.subscription.events.contains(kind));
        let Some(first) = wanting.next() else { continue };
        let step = step.and_then(|position| execution.step(position));
        let notice = Notice {
            event_id: Uuid::new_v4().to_string(),
            kind: *kind,
            published_at: *at,
            pipeline: execution.pipeline,
            execution_id: execution.id,
            step: step.map(|(step, _)| (step.phase_id, step.id)),
            user: execution.user.clone(),
        };
        deliveries.extend([first].into_iter().chain(wanting).map(|webhook| NewDelivery {
            webhook_id: webhook.id,
            position,
            notice: notice.clone(),
        }));
    }
    deliveries
}

/// Stores deliveries that are to be made, in the order in which the events were published.
pub async fn insert(
    tx: &mut Transaction<'_>,
    mut deliveries: Vec<NewDelivery>,
) -> Result<(), StoreError> {
    if deliveries.is_empty() {
        return Ok(());
    }
    deliveries.sort_unstable_by_key(|NewDelivery { webhook_id, position, notice }| {
        (notice.published_at, notice.execution_id, *position, *webhook_id)
    });
    let rows: Vec<_> = deliveries
        .into_iter()
        .map(|NewDelivery { webhook_id, position: _, notice }| {
            let Notice { event_id, kind, published_at, pipeline, execution_id, step, user } =
                notice;
            let PipelineKey { program_id, pipeline_id } = pipeline;
            let (phase_id, step_id) = step.unzip();
            let event = (webhook_id, execution_id, event_id, kind.name(), published_at);
            (event, program_id, pipeline_id, phase_id, step_id, user)
        })
        .collect();
    let json = serde_json::to_string(&rows).map_err(StoreError::unreadable)?;
    sqlx::query(
        "INSERT INTO deliveries (webhook_id, execution_id, event_id, kind, published_at, \
         program_id, pipeline_id, phase_id, step_id, user, status) \
         SELECT value ->> '$[0][0]', value ->> '$[0][1]', value ->> '$[0][2]', \
         value ->> '$[0][3]', value ->> '$[0][4]', value ->> 1, value ->> 2, value ->> 3, \
         value ->> 4, value ->> 5, 'PENDING' FROM json_each($1) ORDER BY key",
    )
    .bind(&json)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "INSERT INTO queues (webhook_id, execution_id, due_at, failures) \
         SELECT value ->> '$[0][0]', value ->> '$[0][1]', value ->> '$[0][4]', 0 \
         FROM json_each($1) WHERE true ORDER BY key \
         ON CONFLICT (webhook_id, execution_id) DO NOTHING",
    )
    .bind(&json)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// When the next delivery to each subscriber is due, for those who have any pending.
pub async fn list_due_times(
    database: &Database,
) -> Result<HashMap<WebhookId, Timestamp>, StoreError> {
    let rows: Vec<(i64, Option<i64>)> = sqlx::query_as(
        "SELECT id, (SELECT min(due_at) FROM queues WHERE webhook_id = webhooks.id) \
         FROM webhooks WHERE deleted_at IS NULL",
    )
    .fetch_all(database.readers())
    .await?;
    let times = rows
        .into_iter()
        .filter_map(|(id, due_at)| Some((WebhookId::new(id), Timestamp::from_millis(due_at?))));
    Ok(times.collect())
}

/// A delivery, and of the queue that it is in: when that is due, and its failures.
type DeliveryRow = (
    i64,
    i64,
    String,
    String,
    i64,
    i64,
    i64,
    i64,
    Option<i64>,
    Option<i64>,
    Option<String>,
    String,
    Option<i64>,
    Option<u32>,
    Option<i64>,
);

/// Selects a [`DeliveryRow`] from the deliveries `d` and the queues `q`.
macro_rules! select {
    ($from:literal) => {
        concat!(
            "SELECT d.id, d.webhook_id, event_id, kind, published_at, program_id, pipeline_id, \
             d.execution_id, phase_id, step_id, user, status, due_at, failures, failing_since ",
            $from
        )
    };
}

fn read(row: DeliveryRow) -> Result<(DueDelivery, Option<Timestamp>), StoreError> {
    let (id, webhook_id, event_id, kind, published_at, program_id, pipeline_id, ..) = row;
    let (.., execution_id, phase_id, step_id, user, status, due_at, failures, failing_since) = row;
    let kind = EventKind::find(&kind)
        .ok_or_else(|| StoreError::unreadable(format!("the event {kind}")))?;
    let notice = Notice {
        event_id,
        kind,
        published_at: Timestamp::from_millis(published_at),
        pipeline: PipelineKey {
            program_id: ProgramId::new(program_id),
            pipeline_id: PipelineId::new(pipeline_id),
        },
        execution_id: ExecutionId::new(execution_id),
        step: phase_id.map(PhaseId::new).zip(step_id.map(StepId::new)),
        user,
    };
    let delivery = Delivery {
        id: DeliveryId::new(id),
        webhook_id: WebhookId::new(webhook_id),
        notice,
        status: parse_word(&status)?,
    };
    let failures = failures.zip(failing_since.map(Timestamp::from_millis));
    let failures = failures.map(|(count, since)| Failures { count, since });
    Ok((DueDelivery { delivery, failures }, due_at.map(Timestamp::from_millis)))
}

/// The first pending delivery about each execution to a subscriber whose turn it is by `now`, at
/// most `most` of them.
pub async fn list_due(
    database: &Database,
    webhook_id: WebhookId,
    now: Timestamp,
    most: u32,
) -> Result<Vec<DueDelivery>, StoreError> {
    let rows: Vec<DeliveryRow> = sqlx::query_as(select!(
        "FROM (SELECT * FROM queues WHERE webhook_id = $1 AND due_at <= $2 \
             ORDER BY due_at, execution_id LIMIT $3) AS q \
         JOIN deliveries AS d ON d.id = (SELECT min(id) FROM deliveries \
             WHERE webhook_id = q.webhook_id AND execution_id = q.execution_id \
             AND status = 'PENDING') \
         ORDER BY due_at, d.execution_id"
    ))
    .bind(webhook_id.number())
    .bind(now.as_millis())
    .bind(most)
    .fetch_all(database.readers())
    .await?;
    rows.into_iter().map(|row| Ok(read(row)?.0)).collect()
}

/// Stores attempts and what follows from them. Those at deliveries that are no longer there are
/// left out.
pub async fn record(
    tx: &mut Transaction<'_>,
    attempted: &[Attempted],
    now: Timestamp,
) -> Result<(), StoreError> {
    let rows = attempted
        .iter()
        .map(|Attempted { delivery, attempt, next }| {
            let (status, due_at, failures) = match next {
                Next::Over(status) => (*status, now, None),
                Next::Again(at, failures) => (DeliveryStatus::Pending, *at, Some(failures)),
            };
            let Attempt { at, reply, answer, duration } = attempt;
            let (answered, error) = match reply {
                Reply::Status(status) => (Some(status), None),
                Reply::None(reason) => (None, Some(reason)),
            };
            let queue = (delivery.webhook_id, delivery.notice.execution_id, due_at);
            let failures = (failures.map_or(0, |f| f.count), failures.map(|f| f.since));
            let attempt = (at, answered, error, answer, duration);
            Ok((delivery.id, &delivery.notice.event_id, word(status)?, queue, failures, attempt))
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    // Event identifiers are never used again, those of deliveries are after a reset.
    for statement in [
        "INSERT INTO attempts (delivery_id, number, at, status, error, answer, duration) \
         SELECT d.id, (SELECT count(*) + 1 FROM attempts WHERE delivery_id = d.id), \
         value ->> '$[5][0]', value ->> '$[5][1]', value ->> '$[5][2]', value ->> '$[5][3]', \
         value ->> '$[5][4]' FROM json_each($1) JOIN deliveries AS d \
         ON d.id = value ->> 0 AND event_id = value ->> 1",
        "UPDATE queues SET due_at = value ->> '$[3][2]', failures = value ->> '$[4][0]', \
         failing_since = value ->> '$[4][1]' FROM json_each($1) JOIN deliveries AS d \
         ON d.id = value ->> 0 AND event_id = value ->> 1 \
         WHERE queues.webhook_id = d.webhook_id AND queues.execution_id = d.execution_id",
        "UPDATE deliveries SET status = value ->> 2 FROM json_each($1) \
         WHERE deliveries.id = value ->> 0 AND event_id = value ->> 1",
        "DELETE FROM queues WHERE (webhook_id, execution_id) IN \
         (SELECT value ->> '$[3][0]', value ->> '$[3][1]' FROM json_each($1)) \
         AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.webhook_id = queues.webhook_id \
         AND d.execution_id = queues.execution_id AND d.status = 'PENDING')",
    ] {
        insert_rows(tx, statement, &rows).await?;
    }
    Ok(())
}

/// Makes a delivery pending again, to be made at `now`; whether there is such a delivery.
pub async fn repeat(
    tx: &mut Transaction<'_>,
    id: DeliveryId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let repeated = sqlx::query(
        "UPDATE deliveries SET status = 'PENDING' WHERE id = $1 \
         AND webhook_id IN (SELECT id FROM webhooks WHERE deleted_at IS NULL)",
    )
    .bind(id.number())
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "INSERT INTO queues (webhook_id, execution_id, due_at, failures) \
         SELECT webhook_id, execution_id, $2, 0 FROM deliveries WHERE id = $1 AND $3 \
         ON CONFLICT (webhook_id, execution_id) \
         DO UPDATE SET due_at = excluded.due_at, failures = 0, failing_since = NULL",
    )
    .bind(id.number())
    .bind(now.as_millis())
    .bind(repeated.rows_affected() > 0)
    .execute(&mut **tx)
    .await?;
    Ok(repeated.rows_affected() > 0)
}

/// The newest deliveries that are wanted, newest first, at most `most` of them.
pub async fn list(
    database: &Database,
    filter: Filter,
    most: u32,
) -> Result<Vec<RecordedDelivery>, StoreError> {
    let Filter { id, status, webhook_id, execution_id, before } = filter;
    let mut query = QueryBuilder::new(select!(
        "FROM deliveries AS d LEFT JOIN queues AS q ON q.webhook_id = d.webhook_id \
         AND q.execution_id = d.execution_id AND d.id = (SELECT min(id) FROM deliveries \
             WHERE webhook_id = d.webhook_id AND execution_id = d.execution_id \
             AND status = 'PENDING') \
         WHERE EXISTS (SELECT 1 FROM webhooks WHERE id = d.webhook_id AND deleted_at IS NULL)"
    ));
    // Only the conditions that are there, so that their indexes serve them; that of subscribers is
    // for those who ask for nothing more.
    let of_webhook = match (status, execution_id) {
        (None, None) => " AND d.webhook_id = ",
        _ => " AND +d.webhook_id = ",
    };
    for (condition, value) in [
        (" AND d.id = ", id.map(DeliveryId::number)),
        (" AND d.id < ", before.map(DeliveryId::number)),
        (of_webhook, webhook_id.map(WebhookId::number)),
        (" AND d.execution_id = ", execution_id.map(ExecutionId::number)),
    ] {
        if let Some(value) = value {
            query.push(condition).push_bind(value);
        }
    }
    if let Some(status) = status {
        query.push(" AND status = ").push_bind(word(status)?);
    }
    query.push(" ORDER BY d.id DESC LIMIT ").push_bind(most);
    let rows: Vec<DeliveryRow> = query.build_query_as().fetch_all(database.readers()).await?;

    let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
    let mut attempts = list_attempts(database, &ids).await?;
    rows.into_iter()
        .map(|row| {
            let (DueDelivery { delivery, failures: _ }, next_attempt_at) = read(row)?;
            let attempts = attempts.remove(&delivery.id).unwrap_or_default();
            Ok(RecordedDelivery { delivery, next_attempt_at, attempts })
        })
        .collect()
}

/// The attempts at some deliveries, those at each in order.
async fn list_attempts(
    database: &Database,
    deliveries: &[i64],
) -> Result<HashMap<DeliveryId, Vec<Attempt>>, StoreError> {
    type Row = (i64, i64, Option<u16>, Option<String>, Option<String>, i64);
    let ids = serde_json::to_string(deliveries).map_err(StoreError::unreadable)?;
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT delivery_id, at, status, error, answer, duration FROM attempts \
         WHERE delivery_id IN (SELECT value FROM json_each($1)) ORDER BY delivery_id, number",
    )
    .bind(ids)
    .fetch_all(database.readers())
    .await?;
    let mut attempts: HashMap<_, Vec<_>> = HashMap::new();
    for (delivery_id, at, status, error, answer, duration) in rows {
        let reply = match status {
            Some(status) => Reply::Status(status),
            None => Reply::None(error.unwrap_or_default()),
        };
        let at = Timestamp::from_millis(at);
        let attempt = Attempt { at, reply, answer, duration };
        attempts.entry(DeliveryId::new(delivery_id)).or_default().push(attempt);
    }
    Ok(attempts)
}

/// How many deliveries are still to be made.
pub async fn count_pending(database: &Database) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar("SELECT count(*) FROM deliveries WHERE status = 'PENDING'")
        .fetch_one(database.readers())
        .await?;
    Ok(count)
}
