//! The forward proxy.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Uri};
use axum::routing::any;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::{Intercepting, LONGEST, LOOPBACK, receive, receive_head, send, signed};
use crate::app::CODE_QUALITY;

/// A server that is not the emulator; gone when dropped.
struct Other {
    address: SocketAddr,
    server: AbortHandle,
}

impl Drop for Other {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Other {
    /// Does something with each connection.
    async fn start<F>(handle: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(handle(stream));
            }
        };
        Self { address, server: tokio::spawn(accepting).abort_handle() }
    }
}

/// Opens a tunnel.
async fn connect(emulator: &Intercepting, target: impl std::fmt::Display) -> (TcpStream, String) {
    let request = format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n\r\n");
    let mut stream = send(emulator.proxy, request.as_bytes()).await;
    let head = receive_head(&mut stream).await;
    (stream, head)
}

#[tokio::test]
async fn the_real_names_are_answered_through_the_proxy() {
    let emulator = Intercepting::start().await;
    let client = emulator.through_proxy();
    let start = client.put(format!("https://cloudmanager.adobe.io{CODE_QUALITY}/execution"));
    let started = signed(start).send().await.unwrap();
    assert_eq!(started.status(), 201);
    let location = started.headers()["location"].to_str().unwrap().to_owned();
    assert!(location.starts_with("https://cloudmanager.adobe.io/api/"), "{location}");
    assert_eq!(signed(client.get(location)).send().await.unwrap().status(), 200);
    // Plain HTTP has no CONNECT.
    let health = client.get("http://cloudmanager.adobe.io/_emulator/health").send().await.unwrap();
    assert_eq!(health.status(), 200);
    emulator.stopped().await;
}

#[tokio::test]
async fn old_clients_may_ask_the_proxy_for_an_https_url() {
    let emulator = Intercepting::start().await;
    let request = format!(
        "PUT https://cloudmanager.adobe.io{CODE_QUALITY}/execution HTTP/1.1\r\n\
         host: whatever\r\nx-gw-ims-org-id: {}\r\nx-api-key: k\r\nauthorization: Bearer t\r\n\
         connection: close\r\n\r\n",
        crate::app::ORGANISATION
    );
    let mut stream = send(emulator.proxy, request.as_bytes()).await;
    let head = receive_head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 201 "), "{head}");
    assert!(head.contains("location: https://cloudmanager.adobe.io/api/"), "{head}");
    emulator.stopped().await;
}

#[tokio::test]
async fn other_connections_are_carried_byte_for_byte() {
    let emulator = Intercepting::start().await;
    let echo = Other::start(|mut stream| async move {
        let (mut read, mut write) = stream.split();
        let _ = tokio::io::copy(&mut read, &mut write).await;
    })
    .await;
    let (mut stream, head) = connect(&emulator, echo.address).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let sent: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_be_bytes).collect();
    let (mut read, mut write) = stream.split();
    let mut received = Vec::new();
    let writing = async {
        write.write_all(&sent).await.unwrap();
        // The other side still sends after this.
        write.shutdown().await.unwrap();
    };
    let reading = async { timeout(LONGEST, read.read_to_end(&mut received)).await.unwrap() };
    let ((), read) = tokio::join!(writing, reading);
    read.unwrap();
    assert!(received == sent);
    emulator.stopped().await;
}

#[tokio::test]
async fn a_server_that_does_not_read_slows_the_client_down() {
    let emulator = Intercepting::start().await;
    let held = Arc::new(tokio::sync::Mutex::new(Vec::new()));
    let keeping = held.clone();
    let silent = Other::start(move |stream| {
        let held = keeping.clone();
        async move { held.lock().await.push(stream) }
    })
    .await;
    let (stream, _) = connect(&emulator, silent.address).await;
    let mut sent = 0;
    // Buffers of the system take some megabytes; then nothing more is taken.
    loop {
        let chunk = vec![0; 65_536];
        let write = async {
            stream.writable().await.unwrap();
            stream.try_write(&chunk)
        };
        match timeout(std::time::Duration::from_secs(2), write).await {
            Ok(Ok(length)) => sent += length,
            Ok(Err(error)) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
            Err(_) => break,
        }
        assert!(sent < 256 * 1024 * 1024, "the emulator keeps what nobody reads");
    }
    // The stop does not wait for it.
    emulator.stopped().await;
}

#[tokio::test]
async fn other_requests_are_sent_on() {
    let emulator = Intercepting::start().await;
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = any(|headers: HeaderMap, uri: Uri, body: Bytes| async move {
        let has_hop = headers.contains_key("proxy-connection");
        format!("{uri} {} {} {has_hop}", headers["host"].to_str().unwrap(), body.len())
    });
    let router = Router::new().fallback(answer);
    let server = tokio::spawn(axum::serve(listener, router).into_future());
    let client = emulator.through_proxy();
    let request = client.post(format!("http://{address}/a/b?c=d")).body("x".repeat(100_000));
    let answer = request.header("proxy-connection", "keep-alive").send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), format!("/a/b?c=d {address} 100000 false"));
    server.abort();
    emulator.stopped().await;
}

#[tokio::test]
async fn the_emulator_does_not_call_itself() {
    let emulator = Intercepting::start().await;
    let port = emulator.proxy.port();
    for target in [
        emulator.proxy.to_string(),
        emulator.tls.to_string(),
        emulator.url.trim_start_matches("http://").to_owned(),
        format!("localhost:{port}"),
        format!("127.1.2.3:{port}"),
    ] {
        let (_, head) = connect(&emulator, &target).await;
        let refused = head.starts_with("HTTP/1.1 508 ");
        // Nothing listens at the other addresses of loopback.
        assert!(refused || head.starts_with("HTTP/1.1 502 "), "{target}: {head}");
        assert!(refused || target.starts_with("127.1"), "{target}: {head}");
    }
    let request =
        format!("GET {}/_emulator/health HTTP/1.1\r\nconnection: close\r\n\r\n", emulator.url);
    let mut stream = send(emulator.proxy, request.as_bytes()).await;
    let answer = String::from_utf8(receive(&mut stream).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 508 ") && answer.contains("no_proxy"), "{answer}");
    emulator.stopped().await;
}

#[tokio::test]
async fn offline_nothing_else_is_reached() {
    let reached = Other::start(|_| async { panic!("the proxy reaches another host") }).await;
    let emulator = Intercepting::start_with(|options| options.interception.offline = true).await;
    let (_, head) = connect(&emulator, reached.address).await;
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
    let client = emulator.through_proxy();
    let answer = client.get(format!("http://{}/", reached.address)).send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert!(answer.text().await.unwrap().contains("the emulator runs with --offline"));
    let own = client.get("https://cloudmanager.adobe.io/_emulator/health").send().await.unwrap();
    assert_eq!(own.status(), 200);
    emulator.stopped().await;
}
