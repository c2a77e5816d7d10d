//! Events for subscribers, and who subscribes.

use serde::Serialize;

use super::insert::insert_rows;
use super::{Database, StoreError, Transaction};
use crate::domain::event::{Event, EventKind};
use crate::domain::execution::Execution;
use crate::domain::id::{ExecutionId, TenantId};
use crate::domain::time::Timestamp;

/// A subscription to the events of a tenant's executions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Number; zero before it is stored.
    pub id: i64,
    /// The tenant.
    pub tenant_id: TenantId,
    /// The subscriber, named in each event.
    pub client_id: String,
    /// Signs the deliveries.
    pub client_secret: String,
    /// Where events are delivered.
    pub url: String,
    /// The names of the events, or `all`.
    pub events: Vec<String>,
}

/// The stored name of an event, which is also the name in subscriptions.
#[must_use]
pub fn name(kind: EventKind) -> &'static str {
    match kind {
        EventKind::ExecutionStarted => "pipelineExecutionStart",
        EventKind::StepStarted => "pipelineExecutionStepStart",
        EventKind::StepWaiting => "pipelineExecutionStepWaiting",
        EventKind::StepEnded => "pipelineExecutionStepEnd",
        EventKind::ExecutionEnded => "pipelineExecutionEnd",
    }
}

/// All event names that a subscription may list.
pub const NAMES: [&str; 6] = [
    "all",
    "pipelineExecutionStart",
    "pipelineExecutionStepStart",
    "pipelineExecutionStepWaiting",
    "pipelineExecutionStepEnd",
    "pipelineExecutionEnd",
];

impl Webhook {
    /// Whether the subscriber wants to be told of such an event.
    #[must_use]
    pub fn wants(&self, kind: EventKind) -> bool {
        self.events.iter().any(|event| event == "all" || event == name(kind))
    }
}

/// Stores subscriptions.
pub async fn insert_webhooks(
    tx: &mut Transaction<'_>,
    webhooks: &[Webhook],
) -> Result<(), StoreError> {
    let rows: Vec<_> = webhooks
        .iter()
        .map(|Webhook { id: _, tenant_id, client_id, client_secret, url, events }| {
            (tenant_id.number(), client_id, client_secret, url, events)
        })
        .collect();
    insert_rows(
        tx,
        "INSERT INTO webhooks (tenant_id, client_id, client_secret, url, events) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value -> 4 FROM json_each($1)",
        &rows,
    )
    .await
}

/// All subscriptions.
pub async fn list_webhooks(database: &Database) -> Result<Vec<Webhook>, StoreError> {
    let rows: Vec<(i64, i64, String, String, String, String)> = sqlx::query_as(
        "SELECT id, tenant_id, client_id, client_secret, url, events FROM webhooks ORDER BY id",
    )
    .fetch_all(database.readers())
    .await?;
    rows.into_iter()
        .map(|(id, tenant_id, client_id, client_secret, url, events)| {
            Ok(Webhook {
                id,
                tenant_id: TenantId::new(tenant_id),
                client_id,
                client_secret,
                url,
                events: serde_json::from_str(&events).map_err(StoreError::unreadable)?,
            })
        })
        .collect()
}

/// An event that a subscriber is to be told of; written in the order of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct EventRow {
    published_at: Timestamp,
    execution_id: ExecutionId,
    position: usize,
    webhook_id: i64,
    step: Option<usize>,
    kind: &'static str,
}

/// The rows for what happened to an execution, one for each event and subscriber who wants it.
#[must_use]
pub fn rows_for(execution: &Execution, happened: &[Event], webhooks: &[&Webhook]) -> Vec<EventRow> {
    let mut rows = Vec::new();
    for (position, Event { kind, at, step }) in happened.iter().enumerate() {
        for webhook in webhooks.iter().filter(|webhook| webhook.wants(*kind)) {
            rows.push(EventRow {
                published_at: *at,
                execution_id: execution.id,
                position,
                webhook_id: webhook.id,
                step: *step,
                kind: name(*kind),
            });
        }
    }
    rows
}

/// Stores events, numbered by the time at which they were published.
pub async fn insert(tx: &mut Transaction<'_>, mut rows: Vec<EventRow>) -> Result<(), StoreError> {
    rows.sort_unstable();
    let rows: Vec<_> = rows
        .into_iter()
        .map(|EventRow { published_at, execution_id, position: _, webhook_id, step, kind }| {
            (webhook_id, execution_id, step, kind, published_at)
        })
        .collect();
    insert_rows(
        tx,
        "INSERT INTO events (webhook_id, execution_id, step, kind, published_at) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 \
         FROM json_each($1) ORDER BY key",
        &rows,
    )
    .await
}
