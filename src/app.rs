//! The application: engine, HTTP server and workers.

mod error;
mod interception;
mod summary;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::access::Auth;
use crate::access::access_token::{AccessTokens, DEFAULT_SCOPE};
use crate::engine::{Engine, EngineOptions};
use crate::events::Deliverer;
use crate::http::host::Hosts;
use crate::http::temporary;
use crate::seed::{self, Origin, Seed};
use crate::server::{Ports, Server, Timeouts};
use crate::service::{HttpService, service};
use crate::tls::Acceptor;
use crate::workers::Workers;
pub use error::AppError;
pub use interception::{InterceptionOptions, host_of};
pub use summary::{DatabasePlace, Summary};

/// How an application is set up.
#[derive(Clone, Debug)]
pub struct AppOptions {
    /// Where to listen; port 0 is any free port.
    pub listen: SocketAddr,
    /// The database file; none for a temporary one.
    pub database: Option<PathBuf>,
    /// The seed file for a new database; the demo if absent.
    pub seed: Option<PathBuf>,
    /// The base of absolute addresses; the request's `Host` if absent.
    pub public_url: Option<String>,
    /// The base of the addresses in events; the public URL, or the listen address, if absent.
    pub event_url: Option<String>,
    /// Further `Host` names to answer to while listening on loopback.
    pub allow_hosts: Vec<String>,
    /// Which callers are accepted.
    pub auth: Auth,
    /// How the engine is set up.
    pub engine: EngineOptions,
    /// The timeouts of connections.
    pub timeouts: Timeouts,
    /// How clients that call the real names are answered.
    pub interception: InterceptionOptions,
}

/// An emulator that is ready to answer.
pub struct App {
    engine: Arc<Engine>,
    ports: Ports,
    trusted_proxies: Vec<IpAddr>,
    workers: Workers,
    service: HttpService,
    timeouts: Timeouts,
    summary: Summary,
    /// Deleted when the application is dropped.
    _temporary: Option<TempDir>,
}

/// What a caller authenticates with.
pub struct Credentials {
    /// The organisation, if there is one: with `--auth strict` that of the client, otherwise that
    /// of the seed's first tenant. If an existing database lacks that tenant, it is another one's.
    pub organisation: Option<String>,
    /// The api key.
    pub api_key: String,
    /// The access token.
    pub token: String,
}

/// The api key and token for an emulator that accepts everybody. Any other value works as well.
const CREDENTIAL: &str = "emulator";

/// Reads and checks a seed file.
pub fn read_seed(path: &std::path::Path) -> Result<Seed, AppError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| AppError::Read { path: name.clone(), error })?;
    let directory = path.parent().unwrap_or_else(|| std::path::Path::new(""));
    seed::read_beside(&text, directory).map_err(|mistakes| AppError::Seed { path: name, mistakes })
}

impl App {
    /// Reads the seed, binds the address, opens the database, and handles what is overdue. Seed and
    /// address come first: if one of them is wrong, the database is not touched.
    pub async fn build(options: AppOptions) -> Result<Self, AppError> {
        let AppOptions {
            listen,
            database,
            seed,
            public_url,
            event_url,
            allow_hosts,
            auth,
            engine,
            timeouts,
            interception: interception_options,
        } = options;
        let seed_name = seed.as_ref().map(|path| path.display().to_string());
        let seed = match seed {
            Some(path) => Origin::from(read_seed(&path)?),
            None => Origin::Demo,
        };
        let plain = self::listen("--listen", listen).await?;
        let address = plain.local_addr().map_err(AppError::Serve)?;
        let interception = interception_options.start(public_url.as_deref()).await?;
        let ports = Ports { plain, interception };
        let has_clock_start = engine.clock_start.is_some();
        let file = database.as_ref().map(|path| path.display().to_string());
        let (path, temporary) = if let Some(path) = database {
            (path, None)
        } else {
            let directory = temporary::directory().map_err(AppError::Temporary)?;
            (directory.path().join("cloudmanager.db"), Some(directory))
        };
        let engine = Engine::open(&path, engine, seed).await?;
        let url = format!("http://{address}");
        let database = match file {
            None => DatabasePlace::Temporary,
            Some(file) if engine.is_new() => DatabasePlace::New(file),
            Some(file) => {
                warn_of_ignored_options(&file, &url, seed_name.is_some(), has_clock_start);
                DatabasePlace::Existing(file)
            }
        };
        let summary = Summary {
            url: url.clone(),
            tls: ports.tls_address().map(|address| format!("https://{address}")),
            proxy: ports.proxy_address().map(|address| format!("http://{address}")),
            database,
            seed: seed_name,
            pace: engine.pace(),
            clock_rate: engine.clock_rate(),
            auth,
            organisation: engine.organisation(),
        };
        let mut hosts = Hosts::new(address.ip(), url, public_url, &allow_hosts);
        if ports.interception.is_some() {
            hosts = hosts.with_real_names();
        }
        let event_url = event_url.unwrap_or_else(|| hosts.own_url().to_owned());
        let deliverer = Deliverer::new(engine.clone(), &event_url);
        let deliverer = Arc::new(deliverer.signing_digitally(ports.interception.is_some()));
        let service = service(&engine, &deliverer, hosts, auth);
        let (scheduler, purger, inspector) = (engine.clone(), engine.clone(), engine.clone());
        let tagger = engine.clone();
        let mut workers = Workers::default();
        workers.add("scheduler", async move { scheduler.run_scheduler().await });
        workers.add("deliverer", deliverer.run());
        workers.add("purger", async move { purger.run_purger().await });
        workers.add("tagger", async move { tagger.run_tagger().await });
        workers.add("inspector", async move { inspector.run_inspector().await });
        Ok(Self {
            engine,
            ports,
            trusted_proxies: interception_options.trusted_proxies,
            workers,
            service,
            timeouts,
            summary,
            _temporary: temporary,
        })
    }

    /// Adds a worker beside the server. If it ends before the server stops, it has failed.
    pub fn add_worker(
        &mut self,
        name: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        self.workers.add(name, work);
    }

    /// Returns the URL of the server, for example `http://127.0.0.1:4600`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.summary.url
    }

    /// Returns where clients on this machine reach the proxy, if there is one.
    #[must_use]
    pub fn proxy_address(&self) -> Option<SocketAddr> {
        let mut address = self.ports.proxy_address()?;
        if address.ip().is_unspecified() {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        Some(address)
    }

    /// Returns what does TLS handshakes, if there is a port for them.
    #[must_use]
    pub fn acceptor(&self) -> Option<&Acceptor> {
        self.ports.interception.as_ref().map(|interception| &*interception.acceptor)
    }

    /// Returns an access token that clients can read, as one of IMS: a signed JSON Web Token.
    pub async fn access_token(&self) -> Result<String, AppError> {
        let Credentials { api_key, token, .. } = self.credentials().await?;
        match self.summary.auth {
            Auth::Strict => Ok(token),
            Auth::Open => {
                let tokens = AccessTokens::new(self.engine.clone());
                Ok(tokens.issue(&api_key, &api_key, DEFAULT_SCOPE).await?)
            }
        }
    }

    /// Returns how the application was started.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Returns credentials for a caller: those of the first client of the seed with `--auth
    /// strict`, otherwise fixed values.
    pub async fn credentials(&self) -> Result<Credentials, AppError> {
        if self.summary.auth == Auth::Open {
            return Ok(Credentials {
                organisation: self.engine.organisation(),
                api_key: CREDENTIAL.into(),
                token: CREDENTIAL.into(),
            });
        }
        let client = self.engine.first_client().ok_or(AppError::NoClient)?;
        let tokens = AccessTokens::new(self.engine.clone());
        let catalog = self.engine.catalog();
        let tenant = catalog.find_tenant(client.tenant_id);
        Ok(Credentials {
            organisation: tenant.map(|tenant| tenant.ims_org_id.clone()),
            api_key: client.client_id.clone(),
            token: tokens.issue_to(&client).await?,
        })
    }

    /// Answers requests until `stop` is ready or a worker fails, gives those in flight some real
    /// time to finish, and closes the database.
    pub async fn run_until_stopped(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
        grace: Duration,
    ) -> Result<(), AppError> {
        let Self {
            engine,
            ports,
            trusted_proxies,
            workers,
            service,
            timeouts,
            summary,
            _temporary,
        } = self;
        if summary.auth == Auth::Strict && engine.first_client().is_none() {
            tracing::warn!("--auth strict rejects all calls: there are no clients in the database");
        }
        if ports.are_beyond_loopback() {
            tracing::warn!(
                "listening beyond loopback: anyone who can reach the port controls the emulator"
            );
        }
        let stopping = async {
            tokio::select! {
                () = stop => engine.stop(),
                () = engine.wait_for_stop() => {}
            }
        };
        // The workers and the server end when the engine stops; the scheduler finishes its batch
        // first. The database is closed after all of them, because they use it.
        let server = Server::new(engine.clone(), service, timeouts, trusted_proxies);
        let serving = server.run(ports, grace);
        let (worked, (), ()) = tokio::join!(workers.run(&engine), serving, stopping);
        let closed = engine.close().await;
        worked?;
        closed?;
        Ok(())
    }
}

/// Warns of options that have no effect, because the database is not new.
fn warn_of_ignored_options(file: &str, url: &str, has_seed: bool, has_clock_start: bool) {
    let ignored = [(has_seed, "--seed"), (has_clock_start, "--clock-start")];
    for (_, option) in ignored.into_iter().filter(|(is_given, _)| *is_given) {
        tracing::warn!(
            "{option} has no effect because the database {file} already exists. \
             `curl -X POST {url}/_emulator/reset` deletes its data and applies the option; to keep \
             the data, use --ephemeral or another --database."
        );
    }
}

async fn listen(option: &'static str, address: SocketAddr) -> Result<TcpListener, AppError> {
    let failed = |error| AppError::Listen { option, address, error };
    TcpListener::bind(address).await.map_err(failed)
}
