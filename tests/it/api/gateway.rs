//! Credentials and what holds for every request.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};

use crate::app::{ORGANISATION, TestApp, signed};

#[tokio::test]
async fn credentials_are_checked_before_anything_else() {
    let app = TestApp::new().await;
    let no_token = ("403010", "Oauth token is missing. Send the header Authorization");
    let token = ("401013", "Oauth token is not valid. Send the header Authorization");
    let key = ("403000", "Api Key is required. Send the header x-api-key");
    let no_organisation =
        ("400003", "The organization is missing. Send the header x-gw-ims-org-id");
    let organisation = ("403025", "Profile is not valid. The header x-gw-ims-org-id");
    for (authorization, api_key, org, status, (code, message)) in [
        (None, Some("k"), Some(ORGANISATION), 403, no_token),
        (None, None, None, 403, no_token),
        (Some(""), Some("k"), Some(ORGANISATION), 403, no_token),
        (Some("Bearer "), Some("k"), Some(ORGANISATION), 403, no_token),
        (Some("Basic abc"), Some("k"), Some(ORGANISATION), 401, token),
        (Some("abc"), None, None, 401, token),
        (Some("Bearer t"), None, Some(ORGANISATION), 403, key),
        (Some("Bearer t"), Some(" "), None, 403, key),
        (Some("Bearer t"), Some("k"), None, 400, no_organisation),
        (Some("Bearer t"), Some("k"), Some(" "), 400, no_organisation),
        (Some("Bearer t"), Some("k"), Some("other@AdobeOrg"), 403, organisation),
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
            let body = answer.json();
            assert_eq!(body["error_code"], code);
            let told = body["message"].as_str().unwrap();
            assert!(told.starts_with(message), "{told}");
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
    for path in ["/api", "/api/", "/api/nothing", "/api/programs/", "/_emulator/nothing", "/x"] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.json()["status"], 404);
    }
    for (method, path, allow, instead) in [
        (Method::POST, "/api/programs", "GET,HEAD", "GET (getPrograms)"),
        (
            Method::POST,
            "/api/program/4/pipeline/1/execution",
            "GET,HEAD,PUT",
            "GET (getCurrentExecution) or PUT (startPipeline)",
        ),
        (Method::GET, "/_emulator/clock/advance", "POST", "POST (advanceClock)"),
        (Method::PATCH, "/_emulator/health", "GET,HEAD", "GET (getHealth)"),
    ] {
        let answer = app.request(method.clone(), path, "").await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert_eq!(answer.header("allow"), allow);
        let told = format!("{method} is not allowed at {path}; use {instead}.");
        assert_eq!(answer.errors(), told);
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
}
