//! How long requests may take: a clock of the test's own runs ahead whenever nothing else happens.

use std::convert::Infallible;
use std::future::pending;
use std::pin::pin;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use cloudmanager_emulator::http::body::within_limits;
use cloudmanager_emulator::http::request_id::{self, answer_with_request_id};
use futures_util::stream;
use http_body_util::BodyExt;
use tokio::time::{sleep, timeout};

use crate::app::Answer;
use crate::description;

const START: &str = "/api/program/4/pipeline/1/execution";

const ADVANCE: &str = "/_emulator/clock/advance";

/// A body that begins and never ends.
fn endless() -> Body {
    let begun = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{"))]);
    Body::from_stream(stream::StreamExt::chain(begun, stream::pending()))
}

/// A body that comes after a time.
fn late(after: Duration) -> Body {
    Body::from_stream(stream::once(async move {
        sleep(after).await;
        Ok::<_, Infallible>(Bytes::from_static(b"{}"))
    }))
}

/// Sends a request to a handler that takes a time, or for ever; the answer must come within a
/// millisecond after `at`.
async fn answer_at(
    at: Duration,
    (method, path): (Method, &str),
    body: Body,
    handler_takes: Option<Duration>,
) -> Answer {
    let handler = async |_: Request| match handler_takes {
        Some(time) => {
            sleep(time).await;
            Response::default()
        }
        None => pending().await,
    };
    let request = Request::builder().method(&method).uri(path).body(body).unwrap();
    let id = request_id::of(&request);
    let limited = async |request| within_limits(None, request, handler).await;
    let mut answering = pin!(answer_with_request_id(&id, request, limited));
    let millisecond = Duration::from_millis(1);
    let early = timeout(at.saturating_sub(millisecond), &mut answering).await;
    assert!(early.is_err(), "{method} {path}: {early:?}");
    let response: Response = timeout(2 * millisecond, answering).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes().to_vec();
    let answer = Answer { status: parts.status, headers: parts.headers, bytes };
    if answer.status != StatusCode::OK {
        description::check(&method, path, &answer);
    }
    answer
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_in_time_is_not_waited_for() {
    let at = Duration::from_secs(20);
    let answer = answer_at(at, (Method::PUT, START), endless(), Some(Duration::ZERO)).await;
    assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
    assert_eq!(answer.errors(), "The request body did not arrive within 20 s.");
    let body = late(Duration::from_millis(19_990));
    let at = Duration::from_millis(19_990);
    let answer = answer_at(at, (Method::PUT, START), body, Some(Duration::ZERO)).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_ready_in_time_is_not_waited_for() {
    let at = Duration::from_secs(28);
    // Body and answer have one time together.
    for body in [Body::empty(), late(Duration::from_secs(19))] {
        let answer = answer_at(at, (Method::PUT, START), body, None).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.errors(), "The response was not ready in time; try again later.");
    }
    let at = Duration::from_millis(27_990);
    let answer = answer_at(at, (Method::PUT, START), Body::empty(), Some(at)).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn the_control_api_takes_the_time_that_it_needs() {
    let hour = Duration::from_hours(1);
    let answer = answer_at(2 * hour, (Method::POST, ADVANCE), late(hour), Some(hour)).await;
    assert_eq!(answer.status, StatusCode::OK);
}
