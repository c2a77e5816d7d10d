//! Copies of the state, exported and imported: how many there are, and how the stop ends them.

use std::path::Path;
use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use serde_json::json;
use tempfile::TempDir;

use super::state::{export, picture};
use crate::app::{PRODUCTION, TestApp};
use crate::process::{Running, start};

const STATE: &str = "/_emulator/state";
const SEED: &str = "/_emulator/seed";

/// The copies beside a database.
fn copies(directory: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory.join("cloudmanager.db.tmp")) else {
        return Vec::new();
    };
    entries.map(|entry| entry.unwrap().path().join("body")).collect()
}

#[tokio::test]
async fn copies_of_the_state_are_few_at_a_time() {
    let app = TestApp::with_max_copy_wait(Duration::from_millis(50)).await;
    let mut unread = Vec::new();
    for _ in 0..4 {
        let export = app.begin(Method::GET, STATE).await;
        assert_eq!(export.status(), StatusCode::OK);
        unread.push(export);
    }
    assert_eq!(copies(app.directory()).len(), 4);
    for (method, path) in [(Method::GET, STATE), (Method::PUT, STATE), (Method::POST, SEED)] {
        let answer = app.request(method, path, "{}").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path} {}", answer.text());
        assert_eq!(answer.header("retry-after"), "10");
    }
    assert_eq!(copies(app.directory()).len(), 4);
    unread.pop();
    export(&app).await;
    unread.clear();
    assert_eq!(copies(app.directory()).len(), 0);
}

#[tokio::test]
async fn the_stop_interrupts_exports_and_imports_but_no_reset() {
    let app = TestApp::immediate().await;
    let history = "/_emulator/program/4/pipeline/1/history";
    app.post(history, &json!({"count": 20_000})).await;
    let (state, before) = (export(&app).await, picture(&app).await);
    app.stop_waiting();
    for (method, body) in [(Method::GET, Vec::new()), (Method::PUT, state)] {
        let answer = app.request(method.clone(), STATE, body).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{method}");
        assert!(answer.text().contains("shutting down"), "{method} {}", answer.text());
    }
    assert_eq!(copies(app.directory()).len(), 0);
    assert_eq!(picture(&app).await, before);
    // A reset takes only as long as its seed is large: it is finished, as every request in flight.
    assert_eq!(app.request(Method::POST, "/_emulator/reset", "{}").await.status, 204);
    // Nothing interrupts what is written later.
    app.start(PRODUCTION).await;
    let _directory = app.closed().await;
}

/// Waits until there is a copy of at least so many bytes.
async fn wait_for_copy(directory: &Path, length: u64) {
    let is_there =
        |path: &std::path::PathBuf| path.metadata().is_ok_and(|metadata| metadata.len() >= length);
    while !copies(directory).iter().any(is_there) {
        tokio::task::yield_now().await;
    }
}

/// How long the program takes to end after a signal, while it makes or checks a copy.
#[allow(clippy::disallowed_methods, reason = "it is about real time")]
async fn end_during(
    running: Running,
    directory: &Path,
    call: reqwest::RequestBuilder,
    length: u64,
) -> Duration {
    let call = tokio::spawn(call.send());
    wait_for_copy(directory, length).await;
    let begin = Instant::now();
    let stopped = tokio::task::spawn_blocking(move || running.stop("-TERM"));
    assert_eq!(stopped.await.unwrap().code(), Some(0));
    let took = begin.elapsed();
    assert_eq!(call.await.unwrap().unwrap().status(), 503);
    assert!(!directory.join("cloudmanager.db.tmp").exists());
    took
}

#[tokio::test]
#[allow(clippy::disallowed_methods, reason = "it is about real time")]
async fn a_signal_ends_an_export_and_an_import_of_a_large_state() {
    let directory = TempDir::new().unwrap();
    let running = start(directory.path(), &[]);
    let client = reqwest::Client::new();
    let history = format!("{}/_emulator{}/history", running.url, "/program/4/pipeline/1");
    let added = client.post(history).json(&json!({"count": 100_000})).send().await.unwrap();
    assert_eq!(added.status(), 201);
    let state = client.get(format!("{}{STATE}", running.url)).send().await.unwrap();
    let state = state.bytes().await.unwrap();
    let begin = Instant::now();
    let import =
        |running: &Running| client.put(format!("{}{STATE}", running.url)).body(state.clone());
    assert_eq!(import(&running).send().await.unwrap().status(), 204);
    let imported = begin.elapsed();

    let call = client.get(format!("{}{STATE}", running.url));
    end_during(running, directory.path(), call, 0).await;
    let running = start(directory.path(), &[]);
    let call = import(&running);
    let took = end_during(running, directory.path(), call, state.len() as u64).await;
    assert!(took * 2 < imported, "{took:?} of {imported:?}");
}
