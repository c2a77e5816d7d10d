//! The files of the console, as a browser gets them.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};

use crate::app::{Answer, TestApp};

async fn get(app: &TestApp, path: &str) -> Answer {
    app.send(Request::get(path).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn every_page_has_the_same_document() {
    let app = TestApp::new().await;
    let start = get(&app, "/").await;
    assert_eq!(start.status, StatusCode::OK);
    assert_eq!(start.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(start.header("x-content-type-options"), "nosniff");
    assert_eq!(start.header("cache-control"), "no-cache");
    let policy = start.header("content-security-policy");
    assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    for path in ["/emulator", "/program/4/overview", "/program/4/pipeline/1/execution/2"] {
        let page = get(&app, path).await;
        assert_eq!((page.status, page.text()), (StatusCode::OK, start.text()), "{path}");
    }
}

#[tokio::test]
async fn files_have_their_types_and_tags() {
    let app = TestApp::new().await;
    for (file, content_type) in [
        ("main.js", "text/javascript; charset=utf-8"),
        ("style/base.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
        ("vendor/htm/LICENSE", "text/plain; charset=utf-8"),
    ] {
        let path = format!("/console/{file}");
        let answer = get(&app, &path).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, content_type));
        let tag = answer.header("etag");
        let again = Request::get(&path).header("if-none-match", format!("\"other\", {tag}"));
        let again = app.send(again.body(Body::empty()).unwrap()).await;
        assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0), "{file}");
        let other = Request::get(&path).header("if-none-match", "\"other\"");
        let other = app.send(other.body(Body::empty()).unwrap()).await;
        assert_eq!((other.status, &other.bytes), (StatusCode::OK, &answer.bytes), "{file}");
    }
}

#[tokio::test]
async fn nothing_else_is_served() {
    let app = TestApp::new().await;
    for path in ["/console/absent.js", "/console/../Cargo.toml", "/console/%2e%2e/Cargo.toml"] {
        assert_eq!(get(&app, path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let refused = app.send(Request::post("/").body(Body::empty()).unwrap()).await;
    assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(refused.text().contains("use GET."), "{}", refused.text());
    // The console does not hide what is not there.
    let unknown = app.request(Method::GET, "/api/absent", "").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(unknown.header("content-type"), "application/problem+json");
}
