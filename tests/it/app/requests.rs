//! Requests to the application, and what tests do with them most often.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{Answer, EventStream, Execution, FORM, ORGANISATION, TestApp, path_of};
use crate::clients::{Identity, anybody};
use crate::{description, shapes};

impl TestApp {
    /// Follows the stream of what changes.
    pub async fn changes(&self, query: &str, last_event_id: Option<&str>) -> EventStream {
        let mut request =
            Request::get(format!("/_emulator/events{query}")).header("host", "127.0.0.1");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = self.service.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let answer = Answer { status: parts.status, headers: parts.headers, bytes: Vec::new() };
        description::check(&Method::GET, "/_emulator/events", &answer);
        assert_eq!(answer.status, StatusCode::OK);
        EventStream::new(body)
    }

    /// Sends a request as it is.
    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        let host = HeaderValue::from_static("127.0.0.1:4600");
        request.headers_mut().entry("host").or_insert(host);
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let response = self.service.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        // A stream of events has no end; see `changes`.
        let is_endless =
            parts.headers.get("content-type").is_some_and(|it| it == "text/event-stream");
        let bytes =
            if is_endless { Vec::new() } else { body.collect().await.unwrap().to_bytes().into() };
        let answer = Answer { status: parts.status, headers: parts.headers, bytes };
        description::check(&method, &path, &answer);
        shapes::check(&method, &path, &answer);
        answer
    }

    /// Sends a request and reads no more of the answer than its head.
    pub async fn begin(&self, method: Method, path: &str) -> Response {
        let request = signed_by(&self.caller, method, path).header("host", "127.0.0.1:4600");
        self.service.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    /// Sends a request with good credentials.
    pub async fn request(&self, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        self.request_as(&self.caller, method, path, body).await
    }

    /// Sends a request with the credentials of somebody.
    pub async fn request_as(
        &self,
        caller: &Identity,
        method: Method,
        path: &str,
        body: impl Into<Body>,
    ) -> Answer {
        self.send(signed_by(caller, method, path).body(body.into()).unwrap()).await
    }

    /// Sends a form, without credentials.
    pub async fn post_form(&self, path: &str, form: &str) -> Answer {
        let request = Request::post(path).header("content-type", FORM);
        self.send(request.body(form.to_owned().into()).unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, Body::empty()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path, Body::empty()).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::PUT, path, body.to_string()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::POST, path, body.to_string()).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::PATCH, path, body.to_string()).await
    }

    /// The path of the file that an href leads to.
    pub async fn address(&self, href: &str) -> String {
        let answer = self.get(href).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        path_of(answer.json()["redirect"].as_str().unwrap()).to_owned()
    }

    /// Asks for a file as clients do: without any credentials.
    pub async fn fetch(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// The file that an href leads to.
    pub async fn download(&self, href: &str) -> Answer {
        let answer = self.fetch(Method::GET, &self.address(href).await, &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer
    }

    /// The log of a step of an execution.
    pub async fn log(&self, execution: &str, step: &str) -> String {
        let href = self.execution(execution).await.link(step, "pipeline/logs").unwrap();
        self.download(&href).await.text()
    }

    /// Starts a pipeline; the path of the new execution.
    pub async fn start(&self, pipeline: &str) -> String {
        self.start_with(pipeline, "").await
    }

    /// Starts a pipeline with a query; the path of the new execution.
    pub async fn start_with(&self, pipeline: &str, query: &str) -> String {
        let path = format!("{pipeline}/execution{query}");
        let answer = self.request(Method::PUT, &path, Body::empty()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.json()["_links"]["self"]["href"].as_str().unwrap().to_owned()
    }

    /// Moves the clock; what the control API answers.
    pub async fn advance(&self, by: &str) -> Value {
        let answer = self.post("/_emulator/clock/advance", &json!({ "by": by })).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()
    }

    /// Sets the scenario of a pipeline, whose path is one of the API's.
    pub async fn scenario(&self, pipeline: &str, scenario: &Value) {
        let path = pipeline.replace("/api/", "/_emulator/") + "/scenario";
        let answer = self.put(&path, scenario).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }

    /// The execution at a path.
    pub async fn execution(&self, path: &str) -> Execution {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        Execution(answer.json())
    }

    /// Follows the link of the first step with an action that has it; puts a body there.
    pub async fn follow(&self, execution: &str, action: &str, rel: &str, body: &Value) -> Answer {
        let href = self.execution(execution).await.link(action, rel).unwrap_or_else(|| {
            panic!("no step {action} of {execution} has a link {rel}");
        });
        self.put(&href, body).await
    }

    /// Follows a link and expects 202.
    pub async fn accept(&self, execution: &str, action: &str, rel: &str, body: &Value) {
        let answer = self.follow(execution, action, rel, body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    }
}

/// A request with good credentials.
pub fn signed(method: Method, path: &str) -> axum::http::request::Builder {
    signed_by(&anybody(), method, path)
}

/// A request with the credentials of somebody, for the demo's organisation.
pub fn signed_by(caller: &Identity, method: Method, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("x-gw-ims-org-id", ORGANISATION)
        .header("x-api-key", &caller.api_key)
        .header("authorization", format!("Bearer {}", caller.token))
        .header("accept", "application/json")
}
