//! `…/environment/{id}/logs`: the list, the downloads, the tail.

use std::collections::BTreeSet;
use std::io::Read;

use axum::http::{Method, StatusCode};
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::app::{TestApp, link, path_of, signed};

const LOGS: &str = "/api/program/4/environment/59252/logs";

async fn downloads(app: &TestApp, query: &str) -> Vec<Value> {
    let answer = app.get(&format!("{LOGS}?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{query}: {answer:?}");
    answer.json()["_embedded"]["downloads"].as_array().unwrap().clone()
}

/// What a list has of a field, each once.
fn each(downloads: &[Value], field: &str) -> BTreeSet<String> {
    downloads.iter().map(|log| log[field].as_str().unwrap().to_owned()).collect()
}

fn gunzip(bytes: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

fn tail_of(log: &Value) -> String {
    path_of(&link(log, "logs/tail").expect("a tail")).to_owned()
}

#[tokio::test]
async fn logs_are_filtered_by_services_names_and_days() {
    let app = TestApp::new().await;
    for (query, services, names, count) in [
        ("days=1", 3, 6, 18),
        ("days=30", 3, 6, 279),
        ("service=author&days=2", 1, 3, 9),
        ("name=aemerror&days=1", 2, 1, 4),
        ("service=author&service=dispatcher&days=1", 2, 6, 12),
        ("service=author&service=publish&name=aemerror&name=aemrequest&days=1", 2, 2, 8),
        ("service=author&name=aemerror&name=httpderror&days=3", 1, 1, 4),
        ("service=author&service=author&name=aemerror&days=1", 1, 1, 2),
    ] {
        let list = downloads(&app, query).await;
        let found = (each(&list, "service").len(), each(&list, "name").len(), list.len());
        assert_eq!(found, (services, names, count), "{query}");
    }
    let list = app.get(&format!("{LOGS}?service=publish&name=aemaccess&days=2")).await.json();
    assert_eq!(list["service"], serde_json::json!(["publish"]));
    assert_eq!(list["days"], 2);
    let own = list["_links"]["self"]["href"].as_str().unwrap();
    assert_eq!(app.get(own).await.json(), list);
}

#[tokio::test]
async fn days_are_listed_from_today_which_alone_has_a_tail() {
    let app = TestApp::new().await;
    let list = downloads(&app, "service=author&name=aemerror&days=3").await;
    let dates: Vec<_> = list.iter().map(|log| log["date"].as_str().unwrap()).collect();
    assert_eq!(dates, ["2026-03-05", "2026-03-04", "2026-03-03", "2026-03-02"]);
    for (position, log) in list.iter().enumerate() {
        assert_eq!((&log["programId"], &log["environmentId"]), (&4.into(), &59252.into()));
        assert_eq!(link(log, "logs/tail").is_some(), position == 0);
        assert!(link(log, "logs/download").unwrap().starts_with(LOGS));
    }
    assert!(tail_of(&list[0]).contains('?'));
}

#[tokio::test]
async fn wrong_parameters_are_refused() {
    let app = TestApp::new().await;
    for (query, said) in [
        ("", "days: is missing"),
        ("days=", "days: must be a whole number from 1 to 30"),
        ("days=0", "days: must be a whole number from 1 to 30"),
        ("days=31", "days: must be a whole number from 1 to 30"),
        ("days=-1", "days: must be a whole number from 1 to 30"),
        ("days=1.5", "days: must be a whole number from 1 to 30"),
        ("days=99999999999999999999", "days: must be a whole number from 1 to 30"),
        ("days=%00", "days: must be a whole number from 1 to 30"),
        ("days=1&service=moon", "service: is not a service of a log"),
        ("days=1&service=author&service=AUTHOR", "service: is not a service of a log"),
        ("days=1&name=..%2Faemerror", "name: is not a name of a log"),
        ("days=1&service=author&name=httpderror", "name: is not a log of the service"),
    ] {
        let answer = app.get(&format!("{LOGS}?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.errors(), said, "{query}");
    }
    let good = "service=author&name=aemerror&date=2026-03-05";
    assert_eq!(app.get(&format!("{LOGS}/download?{good}")).await.status, StatusCode::OK);
    for (query, said) in [
        ("service=author&name=aemerror", "date: is missing"),
        ("service=author&date=2026-03-05", "name: is missing"),
        ("name=aemerror&date=2026-03-05", "service: is missing"),
        (
            "service=author&name=aemerror&date=today",
            "date: must be today or one of the 30 days before, for example 2026-03-05",
        ),
        (
            "service=author&name=aemerror&date=2026-3-5",
            "date: must be today or one of the 30 days before, for example 2026-03-05",
        ),
        (
            "service=author&name=aemerror&date=2026-03-06",
            "date: must be today or one of the 30 days before, for example 2026-03-05",
        ),
        (
            "service=author&name=aemerror&date=2026-02-02",
            "date: must be today or one of the 30 days before, for example 2026-03-05",
        ),
        ("service=author&name=httpderror&date=2026-03-05", "name: is not a log of the service"),
    ] {
        let answer = app.get(&format!("{LOGS}/download?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.errors(), said, "{query}");
    }
}

#[tokio::test]
async fn a_download_is_a_gzip_file_with_the_whole_day() {
    let app = TestApp::new().await;
    let logs = downloads(&app, "days=1").await;
    assert_eq!(logs.len(), 18);
    for log in logs {
        let file = app.download(&link(&log, "logs/download").unwrap()).await;
        assert_eq!(file.header("content-type"), "application/gzip");
        assert_eq!(file.header("content-length"), file.bytes.len().to_string());
        assert!(!file.headers.contains_key("content-encoding"));
        let (service, name, date) = (&log["service"], &log["name"], log["date"].as_str().unwrap());
        let saved = format!("attachment; filename=\"59252-{service}-{name}-{date}.log.gz\"");
        assert_eq!(
            file.header("content-disposition"),
            saved.replace("\"-", "-").replace("-\"", "-")
        );
        let text = gunzip(&file.bytes);
        let minutes = if date == "2026-03-05" { 600 } else { 1440 };
        assert!(text.lines().count() >= minutes, "{log}: a line a minute");
        assert!(text.ends_with('\n'));
    }
    let whole = "service=author&name=aemerror&date=2026-03-04";
    let (one, other) = (format!("{LOGS}/download?{whole}"), LOGS.replace("59252", "59253"));
    let first = app.download(&one).await.bytes;
    app.advance("P2D").await;
    assert_eq!(app.download(&one).await.bytes, first, "what is past stays");
    assert_ne!(app.download(&format!("{other}/download?{whole}")).await.bytes, first);
}

#[tokio::test]
async fn a_download_redirects_who_does_not_read_json() {
    let app = TestApp::new().await;
    let path = format!("{LOGS}/download?service=author&name=aemerror&date=2026-03-05");
    let mut request = signed(Method::GET, &path).body("".into()).unwrap();
    request.headers_mut().remove("accept");
    let answer = app.send(request).await;
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
    assert!(answer.header("location").starts_with("http://127.0.0.1:4600/files/"));
}

#[tokio::test]
async fn a_tail_is_followed_as_clients_do() {
    let app = TestApp::new().await;
    let log = &downloads(&app, "service=publish&name=aemaccess&days=1").await[0];
    let (tail, whole) = (tail_of(log), link(log, "logs/download").unwrap());
    let head = app.fetch(Method::HEAD, &tail, &[]).await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
    let mut length: usize = head.header("content-length").parse().unwrap();
    let mut read = String::new();
    let started_at = length;
    for by in ["PT0S", "PT1M", "PT0.001S", "PT10M", "PT1M"] {
        app.advance(by).await;
        loop {
            let range = format!("bytes={length}-");
            let part = app.fetch(Method::GET, &tail, &[("range", &range)]).await;
            if part.status == StatusCode::RANGE_NOT_SATISFIABLE {
                break;
            }
            assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
            assert_eq!(part.header("content-length"), part.bytes.len().to_string());
            length += part.bytes.len();
            read += &part.text();
        }
        let minutes = ["PT0S", "PT0.001S"].contains(&by);
        assert!(minutes || read.ends_with('\n'), "{by}");
    }
    assert!(read.lines().count() >= 12);
    let text = gunzip(&app.download(&whole).await.bytes);
    assert_eq!(text[started_at..], read);
    // Some clients add parameters.
    let more = app.fetch(Method::GET, &format!("{tail}&date=2026-03-05"), &[]).await;
    assert_eq!((more.status, more.text()), (StatusCode::OK, text));
}

#[tokio::test]
async fn a_new_day_begins_a_new_log_at_midnight_in_utc() {
    let app = TestApp::new().await;
    let query = "service=dispatcher&name=httpderror&days=1";
    app.advance("PT13H59M59.999S").await;
    let old = &downloads(&app, query).await[0];
    assert_eq!(old["date"], "2026-03-05");
    let old_length =
        app.fetch(Method::HEAD, &tail_of(old), &[]).await.header("content-length").to_owned();
    app.advance("PT0.001S").await;
    let new = &downloads(&app, query).await[0];
    assert_eq!(new["date"], "2026-03-06");
    let length = |answer: &str| answer.parse::<usize>().unwrap();
    let head = app.fetch(Method::HEAD, &tail_of(new), &[]).await;
    assert_eq!(head.status, StatusCode::OK);
    assert!(length(head.header("content-length")) < 1000);
    app.advance("PT5M").await;
    let grown = app.fetch(Method::HEAD, &tail_of(new), &[]).await;
    assert!(length(grown.header("content-length")) > length(head.header("content-length")));
    // The old day is complete.
    let done = app.fetch(Method::HEAD, &tail_of(old), &[]).await;
    assert_eq!(done.header("content-length"), old_length);
}

#[tokio::test]
async fn refusals_name_what_is_missing_and_what_is_wrong_as_the_official_description_has_it() {
    let app = TestApp::new().await;
    let missing = |name: &str| json!([{"name": name, "type": "string"}]);
    for (path, missing_params, invalid_params) in [
        (LOGS.to_owned(), missing("days"), Value::Null),
        (
            format!("{LOGS}?days=0"),
            Value::Null,
            json!([{"name": "days", "reason": "must be a whole number from 1 to 30"}]),
        ),
        (format!("{LOGS}/download?service=author&name=aemerror"), missing("date"), Value::Null),
        (
            format!("{LOGS}/download?service=moon&name=aemerror&date=2026-03-05"),
            Value::Null,
            json!([{"name": "service", "reason": "is not a service of a log"}]),
        ),
    ] {
        let answer = app.get(&path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        let body = answer.json();
        assert_eq!(body["missingParams"], missing_params, "{path}");
        assert_eq!(body["invalidParams"], invalid_params, "{path}");
        assert_eq!(body["errors"].as_object().unwrap().len(), 1, "{path}");
    }
}
