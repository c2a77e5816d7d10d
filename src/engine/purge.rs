//! Taking away what is deleted or kept no longer, a little at a time.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::Engine;
use super::write::Write;
use crate::store::{StoreError, definitions, deliveries, webhooks};

/// How many executions or deliveries are taken away at once.
const PURGED: u32 = 10_000;

/// How many deliveries are finished before the purger looks whether there are too many.
const FINISHED: usize = 1000;

/// What the purger waits for.
#[derive(Default)]
pub(super) struct Purging {
    wake: Notify,
    /// Deliveries that were finished since it looked for too many.
    finished: AtomicUsize,
}

impl Purging {
    /// Something was deleted.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Deliveries were finished.
    pub fn note_finished(&self, count: usize) {
        if self.finished.fetch_add(count, Ordering::Relaxed) + count >= FINISHED {
            self.finished.store(0, Ordering::Relaxed);
            self.wake();
        }
    }
}

impl Engine {
    /// Takes away what is deleted or kept no longer, at the beginning and whenever there may be more
    /// of it, until the engine stops.
    pub async fn run_purger(self: &Arc<Self>) {
        while !self.is_stopping() {
            if let Err(error) = self.purge().await {
                let error: &dyn Error = &error;
                tracing::error!(error, "what is deleted is not taken away");
            }
            tokio::select! {
                () = self.purging.wake.notified() => {}
                () = self.wait_for_stop() => {}
            }
        }
    }

    /// Takes away all that is deleted or kept no longer; others get their turn to write between. It
    /// ends early when the engine stops.
    pub(super) async fn purge(self: &Arc<Self>) -> Result<(), StoreError> {
        let mut more = true;
        while more && !self.is_stopping() {
            let mut write = Write::begin(self).await?;
            more = write.purge_some().await?;
            write.commit().await?;
        }
        while !self.is_stopping() {
            // They are looked for by who only reads: others may write meanwhile.
            let old = deliveries::list_old(&self.database, PURGED).await?;
            if old.is_empty() {
                break;
            }
            let mut write = Write::begin(self).await?;
            deliveries::delete_finished(&mut write.tx, &old).await?;
            write.commit().await?;
        }
        Ok(())
    }
}

impl Write {
    /// Takes away some of what is deleted; whether there may be more.
    pub async fn purge_some(&mut self) -> Result<bool, StoreError> {
        let plans = definitions::purge(&mut self.tx, PURGED).await?;
        self.purge_plans(&plans).await?;
        Ok(!plans.is_empty() || webhooks::purge(&mut self.tx, PURGED).await?)
    }
}
