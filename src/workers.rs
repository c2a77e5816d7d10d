//! Workers: named tasks beside the server. If one fails, the emulator stops.

use std::any::Any;
use std::pin::Pin;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::task::JoinError;

use crate::engine::Engine;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Workers that have not started yet.
#[derive(Default)]
pub struct Workers(Vec<(&'static str, Work)>);

/// A worker that ended before the stop, or panicked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {name} failed, so the emulator has stopped: {reason}")]
pub struct WorkerFailed {
    /// The worker.
    pub name: &'static str,
    /// Why.
    pub reason: String,
}

impl Workers {
    /// Adds a worker, which must end when the engine stops.
    pub fn add(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.0.push((name, Box::pin(work)));
    }

    /// Runs all workers until each has ended. If one fails, it stops the engine, and with it
    /// everything else: an emulator without its scheduler would look alive, but do nothing. Returns
    /// the first failure.
    pub async fn run(self, engine: &Engine) -> Result<(), WorkerFailed> {
        let start = |(name, work): (&'static str, Work)| {
            let task = tokio::spawn(work);
            async move { (name, task.await) }
        };
        let mut running: FuturesUnordered<_> = self.0.into_iter().map(start).collect();
        let mut outcome = Ok(());
        while let Some((name, ended)) = running.next().await {
            let reason = match ended {
                Ok(()) if engine.is_stopping() => continue,
                Ok(()) => "it ended too early".to_owned(),
                Err(error) => reason_of(error),
            };
            engine.stop();
            outcome = outcome.and(Err(WorkerFailed { name, reason }));
        }
        outcome
    }
}

fn reason_of(error: JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => format!("it panicked: {}", message_of(&*panic)),
        Err(cut_off) => cut_off.to_string(),
    }
}

/// Returns the message of a panic, or an empty text if it has none.
fn message_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref().copied()).unwrap_or_default()
}
