//! What an injected fault does to a call.

use std::time::Duration as RealDuration;

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::faults::{FaultAction, Injection};
use super::wire::WireConnection;
use crate::access::gateway;
use crate::engine::Engine;
use crate::http::body::receive;
use crate::http::problem::Problem;

/// Names the fault rule that an answer is due to.
pub const X_EMULATOR_FAULT: HeaderName = HeaderName::from_static("x-emulator-fault");

/// Applies a rule to a call. Returns the response, and whether the caller receives it. The
/// operation is executed only if the rule allows it.
pub(super) async fn inject(
    injection: Injection,
    engine: &Engine,
    request: Request,
    next: impl AsyncFnOnce(Request) -> Response,
) -> (Response, bool) {
    let Injection { rule, latency, action } = injection;
    // The body is read first: hyper notices that a caller has left only after that.
    let request = match receive(request).await {
        Ok(request) => request,
        Err(problem) => return (problem.into_response(), true),
    };
    // A delay ends with the stop of the emulator: otherwise it would use up the grace period.
    if let Some(latency) = latency {
        let latency = RealDuration::from_millis(latency.as_millis().unsigned_abs());
        tokio::select! {
            () = tokio::time::sleep(latency) => {}
            () = engine.wait_for_stop() => {}
        }
    }
    let connection = request.extensions().get::<ConnectInfo<WireConnection>>().cloned();
    let mut answer = match (action, connection) {
        (None, _) => next(request).await,
        (Some(FaultAction::Status { status, retry_after }), _) => fail(status, retry_after),
        (Some(FaultAction::ResetMidBody), Some(ConnectInfo(connection))) => {
            connection.resetting_mid_body(next(request).await)
        }
        (Some(FaultAction::Wire(fault)), Some(ConnectInfo(connection))) => {
            connection.fail(fault);
            return (StatusCode::OK.into_response(), false);
        }
        (Some(FaultAction::ResetMidBody | FaultAction::Wire(_)), None) => {
            let error = "The fault could not be injected: this connection can't be made to fail.";
            Problem::new(StatusCode::NOT_IMPLEMENTED, "Injected fault", error).into_response()
        }
    };
    answer.headers_mut().insert(X_EMULATOR_FAULT, HeaderValue::from(rule));
    (answer, true)
}

fn fail(status: StatusCode, retry_after: Option<u64>) -> Response {
    let mut answer = match status {
        StatusCode::UNAUTHORIZED => gateway::BAD_TOKEN.into_response(),
        StatusCode::FORBIDDEN => gateway::BAD_API_KEY.into_response(),
        status => {
            let error = "A fault rule of /_emulator/faults caused this error.";
            Problem::new(status, "Injected fault", error).into_response()
        }
    };
    if let Some(seconds) = retry_after {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}
