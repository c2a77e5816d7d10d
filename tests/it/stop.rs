//! The end of the application: what is in flight gets its time, and no more.

use std::path::Path;
use std::time::Duration;

use cloudmanager_emulator::access::Auth;
use cloudmanager_emulator::app::{App, AppError, AppOptions, InterceptionOptions};
use cloudmanager_emulator::engine::EngineOptions;
use cloudmanager_emulator::log::Recent;
use cloudmanager_emulator::server::Timeouts;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::log;

/// How long the end may take that has to come.
const PATIENCE: Duration = Duration::from_mins(1);

const BODY: &[u8] = br#"{"by":"PT1S"}"#;

/// An application that listens, and a request to it of which the body is still to come.
struct InFlight {
    running: JoinHandle<Result<(), AppError>>,
    stop: oneshot::Sender<()>,
    stream: TcpStream,
}

impl InFlight {
    async fn start(directory: &Path, grace: Duration) -> Self {
        let options = AppOptions {
            listen: "127.0.0.1:0".parse().unwrap(),
            database: Some(directory.join("cloudmanager.db")),
            seed: None,
            public_url: None,
            event_url: None,
            allow_hosts: Vec::new(),
            auth: Auth::Open,
            engine: EngineOptions::default(),
            timeouts: Timeouts::default(),
            interception: InterceptionOptions::default(),
        };
        let app = App::build(options).await.unwrap();
        let address = app.url().trim_start_matches("http://").to_owned();
        let (stop, stopped) = oneshot::channel();
        let stopped = async move { stopped.await.unwrap() };
        let running = tokio::spawn(app.run_until_stopped(stopped, grace));
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let head = format!(
            "POST /_emulator/clock/advance HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
             content-length: {}\r\nexpect: 100-continue\r\n\r\n",
            BODY.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // The body is asked for when somebody begins to read it.
        let mut asked = [0; 25];
        stream.read_exact(&mut asked).await.unwrap();
        assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
        Self { running, stop, stream }
    }
}

#[tokio::test]
async fn requests_in_flight_are_cut_off_when_their_time_is_over() {
    let (directory, log) = (TempDir::new().unwrap(), Recent::default());
    let _logging = log::record(&log);
    let in_flight = InFlight::start(directory.path(), Duration::from_millis(10)).await;
    let InFlight { running, stop, stream: _stream } = in_flight;
    stop.send(()).unwrap();
    timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
    assert!(log.entries().concat().contains("requests in flight were cut off"), "{log:?}");
    // Everything is in the one file, and nobody else is kept out.
    assert!(!directory.path().join("cloudmanager.db-wal").exists());
    InFlight::start(directory.path(), Duration::ZERO).await;
}

#[tokio::test]
async fn requests_in_flight_are_answered_within_their_time() {
    let (directory, log) = (TempDir::new().unwrap(), Recent::default());
    let _logging = log::record(&log);
    let in_flight = InFlight::start(directory.path(), Duration::from_hours(1)).await;
    let InFlight { running, stop, mut stream } = in_flight;
    stop.send(()).unwrap();
    stream.write_all(BODY).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    running.await.unwrap().unwrap();
    assert!(!log.entries().concat().contains("cut off"), "{log:?}");
}
