//! Credentials and what holds for every request.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::json;

use crate::app::{ORGANISATION, TestApp, signed};

#[tokio::test]
async fn credentials_are_checked_before_anything_else() {
    let app = TestApp::new().await;
    let token = json!({"error_code": "401013", "message": "Oauth token is not valid"});
    let key = json!({"error_code": "403003", "message": "Api Key is invalid"});
    let organisation = json!({"error_code": "403000",
        "message": "The organization in x-gw-ims-org-id is unknown"});
    for (authorization, api_key, org, status, expected) in [
        (None, Some("k"), Some(ORGANISATION), 401, &token),
        (Some(""), Some("k"), Some(ORGANISATION), 401, &token),
        (Some("Bearer "), Some("k"), Some(ORGANISATION), 401, &token),
        (Some("Basic abc"), Some("k"), Some(ORGANISATION), 401, &token),
        (Some("abc"), None, None, 401, &token),
        (Some("Bearer t"), None, Some(ORGANISATION), 403, &key),
        (Some("Bearer t"), Some(" "), Some(ORGANISATION), 403, &key),
        (Some("Bearer t"), Some("k"), None, 403, &organisation),
        (Some("Bearer t"), Some("k"), Some("other@AdobeOrg"), 403, &organisation),
    ] {
        for path in ["/api/programs", "/api/program/4/pipeline/1", "/api/nothing"] {
            let mut request = Request::builder().uri(path);
            for (name, value) in
                [("authorization", authorization), ("x-api-key", api_key), ("x-gw-ims-org-id", org)]
            {
                if let Some(value) = value {
                    request = request.header(name, value);
                }
            }
            let answer = app.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(
                answer.status.as_u16(),
                status,
                "{path} {authorization:?} {api_key:?} {org:?}"
            );
            assert_eq!(answer.json(), *expected);
            assert_eq!(answer.header("content-type"), "application/json");
        }
    }
}

#[tokio::test]
async fn a_sane_request_id_comes_back_and_others_are_replaced() {
    let app = TestApp::new().await;
    for (sent, comes_back) in [
        ("my-request-1", true),
        ("a b", false),
        ("", false),
        (&"x".repeat(129), false),
        (&"x".repeat(128), true),
    ] {
        let request =
            signed(Method::GET, "/api/programs").header("x-request-id", sent).body(Body::empty());
        let answer = app.send(request.unwrap()).await;
        assert_eq!(answer.header("x-request-id") == sent, comes_back, "{sent}");
    }
}

#[tokio::test]
async fn a_base_url_with_a_trailing_slash_works() {
    let app = TestApp::new().await;
    for path in ["//api/programs", "///api/programs", "//api/program/4/pipelines?limit=1"] {
        assert_eq!(app.get(path).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn unknown_paths_are_404_and_wrong_methods_405() {
    let app = TestApp::new().await;
    for path in ["/", "/api", "/api/", "/api/nothing", "/api/programs/", "/_emulator/nothing", "/x"]
    {
        let answer = app.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.json()["status"], 404);
    }
    for (method, path, allow) in [
        (Method::POST, "/api/programs", "GET,HEAD"),
        (Method::POST, "/api/program/4/pipeline/1/execution", "GET,HEAD,PUT"),
        (Method::GET, "/_emulator/clock/advance", "POST"),
        (Method::PATCH, "/_emulator/health", "GET,HEAD"),
    ] {
        let answer = app.request(method.clone(), path, "").await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert_eq!(answer.header("allow"), allow);
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
}
