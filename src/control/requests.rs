//! The journal: which calls were made.

use std::collections::BTreeMap;

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
use crate::traffic::redact::{self, RedactedBody};

/// Recorded requests, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestList {
    requests: Vec<RequestView>,
}

/// The number of matching requests.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestCount {
    count: usize,
}

/// A request to Cloud Manager or its files, without tokens and secrets.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RecordedRequest)]
struct RequestView {
    /// A sequence number from 1, in the order of the responses.
    number: u64,
    /// When the request arrived.
    time: String,
    method: String,
    /// The host that the request named: `cloudmanager.adobe.io` if the client used the real name.
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    /// The path, without file tokens.
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<String>,
    /// Absent if there is no operation at the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_id: Option<String>,
    /// Absent if the caller disconnected, or the connection failed, before the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// The time until the response began, in real milliseconds.
    duration: f64,
    request_id: String,
    /// The organisation in `x-gw-ims-org-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<String>,
    /// The request body: as JSON if it is JSON of at most 16 KiB, otherwise as a string, cut at
    /// 16 KiB. Absent if it is empty, or if the path or method has no operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    /// Whether the body is truncated.
    #[serde(skip_serializing_if = "Option::is_none")]
    body_truncated: Option<bool>,
    /// The request headers; those with tokens have the value `***`.
    headers: BTreeMap<String, String>,
    /// The response body, without tokens and secrets. Absent if it is not JSON, or longer than
    /// 16 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Value>,
    /// The fault that was injected.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<InjectionView>,
}

impl RequestView {
    fn new(entry: &JournalEntry) -> Self {
        let JournalEntry { number, at, method, texts, operation_id, status, took, body, .. } =
            entry;
        let CallTexts { host, path, query, request_id, organisation, api_key, headers } =
            texts.get();
        let unless_empty = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let truncated = body.as_ref().is_some_and(|body| body.truncated);
        let answer = entry.answer.as_ref().and_then(|answer| redact::body(path, true, answer));
        Self {
            number: *number,
            time: at.to_string(),
            method: method.to_string(),
            host: unless_empty(host),
            path: path.to_owned(),
            query: unless_empty(query),
            operation_id: operation_id.as_deref().map(str::to_owned),
            status: status.map(|status| status.as_u16()),
            duration: f64::from(u32::try_from(took.as_micros()).unwrap_or(u32::MAX)) / 1000.0,
            request_id: request_id.to_owned(),
            organisation: unless_empty(organisation),
            api_key: unless_empty(api_key),
            // What is null is as good as absent.
            body: body.as_ref().map(value_of).filter(|body| !body.is_null()),
            body_truncated: truncated.then_some(true),
            headers: by_name(headers),
            answer: answer.as_ref().map(value_of).filter(|answer| !answer.is_null()),
            fault: entry.injection.map(InjectionView::new),
        }
    }
}

/// Returns a body as JSON, or as a string.
fn value_of(body: &RedactedBody) -> Value {
    let text = || Value::from(body.text.as_str());
    if body.is_json { serde_json::from_str(&body.text).unwrap_or_else(|_| text()) } else { text() }
}

/// Returns headers by name; the values of one that was sent several times are joined.
fn by_name(lines: &str) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::<String, String>::new();
    for (name, value) in lines.lines().filter_map(|line| line.split_once(": ")) {
        let joined = headers.entry(name.to_owned()).or_default();
        if !joined.is_empty() {
            joined.push_str(", ");
        }
        joined.push_str(&redact::header_value(name, value));
    }
    headers
}

/// The query parameters that choose requests; a request must match all that are given.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "it describes what is read by hand, to name every mistake at once")]
pub struct FilterParameters {
    /// Only requests with this method.
    #[param(min_length = 1)]
    method: Option<String>,
    /// Only requests to this path; with a `*` at the end, requests to all paths with this prefix.
    path: Option<String>,
    /// Only requests with this response status.
    #[param(minimum = 100, maximum = 999)]
    status: Option<u16>,
    /// Only requests for this operation.
    #[param(rename = "operationId")]
    operation_id: Option<String>,
    /// Only requests since this time on the emulator's clock, in any ISO-8601 form with an offset.
    #[param(format = DateTime)]
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
        let operation_id = reader
            .read("operationId", |text| operations.check_official(text).map(|()| text.to_owned()));
        let since = reader.read("since", |text| {
            // A plus sign that was not escaped arrives as a space.
            Timestamp::parse(&text.replace(' ', "+")).map_err(|error| error.to_string())
        });
        reader.finish()?;
        Ok(Self(CallFilter { method, path, status, operation_id, since }))
    }
}

/// Lists the latest requests to Cloud Manager and its files, newest first, at most 1000.
#[utoipa::path(get, path = "/_emulator/requests", operation_id = "getRequests", tag = "Emulator",
    params(FilterParameters),
    responses((status = 200, description = "The requests", body = RequestList)))]
pub async fn get_requests(
    State(control): State<Control>,
    WantedCalls(filter): WantedCalls,
) -> Json<RequestList> {
    let entries = control.traffic.journal().list(&filter);
    let requests = entries.iter().map(|entry| RequestView::new(entry)).collect();
    Json(RequestList { requests })
}

/// Counts the recorded requests to Cloud Manager and its files.
#[utoipa::path(get, path = "/_emulator/requests/count", operation_id = "getRequestCount",
    tag = "Emulator", params(FilterParameters),
    responses((status = 200, description = "The number of requests", body = RequestCount)))]
pub async fn get_request_count(
    State(control): State<Control>,
    WantedCalls(filter): WantedCalls,
) -> Json<RequestCount> {
    Json(RequestCount { count: control.traffic.journal().list(&filter).len() })
}

/// Empties the request journal.
#[utoipa::path(delete, path = "/_emulator/requests", operation_id = "deleteRequests",
    tag = "Emulator", responses((status = 204, description = "The journal is empty")))]
pub async fn delete_requests(State(control): State<Control>) -> StatusCode {
    control.traffic.clear_journal();
    StatusCode::NO_CONTENT
}
