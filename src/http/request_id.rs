//! Every response has `x-request-id`: the caller's if it is valid, otherwise a new one.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use uuid::Uuid;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Returns what the answer to a request will carry.
#[must_use]
pub fn of(request: &Request) -> HeaderValue {
    let sent = request.headers().get(X_REQUEST_ID).filter(|value| is_valid_request_id(value));
    // A copy: hyper's value shares the read buffer of the connection, which would stay in memory
    // for as long as the journal keeps the id.
    let copy = sent.and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok());
    copy.unwrap_or_else(new_id)
}

/// Sets the header on the answer.
pub async fn answer_with_request_id(
    id: &HeaderValue,
    request: Request,
    next: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let mut response = next(request).await;
    response.headers_mut().insert(X_REQUEST_ID, id.clone());
    response
}

/// Printable, without spaces, and short.
fn is_valid_request_id(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    (1..=128).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
}

fn new_id() -> HeaderValue {
    let mut buffer = Uuid::encode_buffer();
    let text = Uuid::new_v4().simple().encode_lower(&mut buffer);
    // Hexadecimal digits are always a valid header value.
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("unknown"))
}
