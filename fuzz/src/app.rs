//! Requests to a whole emulator in memory, with the demo data and an execution that waits for an
//! approval. Whatever is sent, no answer is an internal error.

use std::cell::RefCell;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, Request, StatusCode, Uri};
use cloudmanager_emulator::access::Auth;
use cloudmanager_emulator::domain::pace::Pace;
use cloudmanager_emulator::domain::time::Timestamp;
use cloudmanager_emulator::engine::{Engine, EngineOptions};
use cloudmanager_emulator::events::Deliverer;
use cloudmanager_emulator::http::host::Hosts;
use cloudmanager_emulator::seed::Origin;
use cloudmanager_emulator::service::{HttpService, service};
use http_body_util::BodyExt;
use serde_json::Value;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// The pipeline whose execution waits.
const PIPELINE: &str = "/api/program/4/pipeline/1";

const ORGANISATION: &str = "1234567890ABCDEF12345678@AdobeOrg";

/// Where bodies are sent.
const BODIES: [(&str, &str); 24] = [
    ("PUT", "{approval}/advance"),
    ("PUT", "{approval}/cancel"),
    ("PATCH", "/api/program/4/pipeline/1"),
    ("PATCH", "/api/program/4/pipeline/1/variables"),
    ("PATCH", "/api/program/4/environment/59252/variables"),
    ("POST", "/_emulator/clock/advance"),
    ("PUT", "/_emulator/clock"),
    ("POST", "/_emulator/faults"),
    ("PUT", "/_emulator/program/4/pipeline/1/scenario"),
    ("POST", "/_emulator/seed"),
    ("PUT", "/_emulator/state"),
    ("POST", "/_emulator/reset"),
    ("PATCH", "/_emulator/program/4"),
    ("POST", "/_emulator/program/4/pipelines"),
    ("POST", "/_emulator/program/4/environments"),
    ("POST", "/_emulator/program/4/repository/1/branch/main/commits"),
    ("POST", "/_emulator/program/4/pipeline/1/history"),
    ("POST", "/_emulator/webhooks?challenge=false"),
    ("POST", "/ims/token/v3"),
    ("POST", "/ims/exchange/jwt"),
    ("PUT", "/api/program/4/pipeline/3/execution"),
    ("DELETE", "/api/program/4/pipeline/3"),
    ("GET", "/api/programs"),
    ("POST", MULTIPART),
];

/// Where a body is sent in parts.
const MULTIPART: &str = "/ims/token/v2";

/// Where queries are sent.
const QUERIES: [(&str, &str); 14] = [
    ("GET", "/api/programs"),
    ("GET", "/api/program/4/pipelines"),
    ("GET", "/api/program/4/environments"),
    ("GET", "/api/program/4/repository/1/branches"),
    ("GET", "/api/program/4/pipeline/1/executions"),
    ("PUT", "/api/program/4/pipeline/3/execution"),
    ("GET", "/api/program/4/environment/59252/logs"),
    ("GET", "/api/program/4/environment/59252/logs/download"),
    ("GET", "{approval}/logs"),
    ("GET", "/_emulator/requests"),
    ("GET", "/_emulator/requests/count"),
    ("GET", "/_emulator/deliveries"),
    ("GET", "/_emulator/events"),
    ("POST", "/ims/token/v3"),
];

/// Where headers are sent, and which.
const HEADERS: [(&str, &str, &str); 16] = [
    ("GET", "/api/programs", "host"),
    ("PUT", "/_emulator/clock", "origin"),
    ("PUT", "/_emulator/clock", "host"),
    ("GET", "/api/programs", "authorization"),
    ("PUT", "/api/program/4/pipeline/3/execution", "authorization"),
    ("PUT", "/api/program/4/pipeline/3/execution", "x-api-key"),
    ("GET", "/api/programs", "x-gw-ims-org-id"),
    ("GET", "{file}", "range"),
    ("GET", "{file}", "if-range"),
    ("GET", "{file}", "if-none-match"),
    ("GET", "/_emulator/events", "last-event-id"),
    ("GET", "{log}", "accept"),
    ("GET", "/api/programs", "x-request-id"),
    ("POST", "/ims/token/v3", "content-type"),
    ("GET", "/api/programs", "sec-fetch-site"),
    ("GET", "/api/programs", "accept"),
];

/// The item that the first byte chooses, a letter in the kept inputs; and the rest.
fn choose<'i, 'd, T>(items: &'i [T], data: &'d [u8]) -> Option<(&'i T, &'d [u8])> {
    let (first, rest) = data.split_first()?;
    Some((&items[usize::from(first.wrapping_sub(b'A')) % items.len()], rest))
}

/// The first byte chooses an operation, the rest is its body.
pub fn body(data: &[u8]) {
    let Some(((method, path), body)) = choose(&BODIES, data) else { return };
    let count = || serde_json::from_slice::<Value>(body).ok()?["count"].as_u64();
    if path.ends_with("/history") && count().is_some_and(|count| count > 100) {
        return; // So much past takes its time.
    }
    let content_type = match *path {
        MULTIPART => "multipart/form-data; boundary=x",
        path if path.starts_with("/ims") => "application/x-www-form-urlencoded",
        _ => "application/json",
    };
    with(|app| {
        let request = app.request(method, path).header(CONTENT_TYPE, content_type);
        app.send(request.body(body.to_vec().into()).unwrap());
    });
}

/// The first byte chooses an operation, the rest is its query.
pub fn query(data: &[u8]) {
    let Some(((method, path), query)) = choose(&QUERIES, data) else { return };
    let Ok(query) = std::str::from_utf8(query) else { return };
    with(|app| {
        let path = format!("{}?{query}", app.fill(path));
        if path.parse::<Uri>().is_ok() {
            app.send(app.request(method, &path).body(Body::empty()).unwrap());
        }
    });
}

/// The first byte chooses an operation and a header, the rest is the value of that header.
pub fn header(data: &[u8]) {
    let Some(((method, path, name), value)) = choose(&HEADERS, data) else { return };
    let Ok(value) = HeaderValue::from_bytes(value) else { return };
    with(|app| {
        let mut request = app.request(method, path).body(Body::empty()).unwrap();
        request.headers_mut().insert(*name, value);
        app.send(request);
    });
}

/// The first byte chooses a method, the rest is the path.
pub fn path(data: &[u8]) {
    let methods =
        [Method::GET, Method::HEAD, Method::PUT, Method::POST, Method::PATCH, Method::DELETE];
    let Some((method, path)) = choose(&methods, data) else { return };
    let path = String::from_utf8_lossy(path).into_owned();
    if path.parse::<Uri>().is_err() || path.contains("/wait") {
        return; // Whoever waits does so in real time.
    }
    with(|app| app.send(app.request(method.as_str(), &path).body(Body::empty()).unwrap()));
}

/// An emulator in memory.
struct App {
    runtime: Runtime,
    service: HttpService,
    /// The path of the step that waits for an approval.
    approval: String,
    /// The path that leads to the log of the build, and the log's own.
    log: String,
    file: String,
    _directory: TempDir,
}

thread_local! {
    static APP: RefCell<Option<App>> = const { RefCell::new(None) };
}

fn with(send: impl FnOnce(&mut App)) {
    APP.with_borrow_mut(|app| send(app.get_or_insert_with(App::new)));
}

impl App {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("cloudmanager.db");
        let options = EngineOptions {
            pace: Pace::Immediate,
            clock_rate: Some(0.0),
            clock_start: Some(Timestamp::EPOCH),
            ..EngineOptions::default()
        };
        let engine = runtime.block_on(Engine::open(&path, options, Origin::Demo)).unwrap();
        let ip = [127, 0, 0, 1].into();
        let hosts = Hosts::new(ip, "http://127.0.0.1:4600".into(), None, &[]);
        let deliverer = Arc::new(Deliverer::new(engine.clone(), hosts.own_url()));
        let service = service(&engine, &deliverer, hosts, Auth::Open);
        let (approval, log, file) = Default::default();
        let mut app = Self { runtime, service, approval, log, file, _directory: directory };
        app.begin();
        app
    }

    /// Starts the execution that waits.
    fn begin(&mut self) {
        let path = format!("{PIPELINE}/execution");
        let started = self.exchange(self.request("PUT", &path).body(Body::empty()).unwrap());
        assert_eq!(started.0, StatusCode::CREATED);
        let (_, body) = self.exchange(self.request("GET", &path).body(Body::empty()).unwrap());
        let execution: Value = serde_json::from_slice(&body).unwrap();
        let steps = execution["_embedded"]["stepStates"].as_array().unwrap();
        let path_of = |field: &str, value: &str| {
            let step = steps.iter().find(|step| step[field] == value).unwrap();
            step["_links"]["self"]["href"].as_str().unwrap().to_owned()
        };
        self.approval = path_of("status", "WAITING");
        self.log = path_of("action", "build") + "/logs";
        let request = self.request("GET", "{log}").header("accept", "application/json");
        let (_, body) = self.exchange(request.body(Body::empty()).unwrap());
        let body: Value = serde_json::from_slice(&body).unwrap();
        let address = body["redirect"].as_str().unwrap();
        address.trim_start_matches("http://localhost").clone_into(&mut self.file);
    }

    fn fill(&self, path: &str) -> String {
        let named = [("{approval}", &self.approval), ("{log}", &self.log), ("{file}", &self.file)];
        named.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value))
    }

    /// A request with good credentials.
    fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(self.fill(path))
            .header("host", "localhost")
            .header("x-gw-ims-org-id", ORGANISATION)
            .header("x-api-key", "ci")
            .header("authorization", "Bearer token")
    }

    fn exchange(&self, request: Request<Body>) -> (StatusCode, Vec<u8>) {
        self.runtime.block_on(async {
            let answer = self.service.clone().oneshot(request).await.unwrap();
            assert!(answer.headers().contains_key("x-request-id"));
            let content_type = answer.headers().get(CONTENT_TYPE).cloned();
            let content_type = content_type.and_then(|it| it.to_str().map(str::to_owned).ok());
            let content_type = content_type.unwrap_or_default();
            if content_type == "text/event-stream" {
                return (answer.status(), Vec::new()); // It has no end.
            }
            let status = answer.status();
            let bytes = answer.into_body().collect().await.unwrap().to_bytes().to_vec();
            let is_json = bytes.is_empty() || serde_json::from_slice::<Value>(&bytes).is_ok();
            assert!(is_json || !content_type.ends_with("json"), "{status}");
            (status, bytes)
        })
    }

    /// Sends a request, and begins anew if it may have changed something.
    fn send(&mut self, request: Request<Body>) {
        let is_safe = request.method().is_safe();
        let (status, body) = self.exchange(request);
        assert!(status != StatusCode::INTERNAL_SERVER_ERROR, "{}", String::from_utf8_lossy(&body));
        if status.is_success() && !is_safe {
            let reset = self.request("POST", "/_emulator/reset").body(Body::empty()).unwrap();
            assert!(self.exchange(reset).0.is_success());
            self.begin();
        }
    }
}
