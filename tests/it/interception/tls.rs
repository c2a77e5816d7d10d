//! The port for TLS.

use std::error::Error;

use serde_json::{Value, json};

use super::{Intercepting, signed};
use crate::app::CODE_QUALITY;
use crate::receiver::Receiver;

#[tokio::test]
async fn the_real_names_are_answered_over_tls() {
    let emulator = Intercepting::start().await;
    for name in
        ["cloudmanager.adobe.io", "ims-na1.adobelogin.com", "static.adobeioevents.com", "localhost"]
    {
        let (client, url) = emulator.by_name(name);
        let answer = client.get(format!("{url}/_emulator/health")).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{name}");
        assert_eq!(answer.version(), reqwest::Version::HTTP_11);
    }
    // Nothing but repositories has this host.
    let (client, url) = emulator.by_name("git.cloudmanager.adobe.com");
    let answer = client.get(format!("{url}/_emulator/health")).send().await.unwrap();
    assert!(answer.status().is_client_error(), "{}", answer.status());
    let client = emulator.client().build().unwrap();
    let url = format!("https://{}/_emulator/health", emulator.tls);
    assert_eq!(client.get(url).send().await.unwrap().status(), 200);
    emulator.stopped().await;
}

#[tokio::test]
async fn the_port_for_tls_speaks_plain_http_too() {
    let emulator = Intercepting::start().await;
    let client = emulator.client().build().unwrap();
    for address in [emulator.tls, emulator.proxy] {
        let url = format!("http://{address}/_emulator/health");
        assert_eq!(client.get(url).send().await.unwrap().status(), 200);
    }
    emulator.stopped().await;
}

#[tokio::test]
async fn addresses_and_journal_are_those_of_the_real_names() {
    let emulator = Intercepting::start().await;
    let (client, url) = emulator.by_name("cloudmanager.adobe.io");
    let start = client.put(format!("{url}{CODE_QUALITY}/execution"));
    let started = signed(start).send().await.unwrap();
    assert_eq!(started.status(), 201);
    let location = started.headers()["location"].to_str().unwrap();
    assert!(location.starts_with("https://cloudmanager.adobe.io/api/"), "{location}");
    let requests = client.get(format!("{}/_emulator/requests", emulator.url));
    let requests: Value = requests.send().await.unwrap().json().await.unwrap();
    let host = format!("cloudmanager.adobe.io:{}", emulator.tls.port());
    assert_eq!(requests["requests"][0]["host"], json!(host));
    let other = format!("https://{}{CODE_QUALITY}/execution", emulator.tls);
    let client = emulator.client().build().unwrap();
    let fault = json!({"operation": "getCurrentExecution", "status": 503});
    let faults = format!("https://{}/_emulator/faults", emulator.tls);
    assert_eq!(client.post(faults).json(&fault).send().await.unwrap().status(), 201);
    assert_eq!(signed(client.get(other)).send().await.unwrap().status(), 503);
    emulator.stopped().await;
}

/// The innermost cause of an error that is one of the system.
fn kind_of(error: &(dyn Error + 'static)) -> Option<std::io::ErrorKind> {
    let causes = std::iter::successors(Some(error), |error| (**error).source());
    let kinds = causes.filter_map(|error| error.downcast_ref::<std::io::Error>());
    kinds.last().map(std::io::Error::kind)
}

#[tokio::test]
async fn faults_of_the_wire_look_as_they_do_without_tls() {
    let emulator = Intercepting::start().await;
    let (client, url) = emulator.by_name("cloudmanager.adobe.io");
    let control = emulator.client().build().unwrap();
    for fault in [
        "CONNECTION_RESET_BY_PEER",
        "EMPTY_RESPONSE",
        "MALFORMED_RESPONSE_CHUNK",
        "RANDOM_DATA_THEN_CLOSE",
    ] {
        let mut seen = Vec::new();
        for (client, base) in [
            (&client, url.clone()),
            (&control, emulator.url.clone()),
            (&emulator.through_proxy(), "https://cloudmanager.adobe.io".to_owned()),
        ] {
            let faults = format!("{}/_emulator/faults", emulator.url);
            let rule = json!({"operation": "getPrograms", "times": 1, "fault": fault});
            assert_eq!(control.post(faults).json(&rule).send().await.unwrap().status(), 201);
            let answer = signed(client.get(format!("{base}/api/programs"))).send().await;
            let error = match answer {
                Ok(answer) => answer.bytes().await.unwrap_err(),
                Err(error) => error,
            };
            seen.push((error.is_request(), error.is_body(), error.is_decode(), kind_of(&error)));
        }
        assert_eq!(seen[0], seen[1], "{fault}");
        assert_eq!(seen[1], seen[2], "{fault}, through the proxy");
    }
    emulator.stopped().await;
}

#[tokio::test]
async fn deliveries_carry_signatures_that_the_public_keys_verify() {
    let emulator = Intercepting::start().await;
    let mut receiver = Receiver::start().await;
    let client = emulator.client().build().unwrap();
    let webhook = receiver.subscription(&json!(["all"]));
    let webhooks = format!("{}/_emulator/webhooks", emulator.url);
    let made = client.post(webhooks).json(&webhook).send().await.unwrap();
    assert_eq!(made.status(), 201, "{}", made.text().await.unwrap());
    let start = client.put(format!("{}{CODE_QUALITY}/execution", emulator.url));
    assert_eq!(signed(start).send().await.unwrap().status(), 201);
    let event = receiver.next().await;
    let object = &event.body["event"]["activitystreams:object"]["@id"];
    let object = object.as_str().unwrap();
    assert!(object.starts_with("https://cloudmanager.adobe.io/api/"), "{object}");
    let (names, base) = emulator.by_name("static.adobeioevents.com");
    let header = |name: &str| event.header(name).unwrap().to_owned();
    for number in ["1", "2"] {
        let path = header(&format!("x-adobe-public-key{number}-path"));
        let pem = names.get(format!("{base}{path}")).send().await.unwrap();
        assert_eq!(pem.status(), 200);
        let pem = pem.text().await.unwrap();
        assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n"), "{pem}");
        assert!(!header(&format!("x-adobe-digital-signature-{number}")).is_empty());
    }
    assert_ne!(header("x-adobe-public-key1-path"), header("x-adobe-public-key2-path"));
    let missing = names.get(format!("{base}/prod/keys/pub-key-x.pem")).send().await.unwrap();
    assert_eq!(missing.status(), 404);
    emulator.stopped().await;
}
