//! Connections: callers who stop are not waited for, those who wait are not cut off, and there are
//! never more than there is room for.

use std::path::Path;
use std::time::Duration;

use cloudmanager_emulator::access::Auth;
use cloudmanager_emulator::app::{App, AppOptions, InterceptionOptions};
use cloudmanager_emulator::engine::EngineOptions;
use cloudmanager_emulator::server::Timeouts;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::process::{Running, program};

/// How long anything may take that has to come.
const LONGEST: Duration = Duration::from_mins(1);

const HEALTH: &[u8] = b"GET /_emulator/health HTTP/1.1\r\nhost: localhost\r\n\r\n";

const STATE: &[u8] = b"GET /_emulator/state HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// An application that listens.
struct Listening {
    address: String,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
    _directory: TempDir,
}

impl Listening {
    async fn start(timeouts: Timeouts) -> Self {
        let directory = TempDir::new().unwrap();
        let options = AppOptions {
            listen: ([127, 0, 0, 1], 0).into(),
            database: Some(directory.path().join("cloudmanager.db")),
            seed: None,
            public_url: None,
            event_url: None,
            allow_hosts: Vec::new(),
            auth: Auth::Open,
            engine: EngineOptions::default(),
            timeouts,
            interception: InterceptionOptions::default(),
        };
        let app = App::build(options).await.unwrap();
        let address = app.url().trim_start_matches("http://").to_owned();
        let (stop, stopped) = oneshot::channel();
        let stopped = async move { stopped.await.unwrap() };
        let grace = 100 * LONGEST;
        let running = async move { app.run_until_stopped(stopped, grace).await.unwrap() };
        Self { address, stop, running: tokio::spawn(running), _directory: directory }
    }

    /// Connects and sends some bytes.
    async fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream
    }

    /// Makes a call on a connection of its own: whoever connected before has been accepted.
    async fn call(&self) {
        assert!(receive_answer(&mut self.send(HEALTH).await).await.contains("200 OK"));
    }

    async fn stopped(self) {
        self.stop.send(()).unwrap();
        timeout(LONGEST, self.running).await.unwrap().unwrap();
    }
}

/// What comes until the connection is over.
async fn receive(stream: &mut TcpStream) -> String {
    let mut received = Vec::new();
    // How the connection ends does not matter.
    let _ = timeout(LONGEST, stream.read_to_end(&mut received)).await.expect("an end");
    String::from_utf8(received).unwrap()
}

/// The first answer whose body is a JSON object.
async fn receive_answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut left = None;
    while left != Some(0) {
        let byte = timeout(LONGEST, stream.read_u8()).await.expect("an answer").unwrap();
        text.push(char::from(byte));
        left = match left {
            None if text.ends_with("\r\n\r\n") => Some(content_length(&text)),
            left => left.map(|left| left - 1),
        };
    }
    text
}

fn content_length(head: &str) -> usize {
    let line = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    line.expect("a length").parse().unwrap()
}

/// Asks for large answers, and reads none of them, until nothing more can be sent; how that ended.
async fn ask_without_reading(address: &str) -> std::io::Error {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address.parse().unwrap()).await.unwrap();
    loop {
        if let Err(error) = stream.write_all(STATE).await {
            return error;
        }
    }
}

/// One time is short, and all others are long.
fn timeouts(short: impl Fn(&mut Timeouts) -> &mut Duration) -> Timeouts {
    let long = 100 * LONGEST;
    let mut timeouts = Timeouts { head: long, idle: long, stall: long, closed: long, end: long };
    *short(&mut timeouts) = Duration::from_millis(100);
    timeouts
}

#[tokio::test]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let app = Listening::start(timeouts(|it| &mut it.head)).await;
    for begun in ["G", "GET /_emulator/health HTTP/1.1\r\nhost: local"] {
        assert_eq!(receive(&mut app.send(begun.as_bytes()).await).await, "");
    }
    let mut stream = app.send(&[HEALTH, b"GET"].concat()).await;
    assert!(receive_answer(&mut stream).await.contains("200 OK"));
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_is_not_waited_for() {
    let app = Listening::start(Timeouts::default()).await;
    let mut stream = app.send(b"GET /").await;
    // From here on the time runs ahead whenever nothing else happens.
    tokio::time::pause();
    let drip = async {
        while stream.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    timeout(LONGEST, drip).await.expect("an end");
}

#[tokio::test]
async fn a_connection_that_is_not_used_ends() {
    let app = Listening::start(timeouts(|it| &mut it.idle)).await;
    assert_eq!(receive(&mut app.send(b"").await).await, "");
    let text = receive(&mut app.send(HEALTH).await).await;
    assert!(text.contains("200 OK"), "{text}");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let app = Listening::start(timeouts(|it| &mut it.stall)).await;
    for path in ["/_emulator/reset", "/_emulator/state", "/api/program/4/pipeline/1/execution"] {
        let head = format!("PUT {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{{");
        let text = receive(&mut app.send(head.as_bytes()).await).await;
        assert!(!text.contains("200 OK"), "{text}");
    }
}

#[tokio::test]
async fn a_caller_who_does_not_read_is_not_waited_for() {
    let app = Listening::start(timeouts(|it| &mut it.stall)).await;
    timeout(LONGEST, ask_without_reading(&app.address)).await.expect("an end");
}

#[tokio::test]
async fn callers_who_wait_are_not_cut_off() {
    let second = Duration::from_millis(100);
    let short = Timeouts { head: second, idle: second, stall: second, closed: second, end: second };
    let app = Listening::start(short).await;
    let signed = format!(
        "host: localhost\r\nauthorization: Bearer t\r\nx-api-key: k\r\nx-gw-ims-org-id: {}\r\n\r\n",
        crate::app::ORGANISATION
    );
    let start = format!("PUT /api/program/4/pipeline/1/execution HTTP/1.1\r\n{signed}");
    receive_answer(&mut app.send(start.as_bytes()).await).await;
    let wait = "/_emulator/program/4/pipeline/1/execution/953671/wait?for=ENDED&timeout=PT1S";
    let wait = format!("GET {wait} HTTP/1.1\r\n{signed}");
    let text = receive_answer(&mut app.send(wait.as_bytes()).await).await;
    assert!(text.contains("408 Request Timeout"), "{text}");
}

#[tokio::test]
async fn a_stream_of_events_is_not_cut_off() {
    let app = Listening::start(Timeouts::default()).await;
    let events = b"GET /_emulator/events?types=program HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let mut stream = app.send(events).await;
    let mut reader = tokio::io::BufReader::new(&mut stream);
    // From here on the time runs ahead whenever nothing else happens.
    tokio::time::pause();
    let mut comments = 0;
    while comments < 100 {
        let mut line = String::new();
        let read = tokio::io::AsyncBufReadExt::read_line(&mut reader, &mut line).await.unwrap();
        assert_ne!(read, 0, "the stream has ended");
        comments += usize::from(line.starts_with(':'));
    }
}

/// The head of a request to the API.
fn signed(method: &str, path: &str, length: usize) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer t\r\nx-api-key: k\r\n\
         x-gw-ims-org-id: {}\r\ncontent-length: {length}\r\n\r\n",
        crate::app::ORGANISATION
    )
    .into_bytes()
}

const WAIT: &str = "/_emulator/program/4/pipeline/1/execution/953671/wait?for=ENDED";

#[tokio::test]
async fn callers_who_close_their_side_get_the_whole_answer() {
    let app = Listening::start(Timeouts::default()).await;
    let start = signed("PUT", "/api/program/4/pipeline/1/execution", 2);
    let wait = signed("GET", &format!("{WAIT}&timeout=PT0.5S"), 0);
    for (request, end) in [
        (&[&start[..], b"{}"].concat(), "}"),
        (&HEALTH.to_vec(), "}\n"),
        (&[HEALTH, HEALTH].concat(), "}\n"),
        (&wait, "}\n"),
        (&signed("GET", "/_emulator/metrics", 0), "\n"),
    ] {
        let mut stream = app.send(request).await;
        stream.shutdown().await.unwrap();
        let text = receive(&mut stream).await;
        assert!(text.starts_with("HTTP/1.1 ") && text.ends_with(end), "{text}");
        let answers = text.matches("HTTP/1.1 ").count();
        assert_eq!(answers, String::from_utf8_lossy(request).matches("HTTP/1.1").count());
    }
    let mut stream = app.send(STATE).await;
    stream.shutdown().await.unwrap();
    let mut state = Vec::new();
    timeout(LONGEST, stream.read_to_end(&mut state)).await.unwrap().unwrap();
    let head = state.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
    let length = content_length(std::str::from_utf8(&state[..head]).unwrap());
    assert_eq!(state.len(), head + 4 + length);
}

#[tokio::test]
async fn a_caller_who_left_is_not_waited_for() {
    let app = Listening::start(timeouts(|it| &mut it.closed)).await;
    let start = signed("PUT", "/api/program/4/pipeline/1/execution", 0);
    receive_answer(&mut app.send(&start).await).await;
    // For the emulator, this looks as if the caller had left.
    let mut stream = app.send(&signed("GET", &format!("{WAIT}&timeout=PT1H"), 0)).await;
    stream.shutdown().await.unwrap();
    assert_eq!(receive(&mut stream).await, "");
}

#[tokio::test]
async fn a_stream_of_events_goes_on_for_a_caller_who_closed_its_side() {
    let app = Listening::start(Timeouts::default()).await;
    let events = b"GET /_emulator/events?types=program HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let mut stream = app.send(events).await;
    stream.shutdown().await.unwrap();
    let mut reader = tokio::io::BufReader::new(&mut stream);
    // From here on the time runs ahead whenever nothing else happens.
    tokio::time::pause();
    let mut comments = 0;
    while comments < 20 {
        let mut line = String::new();
        let read = tokio::io::AsyncBufReadExt::read_line(&mut reader, &mut line).await.unwrap();
        assert_ne!(read, 0, "the stream has ended");
        comments += usize::from(line.starts_with(':'));
    }
}

#[tokio::test]
async fn the_silence_before_a_head_does_not_count_against_it() {
    let app = Listening::start(Timeouts::default()).await;
    let mut stream = app.send(b"").await;
    app.call().await;
    // From here on the time runs ahead whenever nothing else happens.
    tokio::time::pause();
    // Needs no database, whose time-outs would come early.
    let (begin, rest) = b"GET /_emulator/clock HTTP/1.1\r\nhost: localhost\r\n\r\n".split_at(9);
    tokio::time::sleep(Duration::from_secs(100)).await;
    stream.write_all(begin).await.unwrap();
    tokio::time::sleep(Duration::from_secs(16)).await;
    stream.write_all(rest).await.unwrap();
    tokio::time::resume();
    let answer = receive_answer(&mut stream).await;
    assert!(answer.contains("200 OK"), "{answer}");
}

#[tokio::test]
async fn a_wrong_method_with_a_large_body_gets_an_answer() {
    let app = Listening::start(Timeouts::default()).await;
    for path in ["/_emulator/state", "/_emulator/seed"] {
        for (length, answer) in
            [(1 << 19, "405 Method Not Allowed"), (10 << 20, "413 Payload Too Large")]
        {
            let mut stream = app.send(&signed("DELETE", path, length)).await;
            stream.write_all(&vec![b'x'; length]).await.unwrap();
            let text = receive_answer(&mut stream).await;
            assert!(text.starts_with(&format!("HTTP/1.1 {answer}")), "{text}");
        }
    }
}

#[tokio::test]
async fn callers_who_stopped_do_not_delay_the_end() {
    let app = Listening::start(timeouts(|it| &mut it.end)).await;
    let _half = app.send(b"GET /_emul").await;
    let head = b"PUT /_emulator/state HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{";
    let _half_a_body = app.send(head).await;
    let _reader = tokio::spawn({
        let address = app.address.clone();
        async move { ask_without_reading(&address).await }
    });
    app.call().await;
    app.stopped().await;
}

#[tokio::test]
async fn a_request_names_one_host() {
    let app = Listening::start(Timeouts::default()).await;
    for hosts in ["", "host: localhost\r\nhost: localhost\r\n", "host: localhost\r\nhost: a\r\n"] {
        let head = format!("GET /_emulator/health HTTP/1.1\r\n{hosts}connection: close\r\n\r\n");
        let text = receive(&mut app.send(head.as_bytes()).await).await;
        assert!(text.starts_with("HTTP/1.1 400 Bad Request"), "{text}");
        assert!(text.contains("must have one Host header") && text.contains("x-request-id"));
    }
    let text = receive(&mut app.send(b"GET /_emulator/health HTTP/1.0\r\n\r\n").await).await;
    assert!(text.contains("200 OK"), "{text}");
}

/// The program, which may open this many files at most; less to begin with.
#[cfg(unix)]
fn program_with_few_files(directory: &Path, most: u32) -> std::process::Command {
    let program = program(directory);
    let mut command = std::process::Command::new("/bin/sh");
    let script = format!("ulimit -Sn 32; ulimit -Hn {most}; exec \"$0\" \"$@\"");
    command.arg("-c").arg(script).arg(program.get_program());
    command.args(["--listen", "127.0.0.1:0", "--ephemeral"]);
    command.current_dir(directory).env_clear().env("TMPDIR", directory);
    command
}

#[cfg(unix)]
#[tokio::test]
async fn connections_leave_room_for_the_database() {
    let directory = TempDir::new().unwrap();
    let mut command = program_with_few_files(directory.path(), 100);
    let running = Running::spawn(&mut command).when_ready();
    let address = running.url.trim_start_matches("http://");
    let mut open = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(HEALTH).await.unwrap();
        assert!(receive_answer(&mut stream).await.contains("200 OK"));
        open.push(stream);
    }
    // Others wait until there is room.
    let mut others = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(HEALTH).await.unwrap();
        others.push(stream);
    }
    for (path, method) in [("reset", "POST"), ("state", "GET"), ("info", "GET")] {
        let request = format!(
            "{method} /_emulator/{path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{{}}"
        );
        let mut stream = open.pop().unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = vec![0; "HTTP/1.1 204".len()];
        stream.read_exact(&mut answer).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 20"), "{path}");
    }
    let waiting = others[99].try_read(&mut [0]).unwrap_err();
    assert_eq!(waiting.kind(), std::io::ErrorKind::WouldBlock);
    drop(open);
    for mut stream in others {
        let answer = receive_answer(&mut stream).await;
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["status"], "ok");
    }
    assert_eq!(running.stop("-TERM").code(), Some(0));
}
