//! Deliveries: what is due, in which order, and what was recorded.

/// Selects a [`DeliveryRow`] from the deliveries `d` and the queues `q`.
macro_rules! select {
    ($from:literal) => {
        concat!(
            "SELECT d.id, d.webhook_id, event_id, kind, published_at, program_id, pipeline_id, \
             d.execution_id, phase_id, step_id, user, status, round, failures, failing_since, \
             due_at ",
            $from
        )
    };
}

mod check;
#[cfg(test)]
mod tests;
mod write;

use std::collections::HashMap;

use sqlx::QueryBuilder;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};

use super::{Database, FoundRow, InRow, StoreError, parse_word};
use crate::domain::delivery::{
    Attempt, Delivery, DeliveryStatus, DueDelivery, Failures, Notice, RecordedDelivery, Reply,
};
use crate::domain::id::{
    DeliveryId, ExecutionId, PhaseId, PipelineId, PipelineKey, ProgramId, StepId, WebhookId,
};
use crate::domain::time::Timestamp;
pub use check::{check_all, find_fault};
pub use write::{delete_finished, give_up, insert, record, remove_empty_queues, repeat};

/// How many deliveries to a subscriber are kept, whether or not they are pending. Older ones go once
/// they are not pending any more.
pub const KEPT: u32 = 10_000;

/// A filter for deliveries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// This one.
    pub id: Option<DeliveryId>,
    /// Those with this status.
    pub status: Option<DeliveryStatus>,
    /// Those to this subscriber.
    pub webhook_id: Option<WebhookId>,
    /// Those about this execution.
    pub execution_id: Option<ExecutionId>,
    /// Those before this one.
    pub before: Option<DeliveryId>,
}

/// Returns when the next delivery to each subscriber is due, for those who have any pending.
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

struct DeliveryRow {
    id: i64,
    webhook_id: i64,
    event_id: String,
    kind: String,
    published_at: i64,
    program_id: i64,
    pipeline_id: i64,
    execution_id: i64,
    phase_id: Option<i64>,
    step_id: Option<i64>,
    user: Option<String>,
    status: String,
    round: i64,
    failures: u32,
    failing_since: Option<i64>,
    due_at: Option<i64>,
}

impl<'r> FromRow<'r, SqliteRow> for DeliveryRow {
    fn from_row(row: &'r SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get(0)?,
            webhook_id: row.try_get(1)?,
            event_id: row.try_get(2)?,
            kind: row.try_get(3)?,
            published_at: row.try_get(4)?,
            program_id: row.try_get(5)?,
            pipeline_id: row.try_get(6)?,
            execution_id: row.try_get(7)?,
            phase_id: row.try_get(8)?,
            step_id: row.try_get(9)?,
            user: row.try_get(10)?,
            status: row.try_get(11)?,
            round: row.try_get(12)?,
            failures: row.try_get(13)?,
            failing_since: row.try_get(14)?,
            due_at: row.try_get(15)?,
        })
    }
}

impl DeliveryRow {
    /// Returns the delivery, and when it is tried next.
    fn read(self) -> Result<(DueDelivery, Option<Timestamp>), StoreError> {
        let id = self.id;
        self.read_columns().in_row("deliveries", id)
    }

    fn read_columns(self) -> Result<(DueDelivery, Option<Timestamp>), StoreError> {
        let Self {
            id,
            webhook_id,
            event_id,
            kind,
            published_at,
            program_id,
            pipeline_id,
            execution_id,
            phase_id,
            step_id,
            user,
            status,
            round,
            failures,
            failing_since,
            due_at,
        } = self;
        let step = match (phase_id, step_id) {
            (Some(phase), Some(step)) => Some((PhaseId::new(phase), StepId::new(step))),
            (None, None) => None,
            _ => return Err(StoreError::unreadable("half a step")),
        };
        let failures = match (failures, failing_since) {
            (0, None) => None,
            (count @ 1.., Some(since)) => {
                Some(Failures { count, since: Timestamp::from_millis(since) })
            }
            _ => return Err(StoreError::unreadable("failures do not fit failing_since")),
        };
        let notice = Notice {
            event_id,
            kind: kind.parse().map_err(|_| StoreError::unreadable(format!("the event {kind}")))?,
            published_at: Timestamp::from_millis(published_at),
            pipeline: PipelineKey {
                program_id: ProgramId::new(program_id),
                pipeline_id: PipelineId::new(pipeline_id),
            },
            execution_id: ExecutionId::new(execution_id),
            step,
            user,
        };
        let delivery = Delivery {
            id: DeliveryId::new(id),
            webhook_id: WebhookId::new(webhook_id),
            notice,
            status: parse_word(&status)?,
            round,
        };
        Ok((DueDelivery { delivery, failures }, due_at.map(Timestamp::from_millis)))
    }
}

/// The first delivery of each queue that is due.
const DUE: &str = select!(
    "FROM (SELECT * FROM queues WHERE webhook_id = $1 AND due_at <= $2 \
         ORDER BY due_at, execution_id LIMIT $3) AS q \
     JOIN deliveries AS d ON d.id = (SELECT min(id) FROM deliveries \
         WHERE webhook_id = q.webhook_id AND execution_id = q.execution_id \
         AND status = 'PENDING') \
     ORDER BY due_at, d.execution_id"
);

/// What is due to a subscriber.
#[derive(Debug, Default)]
pub struct DueDeliveries {
    /// The deliveries.
    pub deliveries: Vec<DueDelivery>,
    /// Those that can't be read, and why.
    pub unreadable: Vec<(DeliveryId, String)>,
}

/// Returns the first pending delivery of each queue of a subscriber that is due at or before `now`,
/// at most `most` of them.
pub async fn list_due(
    database: &Database,
    webhook_id: WebhookId,
    now: Timestamp,
    most: u32,
) -> Result<DueDeliveries, StoreError> {
    let rows: Vec<FoundRow<(i64,), DeliveryRow>> = sqlx::query_as(DUE)
        .bind(webhook_id.number())
        .bind(now.as_millis())
        .bind(most)
        .fetch_all(database.readers())
        .await?;
    let mut due = DueDeliveries::default();
    for FoundRow { key: (id,), columns } in rows {
        match columns.in_row("deliveries", id).and_then(DeliveryRow::read) {
            Ok((delivery, _)) => due.deliveries.push(delivery),
            Err(StoreError::Unreadable(reason)) => {
                due.unreadable.push((DeliveryId::new(id), reason));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(due)
}

/// Returns whether any queue of a subscriber is due by `now`.
pub async fn has_due_queue(
    database: &Database,
    webhook_id: WebhookId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM queues WHERE webhook_id = $1 AND due_at <= $2)",
    )
    .bind(webhook_id.number())
    .bind(now.as_millis())
    .fetch_one(database.readers())
    .await?;
    Ok(found)
}

/// Deliveries, each with the time of its next attempt.
const LIST: &str = select!(
    "FROM deliveries AS d LEFT JOIN queues AS q ON q.webhook_id = d.webhook_id \
     AND q.execution_id = d.execution_id AND d.id = (SELECT min(id) FROM deliveries \
         WHERE webhook_id = d.webhook_id AND execution_id = d.execution_id \
         AND status = 'PENDING') \
     WHERE EXISTS (SELECT 1 FROM webhooks WHERE id = d.webhook_id AND deleted_at IS NULL)"
);

/// Returns the newest deliveries that are wanted, newest first, at most `most` of them. Those that
/// can't be read are left out.
pub async fn list(
    connection: &mut SqliteConnection,
    filter: DeliveryFilter,
    most: u32,
) -> Result<Vec<RecordedDelivery>, StoreError> {
    let DeliveryFilter { id, status, webhook_id, execution_id, before } = filter;
    let mut query = QueryBuilder::new(LIST);
    // Only conditions that are given: with `$1 IS NULL OR …`, SQLite would use no index.
    for (condition, value) in [
        (" AND d.id = ", id.map(DeliveryId::number)),
        (" AND d.id < ", before.map(DeliveryId::number)),
        (" AND d.webhook_id = ", webhook_id.map(WebhookId::number)),
        (" AND d.execution_id = ", execution_id.map(ExecutionId::number)),
    ] {
        if let Some(value) = value {
            query.push(condition).push_bind(value);
        }
    }
    if let Some(status) = status {
        query.push(" AND status = ").push_bind(status.as_str());
    }
    query.push(" ORDER BY d.id DESC LIMIT ").push_bind(most);
    let rows: Vec<FoundRow<(i64,), DeliveryRow>> =
        query.build_query_as().fetch_all(&mut *connection).await?;

    let ids: Vec<i64> = rows.iter().map(|row| row.key.0).collect();
    let mut attempts = list_attempts(connection, &ids).await?;
    let mut deliveries = Vec::with_capacity(rows.len());
    for FoundRow { columns, .. } in rows {
        match columns.and_then(DeliveryRow::read) {
            Ok((DueDelivery { delivery, failures: _ }, next_attempt_at)) => {
                let attempts = attempts.remove(&delivery.id).unwrap_or_default();
                deliveries.push(RecordedDelivery { delivery, next_attempt_at, attempts });
            }
            Err(StoreError::Unreadable(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(deliveries)
}

/// Returns the attempts at some deliveries, those at each in order.
async fn list_attempts(
    connection: &mut SqliteConnection,
    deliveries: &[i64],
) -> Result<HashMap<DeliveryId, Vec<Attempt>>, StoreError> {
    type Row = (i64, i64, i64, Option<u16>, Option<String>, Option<String>, i64);
    let ids = serde_json::to_string(deliveries).map_err(StoreError::unreadable)?;
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT delivery_id, number, at, status, error, answer, duration FROM attempts \
         WHERE delivery_id IN (SELECT value FROM json_each($1)) ORDER BY delivery_id, number",
    )
    .bind(ids)
    .fetch_all(&mut *connection)
    .await?;
    let mut attempts: HashMap<_, Vec<_>> = HashMap::new();
    for (delivery_id, number, at, status, error, answer, duration) in rows {
        let reply = match (status, error) {
            (Some(status), None) => Reply::Status(status),
            (None, Some(error)) => Reply::None(error),
            _ => {
                let why = StoreError::unreadable("neither an answer nor an error, or both");
                return Err(why).in_row("attempts", (delivery_id, number));
            }
        };
        let at = Timestamp::from_millis(at);
        let attempt = Attempt { at, reply, answer, duration };
        attempts.entry(DeliveryId::new(delivery_id)).or_default().push(attempt);
    }
    Ok(attempts)
}

/// Returns how many deliveries are still to be made.
pub async fn count_pending(database: &Database) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar("SELECT count(*) FROM deliveries WHERE status = 'PENDING'")
        .fetch_one(database.readers())
        .await?;
    Ok(count)
}

/// Returns finished deliveries that are older than the last [`KEPT`] of their webhook, at most `most`.
pub async fn list_old(database: &Database, most: u32) -> Result<Vec<DeliveryId>, StoreError> {
    // SQLite keeps the order of a CROSS JOIN. So it finds the newest old delivery of each webhook
    // first, and then the older ones by index.
    let ids: Vec<i64> = sqlx::query_scalar(
        "WITH newest_old (webhook_id, id) AS MATERIALIZED ( \
             SELECT id, (SELECT id FROM deliveries WHERE webhook_id = webhooks.id \
                 ORDER BY id DESC LIMIT 1 OFFSET $1) \
             FROM webhooks WHERE deleted_at IS NULL) \
         SELECT deliveries.id FROM newest_old CROSS JOIN deliveries \
         ON deliveries.webhook_id = newest_old.webhook_id AND deliveries.id <= newest_old.id \
         WHERE deliveries.status IN ('DELIVERED', 'FAILED') LIMIT $2",
    )
    .bind(KEPT)
    .bind(most)
    .fetch_all(database.readers())
    .await?;
    Ok(ids.into_iter().map(DeliveryId::new).collect())
}

/// Returns when a delivery to a subscriber is due next, after `now`.
pub async fn find_next_due(
    database: &Database,
    webhook_id: WebhookId,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let due: Option<i64> =
        sqlx::query_scalar("SELECT min(due_at) FROM queues WHERE webhook_id = $1 AND due_at > $2")
            .bind(webhook_id.number())
            .bind(now.as_millis())
            .fetch_one(database.readers())
            .await?;
    Ok(due.map(Timestamp::from_millis))
}
