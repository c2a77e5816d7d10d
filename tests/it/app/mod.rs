//! A whole application in hand: real router, real database in a temporary directory, a clock that
//! stands still until a test moves it. Every answer is checked against openapi.yaml.

mod answer;
mod event_stream;
mod requests;

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cloudmanager_emulator::access::Auth;
use cloudmanager_emulator::access::event_signature::key_path;
use cloudmanager_emulator::domain::id::WebhookId;
use cloudmanager_emulator::domain::pace::Pace;
use cloudmanager_emulator::domain::time::Timestamp;
use cloudmanager_emulator::engine::changes::Change;
use cloudmanager_emulator::engine::{Engine, EngineOptions};
use cloudmanager_emulator::events::Deliverer;
use cloudmanager_emulator::git::GitLimits;
use cloudmanager_emulator::http::host::Hosts;
use cloudmanager_emulator::seed::{self, Seed};
use cloudmanager_emulator::service::{HttpService, service};
use cloudmanager_emulator::store::secrets::SecretKey;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;
use tokio::task::JoinHandle;

pub use answer::{Answer, Execution, link, rels};
pub use event_stream::EventStream;
pub use requests::{signed, signed_by};

use crate::clients::{Identity, anybody, seed_with_clients};

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

impl TestApp {
    /// The path of a public key of events.
    pub async fn event_key_path(&self) -> String {
        let [key, _] = self.engine.event_keys().await.unwrap();
        key_path(&key)
    }

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

    /// With the database that is in a directory.
    pub async fn on(directory: TempDir, pace: Pace) -> Self {
        Self::open(directory, options(pace), seed::demo(), Auth::Open).await
    }

    /// With the quick pace, where a transaction takes no more than `batch` executions.
    pub async fn in_batches(batch: u32, seed: Seed) -> Self {
        let batch = NonZeroU32::new(batch).unwrap();
        let options = EngineOptions { batch, ..options(Pace::Quick) };
        Self::open(TempDir::new().unwrap(), options, seed, Auth::Open).await
    }

    /// With the demo data and the quick pace, where a call waits so long while there are too many
    /// copies of the state.
    pub async fn with_max_copy_wait(max_copy_wait: Duration) -> Self {
        let options = EngineOptions { max_copy_wait, ..options(Pace::Quick) };
        Self::open(TempDir::new().unwrap(), options, seed::demo(), Auth::Open).await
    }

    /// With the demo data, the quick pace and limits of what `git` may do.
    pub async fn with_git_limits(git: GitLimits) -> Self {
        let options = EngineOptions { git, ..options(Pace::Quick) };
        Self::open(TempDir::new().unwrap(), options, seed::demo(), Auth::Open).await
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

    /// Checks the database, as the program does.
    pub fn run_inspector(&self) -> JoinHandle<()> {
        let engine = self.engine.clone();
        tokio::spawn(async move { engine.run_inspector().await })
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

    /// Tells of changes, whether or not there were any.
    pub fn tell(&self, changed: &[Change]) {
        self.engine.notify(changed);
    }

    /// Ends what waits in the name of callers, as on the way to the end of the program.
    pub fn stop_waiting(&self) {
        self.engine.stop();
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
