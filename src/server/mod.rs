//! The HTTP server: it limits connections, closes those of idle callers, and shuts down gracefully.

mod activity;
mod connection;
mod descriptors;
mod forward;
mod outward;
mod ports;
mod proxy;
mod timeouts;

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::engine::Engine;
use crate::service::HttpService;
use outward::Outward;
pub use ports::{Interception, Ports};
pub use timeouts::Timeouts;

/// Answers the requests that come over connections.
pub struct Server {
    engine: Arc<Engine>,
    service: HttpService,
    timeouts: Timeouts,
    /// Callers beyond this machine that may say how a request came to them.
    trusted_proxies: Vec<IpAddr>,
    /// One for each connection that may be open; a tunnel takes two.
    slots: Arc<Semaphore>,
    /// How connections are made for clients of the proxy.
    outward: Outward,
}

impl Server {
    /// Returns a server for an engine.
    #[must_use]
    pub fn new(
        engine: Arc<Engine>,
        service: HttpService,
        timeouts: Timeouts,
        trusted_proxies: Vec<IpAddr>,
    ) -> Self {
        let most = descriptors::most_connections().min(Semaphore::MAX_PERMITS);
        let slots = Arc::new(Semaphore::new(most));
        Self { engine, service, timeouts, trusted_proxies, slots, outward: Outward::default() }
    }

    /// Answers requests until the engine stops. Requests in flight then get `grace` to finish.
    pub async fn run(mut self, mut ports: Ports, grace: Duration) {
        self.outward = ports.outward();
        let server = Arc::new(self);
        let mut connections = JoinSet::new();
        let mut stop = pin!(server.engine.wait_for_stop());
        let mut logged = false;
        loop {
            // Others wait in the backlog of the operating system until one of these is closed.
            if server.slots.available_permits() == 0 && !logged {
                let most = connections.len();
                tracing::warn!("{most} connections are open, which is the limit; others wait");
                logged = true;
            }
            let accept = async {
                let slot = server.slots.clone().acquire_owned().await;
                (slot, ports.accept().await)
            };
            tokio::select! {
                () = &mut stop => break,
                Some(_) = connections.join_next() => {}
                (slot, accepted) = accept => {
                    let server = server.clone();
                    connections.spawn(async move {
                        let _slot = slot;
                        server.handle(accepted).await;
                    });
                }
            }
        }
        // Closed first, so that new callers are refused at once and don't wait for the end.
        drop(ports);
        let answered = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, answered).await.is_err() {
            tracing::warn!("requests in flight were cut off");
        }
    }
}
