//! Web pages of other origins change nothing.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use cloudmanager_emulator::domain::pace::Pace;

use crate::app::{Answer, PRODUCTION, TestApp, signed};
use crate::description;

const HOST: &str = "localhost:4600";

/// What browsers say of a page of another origin.
const FOREIGN: [&[(&str, &str)]; 5] = [
    &[("origin", "https://evil.example")],
    &[("origin", "null")],
    &[("origin", "http://localhost:3000"), ("sec-fetch-site", "same-site")],
    &[("sec-fetch-site", "cross-site")],
    &[("origin", "http://localhost:4600"), ("origin", "https://evil.example")],
];

/// What browsers say of the emulator's own pages, and what other clients say.
const OWN: [&[(&str, &str)]; 4] = [
    &[],
    &[("origin", "http://localhost:4600")],
    &[("origin", "http://localhost:4600"), ("sec-fetch-site", "same-origin")],
    &[("sec-fetch-site", "none")],
];

/// The operations, by method and path of something that is there, and paths without one.
fn list_calls() -> Vec<(Method, String)> {
    let described =
        description::DOCUMENT["paths"].as_object().unwrap().iter().flat_map(|(template, item)| {
            let path = template
                .replace("{programId}", "4")
                .replace("{environmentId}", "59252")
                .replace("{executionId}", "953671")
                .replace("{branch}", "main");
            let parts = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part });
            let path = parts.collect::<Vec<_>>().join("/");
            let methods: Vec<_> = item.as_object().unwrap().keys().cloned().collect();
            methods.into_iter().map(move |method| (method.to_uppercase(), path.clone()))
        });
    let mut calls: Vec<_> =
        described.map(|(method, path)| (method.parse().unwrap(), path)).collect();
    for path in ["/", "/api/nothing", "/files/AAAA", "/ims/nothing", "//api/program/4"] {
        calls.extend([Method::POST, Method::DELETE].map(|method| (method, path.to_owned())));
    }
    calls
}

async fn call(
    app: &TestApp,
    (method, path): &(Method, String),
    headers: &[(&str, &str)],
) -> Answer {
    let mut request = signed(method.clone(), path).header("host", HOST);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request.body(Body::from("{}")).unwrap()).await
}

fn is_refused(answer: &Answer) -> bool {
    answer.status == StatusCode::FORBIDDEN
        && answer.header("content-type") == "application/problem+json"
        && answer.json()["title"] == "Cross-origin request"
}

/// Everything that a call can change.
async fn everything(app: &TestApp) -> Vec<Vec<u8>> {
    let mut everything = Vec::new();
    for path in ["state", "clock", "faults", "requests", "info"] {
        let answer = app.get(&format!("/_emulator/{path}")).await;
        assert_eq!(answer.status, StatusCode::OK);
        everything.push(answer.bytes);
    }
    everything
}

async fn open_and_strict() -> [TestApp; 2] {
    [TestApp::new().await, TestApp::strict(Pace::Quick).await]
}

#[tokio::test]
async fn calls_of_foreign_pages_are_refused_and_change_nothing() {
    for app in open_and_strict().await {
        app.start(PRODUCTION).await;
        let before = everything(&app).await;
        for target in list_calls().iter().filter(|(method, _)| *method != Method::GET) {
            for headers in FOREIGN {
                let answer = call(&app, target, headers).await;
                assert!(is_refused(&answer), "{target:?} {headers:?}: {answer:?}");
            }
        }
        assert!(everything(&app).await == before);
    }
}

#[tokio::test]
async fn calls_of_own_pages_and_other_clients_are_let_through() {
    for app in open_and_strict().await {
        for target in list_calls() {
            for headers in OWN {
                let answer = call(&app, &target, headers).await;
                assert!(!is_refused(&answer), "{target:?} {headers:?}: {answer:?}");
            }
        }
    }
}

/// Foreign pages may send reads, so reads must not change anything. That they are journalled is no
/// change.
#[tokio::test]
async fn reads_change_nothing() {
    let app = TestApp::new().await;
    app.start(PRODUCTION).await;
    let before = everything(&app).await;
    for target in list_calls().iter().filter(|(method, _)| *method == Method::GET) {
        for headers in FOREIGN {
            let answer = call(&app, target, headers).await;
            // Before a push, `git` is run and makes an empty repository: this is no read.
            let is_git = target.1.starts_with("/git/");
            assert_eq!(is_refused(&answer), is_git, "{target:?} {headers:?}: {answer:?}");
        }
    }
    assert_eq!(app.delete("/_emulator/requests").await.status, StatusCode::NO_CONTENT);
    let after = everything(&app).await;
    let first = |picture: &[Vec<u8>]| picture[..3].to_vec();
    assert!(first(&after) == first(&before));
}

#[tokio::test]
async fn a_refusal_says_what_to_do() {
    let app = TestApp::new().await;
    let start = (Method::PUT, format!("{PRODUCTION}/execution"));
    let answer = call(&app, &start, FOREIGN[0]).await;
    for part in ["header Origin", "own origin", "no Origin header", "--public-url"] {
        assert!(answer.errors().contains(part), "{answer:?}");
    }
    assert!(call(&app, &start, FOREIGN[3]).await.errors().contains("header Sec-Fetch-Site"));
}
