//! The layer around every call. It measures all calls; calls to Cloud Manager are also journalled,
//! and made to fail where a rule says so.

use std::time::Instant;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header::{self, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use http_body_util::{BodyExt, Collected};

use super::Traffic;
use super::faults::Injection;
use super::inject::inject;
use super::journal::{CallTexts, JournalEntry, shortened};
use super::redact;
use crate::access::gateway::{X_API_KEY, X_GW_IMS_ORG_ID};
use crate::domain::id::ProgramId;
use crate::http::body::ReadBody;
use crate::http::operations::{Operation, is_api, is_official};
use crate::http::secrets::without_token;

/// What the console sends with each of its calls. They are not counted, journalled, or made to fail:
/// they are not calls of the client under test.
const X_EMULATOR_CONSOLE: HeaderName = HeaderName::from_static("x-emulator-console");

/// How long the body of an answer may be that is kept, in bytes.
const LONGEST_ANSWER: u64 = 16 * 1024;

/// Measures a call, journals it, and injects a fault if a rule says so.
pub async fn observe(
    traffic: &Traffic,
    request_id: &HeaderValue,
    operation: Option<&Operation>,
    mut request: Request,
    next: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    if request.headers().contains_key(X_EMULATOR_CONSOLE) {
        return next(request).await;
    }
    let mut call = Call::begin(traffic, request_id, operation, &mut request);
    match call.choose_injection() {
        None => {
            let answer = next(request).await;
            call.status = Some(answer.status());
            call.keep_answer(answer).await
        }
        Some(injection) => {
            let (answer, arrives) = inject(injection, &traffic.0.engine, request, next).await;
            call.status = arrives.then(|| answer.status());
            answer
        }
    }
}

/// A call under way. It is recorded when it is dropped: so it is also recorded if the caller has
/// left and the request was dropped, or if the handler panicked.
struct Call<'a> {
    traffic: &'a Traffic,
    began: Instant,
    operation: Option<&'a Operation>,
    status: Option<StatusCode>,
    /// The entry for the journal, if the call belongs there.
    entry: Option<JournalEntry>,
    body: Option<ReadBody>,
    answer: Option<Bytes>,
}

impl<'a> Call<'a> {
    fn begin(
        traffic: &'a Traffic,
        request_id: &HeaderValue,
        operation: Option<&'a Operation>,
        request: &mut Request,
    ) -> Self {
        let entry = is_official(request.uri().path())
            .then(|| new_entry(traffic, request_id, operation, request));
        // What is sent to no operation may be anything, secrets included.
        let has_body = entry.is_some() && operation.is_some() && *request.method() != Method::GET;
        let body = has_body.then(ReadBody::default);
        if let Some(body) = &body {
            request.extensions_mut().insert(body.clone());
        }
        Self { traffic, began: real_time(), operation, status: None, entry, body, answer: None }
    }

    /// Keeps the body of an answer for the journal if it is whole and short.
    async fn keep_answer(&mut self, answer: Response) -> Response {
        let is_json =
            answer.headers().get(CONTENT_TYPE).is_some_and(|it| text(it).contains("json"));
        let length = answer.body().size_hint().exact().unwrap_or(u64::MAX);
        if self.entry.is_none() || !is_json || length > LONGEST_ANSWER {
            return answer;
        }
        let (parts, body) = answer.into_parts();
        // Such a body is in memory, so nothing is waited for, and reading it can't fail.
        let bytes = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
        self.answer = Some(bytes.clone());
        Response::from_parts(parts, Body::from(bytes))
    }

    fn choose_injection(&mut self) -> Option<Injection> {
        let entry = self.entry.as_mut()?;
        let faults = self.traffic.faults();
        let id = self.operation.map(|operation| &*operation.id);
        entry.injection = faults.choose(id, is_api(entry.texts.get().path), entry.at);
        entry.injection
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        // A panic is caught in an outer layer, which answers 500.
        let failed = std::thread::panicking().then_some(StatusCode::INTERNAL_SERVER_ERROR);
        let status = self.status.or(failed);
        self.traffic.metrics().count(self.operation, status, took);
        if let Some(entry) = self.entry.take() {
            let accepted = status.is_some_and(|status| status.is_success());
            let path = entry.texts.get().path;
            let body = self.body.as_ref().and_then(ReadBody::get);
            let body = body.and_then(|bytes| redact::body(path, accepted, bytes));
            let answer = self.answer.take();
            let program = program_of(path);
            let number =
                self.traffic.journal().add(JournalEntry { status, took, body, answer, ..entry });
            self.traffic.0.engine.notify_request(number, program);
        }
    }
}

fn new_entry(
    traffic: &Traffic,
    request_id: &HeaderValue,
    operation: Option<&Operation>,
    request: &Request,
) -> JournalEntry {
    let header = |name: HeaderName| request.headers().get(name).map(text).unwrap_or_default();
    let texts = CallTexts {
        host: header(header::HOST),
        path: &without_token(request.uri().path()),
        query: &redact::query(request.uri().query().unwrap_or_default()),
        request_id: text(request_id),
        organisation: header(X_GW_IMS_ORG_ID),
        api_key: header(X_API_KEY),
        headers: &redact::header_lines(request.headers()),
    };
    JournalEntry {
        number: 0,
        at: traffic.0.engine.now(),
        method: shortened(request.method()),
        texts: texts.into(),
        operation_id: operation.map(|operation| operation.id.clone()),
        status: None,
        took: std::time::Duration::ZERO,
        body: None,
        answer: None,
        injection: None,
    }
}

fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or_default()
}

/// Returns the program that a path is about.
fn program_of(path: &str) -> Option<ProgramId> {
    path.strip_prefix("/api/program/")?.split('/').next()?.parse().ok()
}

#[allow(clippy::disallowed_methods, reason = "how long a call takes is real time")]
fn real_time() -> Instant {
    Instant::now()
}
