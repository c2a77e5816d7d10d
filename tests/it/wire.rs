//! What comes over the wire from the real program when connections fail.

use std::io::{ErrorKind, Read, Result, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::ORGANISATION;
use crate::process::{Running, start};

/// Sends a request as bytes; the connection.
fn send(running: &Running, method: &str, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(running.url.trim_start_matches("http://")).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer t\r\nx-api-key: k\r\n\
         x-gw-ims-org-id: {ORGANISATION}\r\naccept: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// What comes until the connection is over, and how that is.
fn receive(mut stream: TcpStream) -> (Vec<u8>, Result<()>) {
    let mut received = Vec::new();
    let end = stream.read_to_end(&mut received).map(|_| ());
    (received, end)
}

async fn post(running: &Running, path: &str, body: Value) -> Value {
    let client = reqwest::Client::new();
    let request = client.post(format!("{}{path}", running.url)).body(body.to_string());
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
    answer.json().await.unwrap()
}

async fn get(running: &Running, path: &str) -> (u16, String) {
    let client = reqwest::Client::new();
    let request = client.get(format!("{}{path}", running.url));
    let request = request.header("x-gw-ims-org-id", ORGANISATION).header("x-api-key", "k");
    let answer = request.bearer_auth("t").send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

const EXECUTION: &str = "/api/program/4/pipeline/1/execution";

fn standing(directory: &TempDir) -> Running {
    start(directory.path(), &["--ephemeral", "--clock-rate", "0"])
}

#[tokio::test]
async fn connections_fail_in_four_ways_in_place_of_the_operation() {
    let directory = TempDir::new().unwrap();
    let running = standing(&directory);
    let fail = async |fault: &str| {
        let rule = json!({"operation": "startPipeline", "fault": fault, "times": 1});
        post(&running, "/_emulator/faults", rule).await;
        receive(send(&running, "PUT", EXECUTION))
    };
    let (received, end) = fail("CONNECTION_RESET_BY_PEER").await;
    assert_eq!(received, b"");
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);

    let (received, end) = fail("EMPTY_RESPONSE").await;
    assert_eq!(received, b"");
    end.unwrap();

    let (received, end) = fail("MALFORMED_RESPONSE_CHUNK").await;
    end.unwrap();
    let text = String::from_utf8(received).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    assert!(i64::from_str_radix(body.lines().next().unwrap(), 16).is_err(), "{body}");

    let (received, end) = fail("RANDOM_DATA_THEN_CLOSE").await;
    end.unwrap();
    assert!(!received.is_empty() && !received.starts_with(b"HTTP/"));

    // Nothing was started, and the calls are known.
    assert_eq!(get(&running, EXECUTION).await.0, 404);
    let (_, requests) = get(&running, "/_emulator/requests?method=PUT").await;
    let requests: Value = serde_json::from_str(&requests).unwrap();
    let entry = &requests["requests"][0];
    assert_eq!(entry["fault"], json!({"rule": "4", "fault": "RANDOM_DATA_THEN_CLOSE"}));
    assert_eq!((entry.get("status"), &entry["body"]), (None, &json!({})));
    running.stop("-TERM");
}

#[tokio::test]
async fn a_log_breaks_off_in_the_middle() {
    let directory = TempDir::new().unwrap();
    let running = standing(&directory);
    receive_answer(send(&running, "PUT", EXECUTION));
    post(&running, "/_emulator/clock/advance", json!({"by": "PT1M"})).await;
    let execution: Value = serde_json::from_str(&get(&running, EXECUTION).await.1).unwrap();
    let links = &execution["_embedded"]["stepStates"][1]["_links"];
    let logs = links["http://ns.adobe.com/adobecloud/rel/pipeline/logs"]["href"].as_str().unwrap();
    let address = receive_answer(send(&running, "GET", logs));
    let address = address.split('"').find(|part| part.contains("/files/")).unwrap();
    let path = &address[address.find("/files/").unwrap()..];

    post(&running, "/_emulator/faults", json!({"preset": "reset-mid-log", "times": 1})).await;
    let (received, end) = receive(send(&running, "GET", path));
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
    let text = String::from_utf8(received).unwrap();
    let (head, half) = text.split_once("\r\n\r\n").unwrap();
    let (_, whole) = get(&running, path).await;
    assert!(head.contains(&format!("content-length: {}", whole.len())), "{head}");
    assert_eq!(half, &whole[..whole.len() / 2]);
    running.stop("-TERM");
}

/// The text of an answer on a connection that is kept, up to a pause.
fn receive_answer(mut stream: TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).unwrap();
        text += std::str::from_utf8(&buffer[..count]).unwrap();
        let length: Option<usize> = text
            .split_once("\r\n\r\n")
            .and_then(|(head, _)| head.split_once("content-length: "))
            .and_then(|(_, rest)| rest.lines().next()?.parse().ok());
        if let (Some(length), Some((_, body))) = (length, text.split_once("\r\n\r\n"))
            && body.len() >= length
        {
            return body.to_owned();
        }
    }
}

#[tokio::test]
async fn a_call_whose_caller_left_is_known() {
    let directory = TempDir::new().unwrap();
    let running = standing(&directory);
    post(&running, "/_emulator/faults", json!({"operation": "getPrograms", "latency": "PT1H"}))
        .await;
    let stream = send(&running, "GET", "/api/programs");
    while !get(&running, "/_emulator/faults").await.1.contains(r#""used":1"#) {}
    drop(stream);
    let line = r#"{operation="getPrograms",status="none"} 1"#;
    while !get(&running, "/_emulator/metrics").await.1.contains(line) {}
    let (_, requests) = get(&running, "/_emulator/requests").await;
    let requests: Value = serde_json::from_str(&requests).unwrap();
    assert_eq!(requests["requests"][0]["path"], "/api/programs");
    assert_eq!(requests["requests"][0].get("status"), None);
    running.stop("-TERM");
}
