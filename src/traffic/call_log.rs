//! Calls in the log, one line each.

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use tracing::Level;

use super::Traffic;
use crate::http::secrets::without_token;

/// A call that is going to be logged.
pub struct LoggedCall {
    method: Method,
    uri: Uri,
}

impl LoggedCall {
    /// Returns the call to log, or `None` if the log level excludes all calls.
    #[must_use]
    pub fn begin(request: &Request) -> Option<Self> {
        tracing::enabled!(Level::INFO)
            .then(|| Self { method: request.method().clone(), uri: request.uri().clone() })
    }

    /// Logs the call with the time on the emulator's clock: at level INFO if it may have changed
    /// something or has failed, otherwise at level DEBUG.
    pub fn end(self, traffic: &Traffic, status: StatusCode, request_id: &HeaderValue) {
        let Self { method, uri } = self;
        // A clone or a fetch is a POST that reads.
        let is_read = method.is_safe() || uri.path().ends_with("/git-upload-pack");
        let is_plain = is_read && status.as_u16() < 400;
        if is_plain && !tracing::enabled!(Level::DEBUG) {
            return;
        }
        let (at, status) = (traffic.0.engine.now(), status.as_u16());
        let path = &*without_token(uri.path());
        let request_id = request_id.to_str().ok();
        if is_plain {
            tracing::debug!(%at, %method, path, status, request_id);
        } else {
            tracing::info!(%at, %method, path, status, request_id);
        }
    }
}
