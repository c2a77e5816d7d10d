//! A whole application in hand: real router, real database in a temporary directory, a clock that
//! stands still until a test moves it. Every answer is checked against openapi.yaml.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use cloudmanager_emulator::access::Auth;
use cloudmanager_emulator::domain::id::WebhookId;
use cloudmanager_emulator::domain::pace::Pace;
use cloudmanager_emulator::domain::time::Timestamp;
use cloudmanager_emulator::engine::changes::Change;
use cloudmanager_emulator::engine::{Engine, EngineOptions};
use cloudmanager_emulator::events::Deliverer;
use cloudmanager_emulator::http::host::Hosts;
use cloudmanager_emulator::seed::{self, Seed};
use cloudmanager_emulator::service::{HttpService, service};
use cloudmanager_emulator::store::secrets::SecretKey;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tower::ServiceExt;

use crate::clients::{Identity, anybody, seed_with_clients};
use crate::description;

/// When the clock of every test starts.
pub const START: &str = "2026-03-05T10:00:00.000+0000";

pub const ORGANISATION: &str = "1234567890ABCDEF12345678@AdobeOrg";

/// The production pipeline of the program with emergency mode.
pub const PRODUCTION: &str = "/api/program/4/pipeline/1";

/// A code quality pipeline.
pub const CODE_QUALITY: &str = "/api/program/4/pipeline/3";

/// The production pipeline with every kind of approval, of the program without emergency mode.
pub const OVERSEEN: &str = "/api/program/5/pipeline/7";

/// The content type of forms.
pub const FORM: &str = "application/x-www-form-urlencoded";

const REL: &str = "http://ns.adobe.com/adobecloud/rel/";

pub struct TestApp {
    service: HttpService,
    engine: Arc<Engine>,
    deliverer: Arc<Deliverer>,
    directory: TempDir,
    options: EngineOptions,
    auth: Auth,
    /// Who calls if nobody is named.
    caller: Identity,
}

/// An answer, read to its end and checked against the description.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl TestApp {
    /// With the demo data and the quick pace.
    pub async fn new() -> Self {
        Self::with(Pace::Quick, seed::demo()).await
    }

    /// With the demo data, where automated steps take no time.
    pub async fn immediate() -> Self {
        Self::with(Pace::Immediate, seed::demo()).await
    }

    pub async fn with(pace: Pace, seed: Seed) -> Self {
        Self::open(TempDir::new().unwrap(), options(pace), seed, Auth::Open).await
    }

    /// With the quick pace and the database that is in a directory.
    pub async fn on(directory: TempDir) -> Self {
        Self::open(directory, options(Pace::Quick), seed::demo(), Auth::Open).await
    }

    /// With the quick pace, where a transaction takes no more than `batch` executions.
    pub async fn in_batches(batch: u32, seed: Seed) -> Self {
        let batch = NonZeroU32::new(batch).unwrap();
        let options = EngineOptions { batch, ..options(Pace::Quick) };
        Self::open(TempDir::new().unwrap(), options, seed, Auth::Open).await
    }

    /// With the demo data and clients, of whom only those are let in. The demo's own client, which
    /// has all roles, calls if nobody is named.
    pub async fn strict(pace: Pace) -> Self {
        let directory = TempDir::new().unwrap();
        let app = Self::open(directory, options(pace), seed_with_clients(), Auth::Strict).await;
        app.signed_in().await
    }

    /// With a new token for who calls if nobody is named.
    pub async fn signed_in(mut self) -> Self {
        self.caller = self.sign_in_with("emulator", "emulator").await;
        self
    }

    /// With the database in a directory, if there is one.
    async fn open(directory: TempDir, options: EngineOptions, seed: Seed, auth: Auth) -> Self {
        let path = directory.path().join("cloudmanager.db");
        let engine = Engine::open(&path, options.clone(), seed.into()).await.unwrap();
        let ip = "127.0.0.1".parse().unwrap();
        let hosts = Hosts::new(ip, "http://127.0.0.1:4600".into(), None, &[]);
        let deliverer = Arc::new(Deliverer::new(engine.clone(), hosts.own_url()));
        let service = service(&engine, &deliverer, hosts, auth);
        Self { service, engine, deliverer, directory, options, auth, caller: anybody() }
    }

    /// Closes the database and opens it again.
    pub async fn restarted(self) -> Self {
        self.restarted_with(None).await
    }

    /// The same with a key for the secrets.
    pub async fn restarted_with(self, key: Option<SecretKey>) -> Self {
        let options = EngineOptions { secret_key: key, ..self.options.clone() };
        self.restarted_as(options, async |_| {}).await
    }

    /// Closes the database, changes it by SQL, and opens it again.
    pub async fn restarted_after(self, change: &'static str) -> Self {
        let options = self.options.clone();
        let apply = async |path: &Path| {
            let url = format!("sqlite://{}", path.display());
            let mut connection = SqliteConnection::connect(&url).await.unwrap();
            sqlx::query(change).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        };
        self.restarted_as(options, apply).await
    }

    async fn restarted_as(self, options: EngineOptions, change: impl AsyncFn(&Path)) -> Self {
        let (auth, caller) = (self.auth, self.caller.clone());
        let directory = self.closed().await;
        change(&directory.path().join("cloudmanager.db")).await;
        let app = Self::open(directory, options, seed::demo(), auth).await;
        Self { caller, ..app }
    }

    /// Closes the database; the directory that it is in.
    pub async fn closed(self) -> TempDir {
        let Self { service, engine, deliverer, directory, .. } = self;
        drop((service, deliverer));
        engine.close().await.unwrap();
        directory
    }

    /// Makes all deliveries that are due, those to each subscriber after those to the one before.
    pub async fn deliver(&self) {
        for webhook in self.engine.catalog().webhooks() {
            self.deliver_to(webhook.id).await;
        }
    }

    /// Makes all deliveries to a subscriber that are due, if it still is one.
    pub async fn deliver_to(&self, webhook: WebhookId) {
        self.deliverer.deliver_to(webhook).await.unwrap();
    }

    /// Lets things happen as they fall due, as the program does.
    pub fn run_scheduler(&self) -> JoinHandle<()> {
        let engine = self.engine.clone();
        tokio::spawn(async move { engine.run_scheduler().await })
    }

    /// Takes away what is deleted, as the program does.
    pub fn run_purger(&self) -> JoinHandle<()> {
        let engine = self.engine.clone();
        tokio::spawn(async move { engine.run_purger().await })
    }

    /// What a query tells of the database.
    pub async fn query(&self, query: &'static str) -> i64 {
        let url =
            format!("sqlite://{}?mode=ro", self.directory().join("cloudmanager.db").display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        let found = sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        found
    }

    /// Delivers events as they fall due, as the program does.
    pub fn run_deliverer(&self) -> JoinHandle<()> {
        tokio::spawn(self.deliverer.clone().run())
    }

    /// Where the database is.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

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
        EventStream { body, received: String::new() }
    }

    /// Tells of changes, whether or not there were any.
    pub fn tell(&self, changed: &[Change]) {
        self.engine.notify(changed);
    }

    /// Ends what waits in the name of callers, as on the way to the end of the program.
    pub fn stop_waiting(&self) {
        self.engine.stop();
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
        answer
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

/// A clock that stands still at [`START`].
fn options(pace: Pace) -> EngineOptions {
    EngineOptions {
        pace,
        clock_rate: Some(0.0),
        clock_start: Some(Timestamp::parse(START).unwrap()),
        ..EngineOptions::default()
    }
}

/// The path of an absolute address of the emulator's.
pub fn path_of(url: &str) -> &str {
    url.strip_prefix("http://127.0.0.1:4600").expect("an absolute address")
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

/// The stream of what changes.
pub struct EventStream {
    body: Body,
    received: String,
}

/// One event of it.
#[derive(Debug)]
pub struct StreamedEvent {
    pub id: String,
    pub event: String,
    pub data: Value,
}

impl EventStream {
    /// The fields of the next block that is no comment; none at the end.
    async fn block(&mut self) -> Option<Vec<(String, String)>> {
        loop {
            if let Some(end) = self.received.find("\n\n") {
                let block: String = self.received.drain(..end + 2).collect();
                let lines = block.trim_end().lines().filter(|line| !line.starts_with(':'));
                let fields = lines.map(|line| line.split_once(": ").expect("a field"));
                let fields: Vec<_> =
                    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                if !fields.is_empty() {
                    return Some(fields);
                }
                continue;
            }
            let data = self.body.frame().await?.unwrap().into_data().unwrap();
            self.received.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// The id with which the stream begins.
    pub async fn begin(&mut self) -> String {
        match self.block().await.unwrap().as_slice() {
            [(name, id)] if name == "id" => id.clone(),
            other => panic!("not the beginning: {other:?}"),
        }
    }

    /// The next event; none at the end.
    pub async fn next(&mut self) -> Option<StreamedEvent> {
        let fields = self.block().await?;
        let field = |wanted: &str| {
            let mut fields = fields.iter().filter(|(name, _)| name == wanted);
            fields.next().map(|(_, value)| value.clone()).expect(wanted)
        };
        let data = serde_json::from_str(&field("data")).unwrap();
        Some(StreamedEvent { id: field("id"), event: field("event"), data })
    }

    /// The next events, each as its type and what it names, up to the first of a type.
    pub async fn until(&mut self, last: &str) -> Vec<String> {
        let mut events = Vec::new();
        loop {
            let StreamedEvent { event, data, .. } = self.next().await.expect("an event");
            let names = data.as_object().unwrap().values();
            let names = names.map(|name| name.to_string().replace('"', ""));
            events.push([event.clone()].into_iter().chain(names).collect::<Vec<_>>().join(" "));
            if event == last {
                return events;
            }
        }
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The sentences or messages of a problem, joined.
    pub fn errors(&self) -> String {
        match &self.json()["errors"] {
            Value::Array(sentences) => {
                sentences.iter().map(|s| s.as_str().unwrap()).collect::<Vec<_>>().join(" ")
            }
            Value::Object(fields) => fields
                .values()
                .map(|field| {
                    let text = |name: &str| field[name].as_str().unwrap_or_default().to_owned();
                    format!("{}: {}", text("field"), text("message"))
                })
                .collect::<Vec<_>>()
                .join("; "),
            other => panic!("no errors: {other}"),
        }
    }
}

/// An execution as the API shows it.
pub struct Execution(pub Value);

impl Execution {
    pub fn status(&self) -> &str {
        self.0["status"].as_str().unwrap()
    }

    pub fn steps(&self) -> &Vec<Value> {
        self.0["_embedded"]["stepStates"].as_array().unwrap()
    }

    /// The actions of the steps, deployments and approvals with their environment.
    pub fn actions(&self) -> Vec<String> {
        self.steps().iter().map(name).collect()
    }

    /// `action:STATUS` of each step that has begun.
    pub fn progress(&self) -> Vec<String> {
        let begun = self.steps().iter().filter(|step| step["status"] != "NOT_STARTED");
        begun.map(|step| format!("{}:{}", name(step), step["status"].as_str().unwrap())).collect()
    }

    /// The step with a name as in [`Execution::actions`].
    pub fn step(&self, wanted: &str) -> &Value {
        self.steps()
            .iter()
            .find(|step| name(step) == wanted)
            .unwrap_or_else(|| panic!("no step {wanted}: {:?}", self.actions()))
    }

    pub fn link(&self, wanted: &str, rel: &str) -> Option<String> {
        link(self.step(wanted), rel)
    }
}

fn name(step: &Value) -> String {
    let action = step["action"].as_str().unwrap();
    match (action, step["environmentType"].as_str()) {
        ("deploy" | "approval", Some(environment)) => format!("{environment} {action}"),
        _ => action.to_owned(),
    }
}

/// The href of a link, whose rel is given without the common prefix.
pub fn link(resource: &Value, rel: &str) -> Option<String> {
    let links = &resource["_links"];
    let link = links.get(rel).or_else(|| links.get(format!("{REL}{rel}")))?;
    Some(link["href"].as_str().unwrap().to_owned())
}

/// The rels of a resource, without the common prefix, in order.
pub fn rels(resource: &Value) -> Vec<String> {
    let links = resource["_links"].as_object().unwrap();
    links.keys().map(|rel| rel.trim_start_matches(REL).to_owned()).collect()
}
