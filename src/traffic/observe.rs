//! What happens to every call on its way: it is measured, and those to Cloud Manager are journalled
//! and made to fail where a rule says so.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;

use super::Traffic;
use super::faults::Injection;
use super::inject::inject;
use super::journal::Entry;
use super::redact;
use crate::api::gateway::{X_API_KEY, X_GW_IMS_ORG_ID};
use crate::http::body::ReadBody;
use crate::http::operations::{is_api, is_official};

/// Measures a call, and journals it or lets it fail.
pub async fn observe(
    traffic: &Traffic,
    request_id: &HeaderValue,
    operation: Option<&Arc<str>>,
    mut request: Request,
    next: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let mut call = Call::begin(traffic.clone(), request_id, operation.cloned(), &mut request);
    match call.choose_injection() {
        None => {
            let answer = next(request).await;
            call.status = Some(answer.status());
            answer
        }
        Some(injection) => {
            let (answer, arrives) = inject(injection, &traffic.0.engine, request, next).await;
            call.status = arrives.then(|| answer.status());
            answer
        }
    }
}

/// A call. When it is dropped it is over, be it that its caller has left.
struct Call {
    traffic: Traffic,
    began: Instant,
    operation: Option<Arc<str>>,
    status: Option<StatusCode>,
    /// What the journal gets, if the call is one for it.
    entry: Option<Entry>,
    body: ReadBody,
}

impl Call {
    fn begin(
        traffic: Traffic,
        request_id: &HeaderValue,
        operation: Option<Arc<str>>,
        request: &mut Request,
    ) -> Self {
        let entry = is_official(request.uri().path())
            .then(|| new_entry(&traffic, request_id, operation.clone(), request));
        let body = ReadBody::default();
        if entry.is_some() && *request.method() != Method::GET {
            request.extensions_mut().insert(body.clone());
        }
        Self { traffic, began: real_time(), operation, status: None, entry, body }
    }

    fn choose_injection(&mut self) -> Option<Injection> {
        let entry = self.entry.as_mut()?;
        let operation = self.operation.as_deref();
        let faults = self.traffic.faults();
        entry.injection = faults.choose(operation, is_api(&entry.path), entry.at);
        entry.injection
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        let failed = std::thread::panicking().then_some(StatusCode::INTERNAL_SERVER_ERROR);
        let status = self.status.or(failed);
        self.traffic.metrics().count(self.operation.as_deref(), status, took);
        if let Some(entry) = self.entry.take() {
            let body = self.body.get().and_then(|bytes| redact::body(&entry.path, bytes));
            self.traffic.journal().add(Entry { status, took, body, ..entry });
        }
    }
}

fn new_entry(
    traffic: &Traffic,
    request_id: &HeaderValue,
    operation_id: Option<Arc<str>>,
    request: &Request,
) -> Entry {
    let header = |name| Some(request.headers().get(name)?.to_str().ok()?.to_owned());
    Entry {
        number: 0,
        at: traffic.0.engine.now(),
        method: request.method().clone(),
        path: redact::path(request.uri().path()),
        query: request.uri().query().map(redact::query),
        operation_id,
        status: None,
        took: std::time::Duration::ZERO,
        request_id: request_id.clone(),
        organisation: header(X_GW_IMS_ORG_ID),
        api_key: header(X_API_KEY),
        body: None,
        injection: None,
    }
}

#[allow(clippy::disallowed_methods, reason = "how long a call takes is real time")]
fn real_time() -> Instant {
    Instant::now()
}
