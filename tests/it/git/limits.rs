//! The limits of what `git` may do, and requests that it can't read.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Method, Request, StatusCode};
use cloudmanager_emulator::git::GitLimits;
use futures_util::stream;

use super::{REPOSITORY, push_request};
use crate::app::{Answer, TestApp};

const PUSH: &str = "/git/weretail/weretail/git-receive-pack";
const REFS: &str = "/git/weretail/weretail/info/refs?service=git-receive-pack";

fn push(body: impl Into<Body>) -> Request<Body> {
    let media_type = "application/x-git-receive-pack-request";
    let request = Request::builder().method(Method::POST).uri(PUSH);
    request.header("content-type", media_type).body(body.into()).unwrap()
}

/// A body that begins and never ends.
fn endless(start: Vec<u8>) -> Body {
    let begun = stream::iter([Ok::<_, Infallible>(Bytes::from(start))]);
    Body::from_stream(stream::StreamExt::chain(begun, stream::pending()))
}

async fn branches(app: &TestApp) -> Vec<String> {
    let list = app.get(&format!("{REPOSITORY}/branches")).await.json();
    let branches = list["_embedded"]["branches"].as_array().unwrap();
    branches.iter().map(|branch| branch["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_push_that_is_too_large_is_refused_and_changes_nothing() {
    let app =
        TestApp::with_git_limits(GitLimits { largest_push: 100, ..GitLimits::default() }).await;
    let (body, _) = push_request("main");
    let answer = app.send(push(body)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.text().contains("unpack "), "{}", answer.text());
    assert!(!answer.text().contains("unpack ok"), "{}", answer.text());
    assert_eq!(branches(&app).await, ["develop", "main"]);
}

#[tokio::test]
async fn a_push_that_takes_too_long_is_ended() {
    let longest_transfer = Duration::from_millis(200);
    let app =
        TestApp::with_git_limits(GitLimits { longest_transfer, ..GitLimits::default() }).await;
    let (body, _) = push_request("main");
    let answer = app.send(push(endless(body[..body.len() - 30].to_vec()))).await;
    assert!(!answer.text().contains("unpack ok"), "{}", answer.text());
    assert_eq!(branches(&app).await, ["develop", "main"]);
}

#[tokio::test]
async fn more_transfers_than_are_allowed_are_refused() {
    let limits = GitLimits { transfers: 1, longest_wait: Duration::ZERO, ..GitLimits::default() };
    let app = TestApp::with_git_limits(limits).await;
    let (body, _) = push_request("main");
    // The answer to a push without an end is not there yet.
    let mut waiting = Box::pin(app.send(push(endless(body[..4].to_vec()))));
    let refused: Answer = loop {
        let asked = app.request(Method::GET, REFS, Body::empty());
        tokio::select! {
            biased;
            _ = &mut waiting => unreachable!("its body has no end"),
            answer = asked => if answer.status != StatusCode::OK { break answer },
        }
    };
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.header("retry-after"), "5");
    assert_eq!(refused.text(), "Too many clones and pushes are under way: try again later.\n");
}

#[tokio::test]
async fn requests_that_are_none_of_smart_http_are_refused() {
    let app = TestApp::new().await;
    for query in ["", "?service=", "?service=git-upload-archive", "?service=x%20--help"] {
        let path = format!("/git/weretail/weretail/info/refs{query}");
        let answer = app.get(&path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
    }
    let other = Request::builder().method(Method::POST).uri(PUSH);
    let other = other.header("content-type", "text/plain").body(Body::empty()).unwrap();
    assert_eq!(app.send(other).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let mut brotli = push("");
    brotli.headers_mut().insert("content-encoding", "br".parse().unwrap());
    assert_eq!(app.send(brotli).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    for garbage in ["", "0", "zzzz", "0004", "ffff", "0009hello0000", "0000PACK"] {
        let answer = app.send(push(garbage)).await;
        assert!(!answer.status.is_server_error(), "{garbage}: {}", answer.text());
        let mut zipped = push(garbage);
        zipped.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
        assert!(!app.send(zipped).await.status.is_server_error(), "{garbage}");
    }
    assert_eq!(branches(&app).await, ["develop", "main"]);
}
