//! `/files/{token}`: versions, conditions and ranges.

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::app::{CODE_QUALITY, TestApp};

/// The address of the build log of a new execution.
async fn build_log(app: &TestApp) -> String {
    let execution = app.start(CODE_QUALITY).await;
    app.advance("PT1S").await;
    let href = app.execution(&execution).await.link("build", "pipeline/logs").unwrap();
    app.address(&href).await
}

#[tokio::test]
async fn a_file_has_a_tag_that_changes_with_it() {
    let app = TestApp::new().await;
    let path = build_log(&app).await;
    let first = app.fetch(Method::GET, &path, &[]).await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'));
    assert_eq!(app.fetch(Method::HEAD, &path, &[]).await.header("etag"), tag);
    let several = format!("\"x\", {tag}");
    let weak = format!("W/{tag}");
    for condition in [tag.as_str(), &several, &weak, "*"] {
        for method in [Method::GET, Method::HEAD] {
            let answer = app.fetch(method, &path, &[("if-none-match", condition)]).await;
            assert_eq!(answer.status, StatusCode::NOT_MODIFIED, "{condition}");
            assert_eq!((answer.header("etag"), answer.bytes.len()), (tag.as_str(), 0));
        }
    }
    let other = app.fetch(Method::GET, &path, &[("if-none-match", "\"x\"")]).await;
    assert_eq!((other.status, other.bytes), (StatusCode::OK, first.bytes));

    app.advance("PT3S").await;
    let grown = app.fetch(Method::GET, &path, &[("if-none-match", &tag)]).await;
    assert_eq!(grown.status, StatusCode::OK);
    assert_ne!(grown.header("etag"), tag);
}

#[tokio::test]
async fn a_range_can_depend_on_the_version() {
    let app = TestApp::new().await;
    let path = build_log(&app).await;
    let tag = app.fetch(Method::GET, &path, &[]).await.header("etag").to_owned();
    let range = ("range", "bytes=3-7");
    let part = app.fetch(Method::GET, &path, &[range, ("if-range", &tag)]).await;
    assert_eq!((part.status, part.bytes.len()), (StatusCode::PARTIAL_CONTENT, 5));
    assert_eq!(part.header("etag"), tag);
    let weak = format!("W/{tag}");
    for other in ["\"x\"", &weak, "Thu, 05 Mar 2026 10:00:00 GMT"] {
        let whole = app.fetch(Method::GET, &path, &[range, ("if-range", other)]).await;
        assert_eq!(whole.status, StatusCode::OK, "{other}");
    }
    app.advance("PT3S").await;
    let whole = app.fetch(Method::GET, &path, &[range, ("if-range", &tag)]).await;
    assert_eq!(whole.status, StatusCode::OK, "the file is another one by now");
}

#[tokio::test]
async fn ranges_are_answered_as_the_protocol_says() {
    let app = TestApp::new().await;
    let path = build_log(&app).await;
    let whole = app.fetch(Method::GET, &path, &[]).await.bytes;
    let length = whole.len();
    let last = format!("bytes={}-", length - 1);
    let beyond = format!("bytes=0-{}", u64::MAX);
    let all = format!("bytes=-{}", length * 2);
    for (range, expected) in [
        ("bytes=0-0", Some(0..1)),
        (&last, Some(length - 1..length)),
        (&beyond, Some(0..length)),
        ("bytes=-1", Some(length - 1..length)),
        (&all, Some(0..length)),
        (&format!("bytes={length}-"), None),
        ("bytes=99999999999999999999-", None),
        ("bytes=-0", None),
    ] {
        let answer = app.fetch(Method::GET, &path, &[("range", range)]).await;
        if let Some(expected) = expected {
            assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT, "{range}");
            assert_eq!(answer.bytes, whole[expected], "{range}");
        } else {
            assert_eq!(answer.status, StatusCode::RANGE_NOT_SATISFIABLE, "{range}");
            assert_eq!(answer.header("content-range"), format!("bytes */{length}"));
        }
    }
    // What can't be read as a range is no range, and several are too many.
    for range in
        ["", "bytes", "bytes=", "bytes=a-b", "bytes=5-2", "bytes=--1", "bytes=0-1,3-4", "items=0-1"]
    {
        let answer = app.fetch(Method::GET, &path, &[("range", range)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{range}");
        assert_eq!(answer.bytes, whole, "{range}");
    }
}

#[tokio::test]
async fn logs_of_fifty_megabytes_are_streamed() {
    let app = TestApp::immediate().await;
    let log = json!([{"line": "y".repeat(1000), "times": 50_000}]);
    app.scenario(CODE_QUALITY, &json!({"steps": [{"action": "build", "log": log}]})).await;
    let path = build_log(&app).await;
    let head = app.fetch(Method::HEAD, &path, &[]).await;
    let length: usize = head.header("content-length").parse().unwrap();
    assert!(length > 50_000_000);
    let whole = app.fetch(Method::GET, &path, &[]).await;
    assert_eq!(whole.bytes.len(), length);
    assert_eq!(whole.header("content-length"), length.to_string());
    for (start, end) in [(0, 9), (49_999_999, 50_000_100), (length - 70_000, length - 1)] {
        let part =
            app.fetch(Method::GET, &path, &[("range", &format!("bytes={start}-{end}"))]).await;
        assert_eq!(part.header("content-range"), format!("bytes {start}-{end}/{length}"));
        assert!(part.bytes == whole.bytes[start..=end]);
    }
}
