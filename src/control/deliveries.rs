//! Deliveries: what was sent to subscribers, and what came of it.

use std::str::FromStr;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::Control;
use super::wait::{TimeoutParameter, read_timeout, with_timeout};
use crate::domain::delivery::{Attempt, Delivery, DeliveryStatus, RecordedDelivery, Reply};
use crate::domain::id::InvalidId;
use crate::engine::catalog::Catalog;
use crate::engine::deliveries::Recorded;
use crate::events::body::EventBody;
use crate::extract::NamedDelivery;
use crate::http::problem::Problem;
use crate::http::query::{QueryParameters, QueryReader};
use crate::input;
use crate::store::deliveries::DeliveryFilter;

/// How many deliveries an answer has if nothing is said.
const LIMIT: u32 = 100;

/// How many deliveries an answer has at most.
const LARGEST_LIMIT: u32 = 1000;

/// Deliveries, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryList {
    deliveries: Vec<DeliveryView>,
}

/// An event for a subscriber, and the attempts to deliver it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Delivery)]
pub struct DeliveryView {
    /// The identifier; later deliveries have greater ones.
    id: String,
    webhook_id: String,
    /// The name of the event, as in subscriptions.
    event: &'static str,
    execution_id: String,
    status: DeliveryStatus,
    /// When the next attempt is due; absent while an earlier event of the execution is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<String>,
    /// The attempts, in order; at most the last 100.
    attempts: Vec<AttemptView>,
    /// The request body.
    #[schema(value_type = EventBody)]
    body: Value,
}

/// An attempt to deliver an event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeliveryAttempt)]
struct AttemptView {
    at: String,
    /// The status of the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// Why there was no response.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The first 1 KiB of the body of an unsuccessful response.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    /// How long it took, in real milliseconds.
    duration: i64,
}

impl AttemptView {
    fn new(Attempt { at, reply, answer, duration }: Attempt) -> Self {
        let (status, error) = match reply {
            Reply::Status(status) => (Some(status), None),
            Reply::None(reason) => (None, Some(reason)),
        };
        Self { at: at.to_string(), status, error, answer, duration }
    }
}

impl DeliveryView {
    /// The view of a delivery; none if its subscriber has gone.
    fn new(recorded: RecordedDelivery, catalog: &Catalog, base_url: &str) -> Option<Self> {
        let RecordedDelivery { delivery, next_attempt_at, attempts } = recorded;
        let Delivery { id, webhook_id, notice, status, round: _ } = delivery;
        let subscriber = &catalog.find_webhook(webhook_id)?.subscription;
        let tenant = catalog.find_tenant(subscriber.tenant_id)?;
        let body = EventBody::new(&notice, &tenant.ims_org_id, &subscriber.client_id, base_url);
        Some(Self {
            id: id.to_string(),
            webhook_id: webhook_id.to_string(),
            event: notice.kind.as_str(),
            execution_id: notice.execution_id.to_string(),
            status,
            next_attempt_at: next_attempt_at.map(|at| at.to_string()),
            attempts: attempts.into_iter().map(AttemptView::new).collect(),
            body: serde_json::to_value(body).unwrap_or_default(),
        })
    }
}

/// The query parameters that choose deliveries.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "it describes what `WantedDeliveries` reads")]
pub struct DeliveryParameters {
    /// Only deliveries with this status.
    status: Option<DeliveryStatus>,
    /// Only deliveries to this webhook.
    #[param(pattern = "^[1-9][0-9]{0,18}$")]
    webhook_id: Option<String>,
    /// Only deliveries about this execution.
    #[param(pattern = "^[1-9][0-9]{0,18}$")]
    execution_id: Option<String>,
    /// Only deliveries older than the one with this identifier, for paging.
    #[param(pattern = "^[1-9][0-9]{0,18}$")]
    before: Option<String>,
    /// The maximum number of deliveries; 100 if absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// The names of [`DeliveryParameters`].
const WANTED: [&str; 5] = ["status", "webhookId", "executionId", "before", "limit"];

/// Which deliveries are wanted, and how many at most.
pub struct WantedDeliveries(DeliveryFilter, u32);

impl<S: Send + Sync> FromRequestParts<S> for WantedDeliveries {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = QueryParameters::from_request_parts(parts, state).await?;
        let mut reader = QueryReader::new(&query, &WANTED);
        let wanted = Self::read(&mut reader);
        reader.finish()?;
        Ok(wanted)
    }
}

impl WantedDeliveries {
    fn read(reader: &mut QueryReader<'_>) -> Self {
        fn id<T: FromStr<Err = InvalidId>>(text: &str) -> Result<T, String> {
            text.parse().map_err(|error: InvalidId| error.to_string())
        }
        let status = reader.read("status", |text| input::read_word(&text.to_uppercase()));
        let limit = reader.read("limit", |text| {
            let limit = text.parse().ok().filter(|limit| (1..=LARGEST_LIMIT).contains(limit));
            limit.ok_or_else(|| format!("must be a whole number from 1 to {LARGEST_LIMIT}"))
        });
        let filter = DeliveryFilter {
            id: None,
            status,
            webhook_id: reader.read("webhookId", id),
            execution_id: reader.read("executionId", id),
            before: reader.read("before", id),
        };
        Self(filter, limit.unwrap_or(LIMIT))
    }
}

impl DeliveryList {
    fn new(Recorded { deliveries, catalog }: Recorded, base_url: &str) -> Self {
        let views =
            deliveries.into_iter().filter_map(|it| DeliveryView::new(it, &catalog, base_url));
        Self { deliveries: views.collect() }
    }
}

async fn list(
    control: &Control,
    WantedDeliveries(filter, limit): WantedDeliveries,
) -> Result<DeliveryList, Problem> {
    let recorded = control.engine.list_deliveries(filter, limit).await?;
    Ok(DeliveryList::new(recorded, control.deliverer.base_url()))
}

/// Lists webhook deliveries, newest first. The emulator keeps all pending deliveries and the last
/// 10,000 of each webhook.
#[utoipa::path(get, path = "/_emulator/deliveries", operation_id = "getDeliveries",
    tag = "Emulator", params(DeliveryParameters),
    responses((status = 200, description = "The deliveries", body = DeliveryList)))]
pub async fn get_deliveries(
    State(control): State<Control>,
    wanted: WantedDeliveries,
) -> Result<Json<DeliveryList>, Problem> {
    list(&control, wanted).await.map(Json)
}

/// Waits until every due delivery has been attempted, then returns the deliveries.
#[utoipa::path(get, path = "/_emulator/deliveries/wait", operation_id = "waitForDeliveries",
    tag = "Emulator",
    params(DeliveryParameters, TimeoutParameter),
    responses((status = 200, description = "The deliveries", body = DeliveryList),
        (status = 408, description = "Not every due delivery was attempted in time", body = Problem,
            content_type = "application/problem+json"),
        (status = 503, description = "The emulator is shutting down", body = Problem,
            content_type = "application/problem+json")))]
pub async fn wait_for_deliveries(
    State(control): State<Control>,
    query: QueryParameters,
) -> Result<Json<DeliveryList>, Problem> {
    let known: Vec<_> = WANTED.into_iter().chain(["timeout"]).collect();
    let mut reader = QueryReader::new(&query, &known);
    let wanted = WantedDeliveries::read(&mut reader);
    let timeout = read_timeout(&mut reader);
    reader.finish()?;
    // Checked before waiting, so that even a timeout of zero succeeds if nothing is due.
    if control.engine.has_due_deliveries().await? {
        let tried = control.engine.wait_for_deliveries();
        with_timeout(timeout, "Not every due delivery was attempted", tried).await?;
    }
    list(&control, wanted).await.map(Json)
}

/// Delivers an event again, whatever the status of the delivery.
#[utoipa::path(post, path = "/_emulator/deliveries/{deliveryId}/redeliver",
    operation_id = "redeliver", tag = "Emulator", params(NamedDelivery),
    responses((status = 202, description = "The delivery, which is due now",
        body = DeliveryView)))]
pub async fn redeliver(
    State(control): State<Control>,
    NamedDelivery(id): NamedDelivery,
) -> Result<(StatusCode, Json<DeliveryView>), Problem> {
    let recorded = control.engine.redeliver(id).await?;
    let DeliveryList { mut deliveries } = DeliveryList::new(recorded, control.deliverer.base_url());
    let view = deliveries.pop().ok_or_else(|| Problem::not_found("The delivery"))?;
    Ok((StatusCode::ACCEPTED, Json(view)))
}
