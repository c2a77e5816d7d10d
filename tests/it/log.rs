//! The log of a test of its own.

use cloudmanager_emulator::log::Recent;
use tracing::subscriber::DefaultGuard;

/// Records what is logged on this thread, until the answer is dropped.
pub fn record(recent: &Recent) -> DefaultGuard {
    let subscriber = tracing_subscriber::fmt().with_writer(recent.clone()).finish();
    tracing::subscriber::set_default(subscriber)
}

/// Waits until something has been logged.
pub async fn wait_for(recent: &Recent, text: &str) {
    while !recent.entries().concat().contains(text) {
        tokio::task::yield_now().await;
    }
}
