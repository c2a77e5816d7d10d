//! A worker that fails ends the program in good order.

use std::future::{pending, ready};
use std::path::Path;
use std::time::Duration;

use cloudmanager_emulator::access::Auth;
use cloudmanager_emulator::app::{App, AppError, AppOptions, InterceptionOptions};
use cloudmanager_emulator::engine::{Engine, EngineOptions};
use cloudmanager_emulator::seed::Origin;
use cloudmanager_emulator::server::Timeouts;
use cloudmanager_emulator::workers::WorkerFailed;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// Longer than any test takes.
const GRACE: Duration = Duration::from_mins(10);

async fn build(database: &Path) -> App {
    let options = AppOptions {
        listen: ([127, 0, 0, 1], 0).into(),
        database: Some(database.to_owned()),
        seed: None,
        public_url: None,
        event_url: None,
        allow_hosts: Vec::new(),
        auth: Auth::Open,
        engine: EngineOptions::default(),
        timeouts: Timeouts::default(),
        interception: InterceptionOptions::default(),
    };
    App::build(options).await.unwrap()
}

fn failure(name: &'static str, reason: &str) -> WorkerFailed {
    WorkerFailed { name, reason: reason.into() }
}

#[tokio::test]
async fn a_worker_that_fails_is_named_and_the_database_is_closed() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("cloudmanager.db");
    let end = build(&path).await.run_until_stopped(ready(()), GRACE).await;
    assert!(end.is_ok(), "{end:?}");

    let mut app = build(&path).await;
    app.add_worker("clerk", async { panic!("no more {}", "ink") });
    let error = app.run_until_stopped(pending(), GRACE).await.unwrap_err();
    assert_eq!(error.exit_code(), 1);
    let AppError::Worker(failed) = error else { panic!("{error}") };
    assert_eq!(failed, failure("clerk", "it panicked: no more ink"));

    let mut app = build(&path).await;
    app.add_worker("porter", ready(()));
    let error = app.run_until_stopped(pending(), GRACE).await.unwrap_err();
    let AppError::Worker(failed) = error else { panic!("{error}") };
    assert_eq!(failed, failure("porter", "it ended too early"));

    assert!(!directory.path().join("cloudmanager.db-wal").exists());
    let engine = Engine::open(&path, EngineOptions::default(), Origin::Demo).await.unwrap();
    engine.close().await.unwrap();
}

#[tokio::test]
async fn requests_in_flight_are_answered_when_a_worker_fails() {
    let directory = TempDir::new().unwrap();
    let mut app = build(&directory.path().join("cloudmanager.db")).await;
    let (fail, told) = oneshot::channel::<()>();
    app.add_worker("clerk", async {
        let _ = told.await;
        panic!("on purpose");
    });
    let address = app.url().trim_start_matches("http://").to_owned();
    let running = tokio::spawn(app.run_until_stopped(pending(), GRACE));

    let mut connection = BufReader::new(TcpStream::connect(&address).await.unwrap());
    let head = format!(
        "POST /_emulator/reset HTTP/1.1\r\nhost: {address}\r\ncontent-length: 2\r\n\
         expect: 100-continue\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut line = String::new();
    connection.read_line(&mut line).await.unwrap();
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n", "the body is waited for");
    drop(fail);
    connection.write_all(b"{}").await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.trim_start().starts_with("HTTP/1.1 204"), "{answer}");
    assert!(matches!(running.await.unwrap(), Err(AppError::Worker(_))));
}
