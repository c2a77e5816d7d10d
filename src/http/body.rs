//! Request bodies: they are read whole before the handler runs, within limits of size and time.

use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::HttpBody as _;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, Collected};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::operations::Operation;
use super::problem::Problem;
use super::secrets::redact;
use crate::domain::invalid::{InvalidField, InvalidFields};
use crate::input::Document;

/// The path prefix of requests without a time limit: some of them wait on purpose.
const CONTROL: &str = "/_emulator";

/// The operations whose handlers read the body themselves, because it may be too large for memory.
const STREAMED: [&str; 5] =
    ["putState", "postSeed", "putArtifact", "gitUploadPack", "gitReceivePack"];

/// The largest body, in bytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// How much of a body that is too large is read and discarded. Many clients read no answer before
/// they have sent everything; if the connection were closed early, they would not see the 413.
pub(super) const MAX_DISCARDED_BYTES: usize = 64 * MAX_BODY_BYTES;

/// How long a body may take, in real time. Less than [`LONGEST_REQUEST`], so that the answer is
/// 408.
const LONGEST_READ: Duration = Duration::from_secs(20);

/// How long a request may take until its answer begins, in real time: a little less than 30 s, a
/// common time-out of HTTP clients.
const LONGEST_REQUEST: Duration = Duration::from_secs(28);

/// Returns an answer whose JSON ends with a line end. It is in memory already.
pub async fn with_trailing_newline(answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let is_json = text(CONTENT_TYPE).is_some_and(|value| value.ends_with("json"));
    if !is_json || body.size_hint().exact().is_none() {
        return Response::from_parts(parts, body);
    }
    // The answer to HEAD has no body, but the length of that to GET.
    let length = text(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    if let Some(length) = length {
        parts.headers.insert(CONTENT_LENGTH, (length + 1).into());
    }
    match body.collect().await.map(Collected::to_bytes) {
        Ok(body) if body.is_empty() => Response::from_parts(parts, body.into()),
        Ok(body) => Response::from_parts(parts, [&body[..], b"\n"].concat().into()),
        Err(error) => Problem::internal(&error).into_response(),
    }
}

/// Reads the body and runs the handler: 413 if the body is too large. Outside of the control API
/// also 408 if the body does not arrive in time, and 503 if the answer does not begin in time.
pub async fn within_limits(
    operation: Option<&Operation>,
    request: Request,
    next: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    if operation.is_some_and(|operation| STREAMED.contains(&&*operation.id)) {
        return next(request).await;
    }
    let control = request.uri().path().strip_prefix(CONTROL);
    if control.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
        return match read_whole(request).await {
            Ok(request) => next(request).await,
            Err(problem) => problem.into_response(),
        };
    }
    let answer = async {
        match receive(request).await {
            Ok(request) => next(request).await,
            Err(problem) => problem.into_response(),
        }
    };
    match tokio::time::timeout(LONGEST_REQUEST, pin!(answer)).await {
        Ok(response) => response,
        Err(_) => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Overloaded",
            "The response was not ready in time; try again later.",
        )
        .into_response(),
    }
}

/// Returns the request with its whole body: 413 if it is too large, 408 if it does not arrive in
/// time.
pub async fn receive(request: Request) -> Result<Request, Problem> {
    if request.body().is_end_stream() {
        return Ok(request);
    }
    tokio::time::timeout(LONGEST_READ, read_whole(request)).await.unwrap_or_else(|_| {
        Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "Request timed out",
            format!("The request body did not arrive within {} s.", LONGEST_READ.as_secs()),
        ))
    })
}

/// Receives a copy of the body once it has been read. An outer layer puts it into the extensions of
/// the request, to see the body afterwards.
#[derive(Clone, Debug, Default)]
pub struct ReadBody(Arc<OnceLock<Bytes>>);

impl ReadBody {
    /// Returns the body, if it has been read.
    #[must_use]
    pub fn get(&self) -> Option<&Bytes> {
        self.0.get()
    }
}

/// Returns the answer to a body whose sender stopped before its end.
pub(super) fn unfinished() -> Problem {
    Problem::bad_request("The request body could not be read to its end.")
}

/// Returns the answer to a body that is larger than this, in bytes.
pub(super) fn too_large(largest: u64) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "Request body too large",
        format!("The request body is larger than {largest} bytes."),
    )
}

async fn read_whole(request: Request) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = read(body).await?;
    if let Some(ReadBody(kept)) = parts.extensions.get() {
        // Setting it fails only a second time, and a body is read once.
        let _ = kept.set(bytes.clone());
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

async fn read(mut body: Body) -> Result<Bytes, Problem> {
    let mut bytes = Vec::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| unfinished())?;
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length > MAX_DISCARDED_BYTES {
            break;
        }
        if length <= MAX_BODY_BYTES {
            bytes.extend_from_slice(&data);
        }
    }
    if length > MAX_BODY_BYTES {
        return Err(too_large(MAX_BODY_BYTES as u64));
    }
    Ok(bytes.into())
}

/// Reads a body as text.
pub fn as_text(body: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(body)
        .map_err(|_| Problem::bad_request("The request body is not valid UTF-8."))
}

/// Reads a body as a JSON object, whatever its content type.
pub fn read_object<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let document = read_document(body)?;
    if !document.is_object() {
        return Err(Problem::bad_request("The request body is not a JSON object."));
    }
    document.read().map_err(|field| invalid(field, body))
}

/// Reads a body as JSON, whatever its content type.
pub fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    read_document(body)?.read().map_err(|field| invalid(field, body))
}

/// Reads a body with variables as JSON. Error messages never repeat the value of a variable, or an
/// element that is not a variable: both may be secrets.
pub fn read_variables<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    read_document(body)?.read().map_err(|field| {
        let may_be_secret = match field.field.rsplit_once('.') {
            Some((_, name)) => name == "value",
            None => !field.field.is_empty(),
        };
        invalid(if may_be_secret { field.with_value("****") } else { field }, body)
    })
}

fn read_document(body: &[u8]) -> Result<Document<'static>, Problem> {
    Document::from_json(body)
        .map_err(|error| Problem::bad_request(format!("The request body is not JSON: {error}")))
}

/// Returns the answer to a JSON body with wrong fields. It repeats the wrong values, without
/// secrets.
#[must_use]
pub fn invalid(fields: impl Into<InvalidFields>, body: &[u8]) -> Problem {
    invalid_in(fields, Document::from_json(body).ok().as_ref())
}

/// Returns the answer to a document with wrong fields. It repeats the wrong values, without
/// secrets.
#[must_use]
pub fn invalid_in(fields: impl Into<InvalidFields>, document: Option<&Document<'_>>) -> Problem {
    let InvalidFields(fields) = fields.into();
    let mut sent = document.map(Document::to_json);
    if let Some(sent) = &mut sent {
        redact(sent);
    }
    let known = |field: &str| match &sent {
        Some(sent) => value_at(sent, field),
        None => Some(Value::String(String::new())),
    };
    match fields.as_slice() {
        [InvalidField { field, message, line: None, invalid_value: None }] if field.is_empty() => {
            Problem::bad_request(format!("The request body {message}."))
        }
        _ => Problem::invalid(fields.into_iter().map(|field| {
            let invalid_value = field.invalid_value.clone().or_else(|| known(&field.field));
            InvalidField { invalid_value, ..field }
        })),
    }
}

/// Returns the value of a field such as `steps[0].metrics.coverage`. A name that contains dots or
/// brackets itself is not found; the value is then an empty text.
fn value_at(body: &Value, field: &str) -> Option<Value> {
    // A field of a list begins with a bracket.
    let field = field.replace(['[', '.'], "/").replace(']', "");
    let pointer = format!("/{}", field.trim_start_matches('/'));
    let (parent, _) = pointer.rsplit_once('/')?;
    match (body.pointer(&pointer), body.pointer(parent)) {
        (Some(value), _) => Some(value.clone()),
        (None, Some(_)) => None,
        (None, None) => Some(Value::String(String::new())),
    }
}
