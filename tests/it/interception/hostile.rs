//! Callers who mean no good.

use cloudmanager_emulator::server::Timeouts;

use super::{Intercepting, LONGEST, receive, receive_head, send};

/// The emulator still answers.
async fn check(emulator: &Intercepting) {
    let client = emulator.client().build().unwrap();
    for url in [
        format!("https://{}/_emulator/health", emulator.tls),
        format!("http://{}/_emulator/health", emulator.proxy),
    ] {
        let health = client.get(url).send().await.unwrap();
        assert_eq!(health.status(), 200);
    }
}

#[tokio::test]
async fn garbage_ends_the_connection() {
    let emulator = Intercepting::start().await;
    let endless = [&[0x16, 3, 1, 0xff, 0xff][..], &vec![0; 70_000]].concat();
    for bytes in [
        &b"\x16"[..],
        b"\x16\x03\x01\x00\x05hello",
        &endless,
        b"\x00\x01\x02\x03\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"\x05\x01\x00",
    ] {
        for address in [emulator.tls, emulator.proxy] {
            let mut stream = send(address, bytes).await;
            tokio::io::AsyncWriteExt::shutdown(&mut stream).await.unwrap();
            let received = receive(&mut stream).await;
            assert!(!received.starts_with(b"HTTP/1.1 2"), "{bytes:?}");
        }
    }
    check(&emulator).await;
    emulator.stopped().await;
}

#[tokio::test]
async fn half_a_handshake_is_not_waited_for() {
    let emulator = Intercepting::start_with(|options| {
        let head = std::time::Duration::from_millis(200);
        options.timeouts = Timeouts { head, ..Timeouts::default() };
    })
    .await;
    for bytes in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
        let mut stream = send(emulator.tls, bytes).await;
        receive(&mut stream).await;
    }
    check(&emulator).await;
    emulator.stopped().await;
}

#[tokio::test]
async fn a_stop_waits_for_no_handshake() {
    let emulator = Intercepting::start_with(|options| {
        options.timeouts = Timeouts { head: 100 * LONGEST, ..Timeouts::default() };
    })
    .await;
    let _silent = send(emulator.tls, b"").await;
    let _half = send(emulator.tls, b"\x16\x03\x01").await;
    check(&emulator).await;
    emulator.stopped().await;
}

#[tokio::test]
async fn targets_that_are_none_are_refused() {
    let emulator = Intercepting::start().await;
    for target in [
        "cloudmanager.adobe.io",
        "cloudmanager.adobe.io:0",
        "cloudmanager.adobe.io:65536",
        "cloudmanager.adobe.io:99999999999999999999",
        "user@cloudmanager.adobe.io:443",
        ":443",
        "/",
    ] {
        let request = format!("CONNECT {target} HTTP/1.1\r\nhost: x\r\n\r\n");
        let mut stream = send(emulator.proxy, request.as_bytes()).await;
        let head = receive_head(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 400 "), "{target}: {head}");
    }
    let mut stream =
        send(emulator.proxy, b"GET ftp://a.example/ HTTP/1.1\r\nhost: a.example\r\n\r\n").await;
    assert!(receive_head(&mut stream).await.starts_with("HTTP/1.1 400 "));
    check(&emulator).await;
    emulator.stopped().await;
}

#[tokio::test]
async fn huge_heads_are_refused() {
    let emulator = Intercepting::start().await;
    let head = format!(
        "CONNECT cloudmanager.adobe.io:443 HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n",
        "x".repeat(1_000_000)
    );
    let mut stream = tokio::net::TcpStream::connect(emulator.proxy).await.unwrap();
    // The answer may come before everything is sent.
    let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await;
    let received = receive(&mut stream).await;
    assert!(received.is_empty() || received.starts_with(b"HTTP/1.1 431 "));
    check(&emulator).await;
    emulator.stopped().await;
}

#[tokio::test]
async fn there_is_no_connection_in_a_connection() {
    let emulator = Intercepting::start().await;
    let request = b"CONNECT cloudmanager.adobe.io:80 HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut stream = send(emulator.proxy, request).await;
    assert!(receive_head(&mut stream).await.starts_with("HTTP/1.1 200 "));
    tokio::io::AsyncWriteExt::write_all(&mut stream, request).await.unwrap();
    let head = receive_head(&mut stream).await;
    assert!(!head.starts_with("HTTP/1.1 2"), "{head}");
    emulator.stopped().await;
}

#[tokio::test]
async fn names_outside_of_the_constraints_get_no_certificate() {
    let emulator = Intercepting::start().await;
    for name in ["example.com", "adobe.io", "cloudmanager.adobe.io.evil.example"] {
        let (client, url) = emulator.by_name(name);
        let failed = client.get(format!("{url}/_emulator/health")).send().await;
        assert!(failed.unwrap_err().is_connect(), "{name}");
    }
    let (client, url) = emulator.by_name("eu.cloudmanager.adobe.io");
    let answer = client.get(format!("{url}/_emulator/health")).send().await.unwrap();
    assert_eq!(answer.status(), 403, "the certificate is good, the host is unknown");
    emulator.stopped().await;
}
