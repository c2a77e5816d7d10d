//! Clients that call the real names: over TLS and through the proxy.

mod exec;
mod hostile;
mod proxy;
mod tls;

use std::net::SocketAddr;
use std::time::Duration;

use cloudmanager_emulator::access::Auth;
use cloudmanager_emulator::app::{App, AppOptions, InterceptionOptions};
use cloudmanager_emulator::engine::EngineOptions;
use cloudmanager_emulator::server::Timeouts;
use reqwest::{Certificate, Client, ClientBuilder, Proxy, RequestBuilder};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::app::ORGANISATION;

/// How long anything may take that has to come.
const LONGEST: Duration = Duration::from_mins(1);

const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// An emulator that answers under the real names.
struct Intercepting {
    /// For plain HTTP.
    url: String,
    tls: SocketAddr,
    proxy: SocketAddr,
    /// The certificate of its authority.
    root: Certificate,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
    _directory: TempDir,
}

fn options(directory: &TempDir) -> AppOptions {
    AppOptions {
        listen: LOOPBACK,
        database: Some(directory.path().join("cloudmanager.db")),
        seed: None,
        public_url: None,
        event_url: None,
        allow_hosts: Vec::new(),
        auth: Auth::Open,
        engine: EngineOptions::default(),
        timeouts: Timeouts::default(),
        interception: InterceptionOptions {
            tls: Some(LOOPBACK),
            proxy: Some(LOOPBACK),
            ca_dir: Some(directory.path().join("ca")),
            ..InterceptionOptions::default()
        },
    }
}

impl Intercepting {
    async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    async fn start_with(change: impl FnOnce(&mut AppOptions)) -> Self {
        let directory = TempDir::new().unwrap();
        let mut options = options(&directory);
        change(&mut options);
        let app = App::build(options).await.unwrap();
        let url = app.url().to_owned();
        let tls = app.summary().tls.as_ref().unwrap();
        let tls = tls.trim_start_matches("https://").parse().unwrap();
        let proxy = app.proxy_address().unwrap();
        let pem = app.acceptor().unwrap().authority().root_pem();
        let root = Certificate::from_pem(pem.as_bytes()).unwrap();
        let (stop, stopped) = oneshot::channel();
        let stopped = async move { stopped.await.unwrap() };
        let running = async move { app.run_until_stopped(stopped, LONGEST).await.unwrap() };
        Self { url, tls, proxy, root, stop, running: tokio::spawn(running), _directory: directory }
    }

    /// A client that trusts the emulator's authority alone.
    fn client(&self) -> ClientBuilder {
        Client::builder().no_proxy().tls_certs_only([self.root.clone()])
    }

    /// A client that calls everything through the proxy.
    fn through_proxy(&self) -> Client {
        let proxy = Proxy::all(format!("http://{}", self.proxy)).unwrap();
        self.client().proxy(proxy).build().unwrap()
    }

    /// A client that finds a name at the port for TLS, and the base of its URLs.
    fn by_name(&self, name: &str) -> (Client, String) {
        let client = self.client().resolve(name, self.tls).build().unwrap();
        (client, format!("https://{name}:{}", self.tls.port()))
    }

    async fn stopped(self) {
        self.stop.send(()).unwrap();
        timeout(LONGEST, self.running).await.expect("an end").unwrap();
    }
}

fn signed(request: RequestBuilder) -> RequestBuilder {
    request.header("x-gw-ims-org-id", ORGANISATION).header("x-api-key", "ci").bearer_auth("token")
}

/// Sends bytes to an address; the connection.
async fn send(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// What comes until the connection is over. How it ends does not matter.
async fn receive(stream: &mut TcpStream) -> Vec<u8> {
    let mut received = Vec::new();
    let _ = timeout(LONGEST, stream.read_to_end(&mut received)).await.expect("an end");
    received
}

/// The head of the next answer.
async fn receive_head(stream: &mut TcpStream) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let byte = timeout(LONGEST, stream.read_u8()).await.expect("a head").unwrap();
        head.push(char::from(byte));
    }
    head
}
