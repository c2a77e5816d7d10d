//! The journal: which calls were made.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::Control;
use super::faults::InjectionView;
use crate::domain::time::Timestamp;
use crate::http::problem::Problem;
use crate::http::query::{QueryParameters, QueryReader};
use crate::traffic::journal::{CallFilter, CallTexts, JournalEntry};

/// Calls, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestList {
    requests: Vec<RequestView>,
}

/// How many calls there are.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestCount {
    count: usize,
}

/// A call to Cloud Manager or its files, without the tokens and secrets in it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RecordedRequest)]
struct RequestView {
    /// Counts the calls from 1, in the order in which they were answered.
    number: u64,
    /// When it came.
    time: String,
    method: String,
    /// The path; tokens of files are left out.
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<String>,
    /// Absent if there is no operation at the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_id: Option<String>,
    /// Absent if the caller left, or the connection failed, before the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// How long it took until the answer began, in real milliseconds.
    duration: f64,
    request_id: String,
    /// The organisation that the caller named.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<String>,
    /// What was sent, JSON if it is that, otherwise a text of at most 16 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    /// Whether the end of the body is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    body_truncated: Option<bool>,
    /// The fault that was injected.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<InjectionView>,
}

impl RequestView {
    fn new(entry: &JournalEntry) -> Self {
        let JournalEntry { number, at, method, texts, operation_id, status, took, body, injection } =
            entry;
        let CallTexts { path, query, request_id, organisation, api_key } = texts.get();
        let unless_empty = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let truncated = body.as_ref().is_some_and(|body| body.truncated);
        let body = body.as_ref().map(|body| {
            let text = || Value::from(body.text.as_str());
            if body.is_json {
                serde_json::from_str(&body.text).unwrap_or_else(|_| text())
            } else {
                text()
            }
        });
        Self {
            number: *number,
            time: at.to_string(),
            method: method.to_string(),
            path: path.to_owned(),
            query: unless_empty(query),
            operation_id: operation_id.as_deref().map(str::to_owned),
            status: status.map(|status| status.as_u16()),
            duration: f64::from(u32::try_from(took.as_micros()).unwrap_or(u32::MAX)) / 1000.0,
            request_id: request_id.to_owned(),
            organisation: unless_empty(organisation),
            api_key: unless_empty(api_key),
            // What is null is as good as absent.
            body: body.filter(|body| !body.is_null()),
            body_truncated: truncated.then_some(true),
            fault: injection.map(InjectionView::new),
        }
    }
}

/// Which calls are meant; those that have everything that is given.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "it describes what is read by hand, to name every mistake at once")]
pub struct FilterParameters {
    /// The method.
    method: Option<String>,
    /// The path, or its beginning and a `*`.
    path: Option<String>,
    /// The status of the answer.
    status: Option<u16>,
    /// The operation.
    #[param(rename = "operationId")]
    operation_id: Option<String>,
    /// The earliest time, in any ISO-8601 form with an offset, on the emulator's clock.
    since: Option<String>,
}

/// Reads which calls are meant.
pub struct WantedCalls(CallFilter);

impl FromRequestParts<Control> for WantedCalls {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, control: &Control) -> Result<Self, Problem> {
        let query = QueryParameters::from_request_parts(parts, control).await?;
        let known = ["method", "path", "status", "operationId", "since"];
        let mut reader = QueryReader::new(&query, &known);
        let method = reader.read("method", |text| {
            let method = Method::from_bytes(text.to_uppercase().as_bytes());
            method.map_err(|_| "must be a method such as GET".into())
        });
        let path = reader.read("path", |text| Ok(text.to_owned()));
        let status = reader.read("status", |text| {
            let status = text.parse().ok().filter(|status| (100..=999).contains(status));
            status.ok_or_else(|| "must be a whole number from 100 to 999".into())
        });
        let operations = control.traffic.operations();
        let operation_id = reader.read("operationId", |text| {
            let known = operations.has_official(text).then(|| text.to_owned());
            known.ok_or_else(|| "is no operation of Cloud Manager or of its files".into())
        });
        let since = reader.read("since", |text| {
            // A plus sign that was not escaped arrives as a space.
            Timestamp::parse(&text.replace(' ', "+")).map_err(|error| error.to_string())
        });
        reader.finish()?;
        Ok(Self(CallFilter { method, path, status, operation_id, since }))
    }
}

/// Lists the last calls to Cloud Manager and its files, newest first, at most 1000.
#[utoipa::path(get, path = "/_emulator/requests", operation_id = "getRequests", tag = "Emulator",
    params(FilterParameters),
    responses((status = 200, description = "The calls", body = RequestList)))]
pub async fn get_requests(
    State(control): State<Control>,
    WantedCalls(filter): WantedCalls,
) -> Json<RequestList> {
    let entries = control.traffic.journal().list(&filter);
    let requests = entries.iter().map(|entry| RequestView::new(entry)).collect();
    Json(RequestList { requests })
}

/// Counts the last calls to Cloud Manager and its files.
#[utoipa::path(get, path = "/_emulator/requests/count", operation_id = "getRequestCount",
    tag = "Emulator", params(FilterParameters),
    responses((status = 200, description = "How many there are", body = RequestCount)))]
pub async fn get_request_count(
    State(control): State<Control>,
    WantedCalls(filter): WantedCalls,
) -> Json<RequestCount> {
    Json(RequestCount { count: control.traffic.journal().list(&filter).len() })
}

/// Forgets all calls.
#[utoipa::path(delete, path = "/_emulator/requests", operation_id = "deleteRequests",
    tag = "Emulator", responses((status = 204, description = "The journal is empty")))]
pub async fn delete_requests(State(control): State<Control>) -> StatusCode {
    control.traffic.clear_journal();
    StatusCode::NO_CONTENT
}
