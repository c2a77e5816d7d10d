//! Purging: removing the rows of what was deleted or is too old, in small portions.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::write::Write;
use super::{Engine, Worker};
use crate::store::{StoreError, contents, definitions, deliveries, webhooks};

/// How many executions or deliveries one transaction removes. Others can write between two of them.
const PURGED: u32 = 10_000;

/// How many chunks of contents one transaction removes.
const PURGED_CHUNKS: u32 = 256;

/// How many deliveries are finished before the purger looks for old ones again.
const FINISHED: usize = 1000;

/// The pause after a failure, in real time. It doubles with each further failure.
const RECOVERY: Duration = Duration::from_secs(1);

/// The longest pause.
const LONGEST_RECOVERY: Duration = Duration::from_secs(16);

/// Wakes the purger.
#[derive(Default)]
pub(super) struct Purging {
    wake: Notify,
    /// How many deliveries were finished since the purger was woken for old ones.
    finished: AtomicUsize,
}

impl Purging {
    /// Wakes the purger: something was deleted.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Counts finished deliveries, and wakes the purger after enough of them.
    pub fn note_finished(&self, count: usize) {
        if self.finished.fetch_add(count, Ordering::Relaxed) + count >= FINISHED {
            self.finished.store(0, Ordering::Relaxed);
            self.wake();
        }
    }
}

impl Engine {
    /// Runs the purger until the engine stops: it purges at the start, whenever it is woken, and
    /// again after a pause if it failed.
    pub async fn run_purger(self: &Arc<Self>) {
        let mut recovery = RECOVERY;
        while !self.is_stopping() {
            let purged = self.purge().await;
            self.note_work(Worker::Purger, &purged);
            let Err(error) = purged else {
                recovery = RECOVERY;
                tokio::select! {
                    () = self.purging.wake.notified() => {}
                    () = self.wait_for_stop() => {}
                }
                continue;
            };
            {
                let error: &dyn Error = &error;
                tracing::error!(error, "deleted rows could not be removed; the purger tries again");
            }
            tokio::select! {
                () = tokio::time::sleep(recovery) => {}
                () = self.wait_for_stop() => {}
            }
            recovery = (2 * recovery).min(LONGEST_RECOVERY);
        }
    }

    /// Removes everything that was deleted or is too old. Others get their turn to write between two
    /// portions. If the engine stops before the end, the next start goes on.
    pub(super) async fn purge(self: &Arc<Self>) -> Result<(), StoreError> {
        let mut more = true;
        while more && !self.is_stopping() {
            let mut write = Write::begin(self).await?;
            more = write.purge_some().await?;
            write.commit().await?;
        }
        while !self.is_stopping() {
            // They are searched on a reading connection: others can write meanwhile.
            let old = deliveries::list_old(&self.database, PURGED).await?;
            if old.is_empty() {
                break;
            }
            let mut write = Write::begin(self).await?;
            deliveries::delete_finished(&mut write.tx, &old).await?;
            write.commit().await?;
        }
        self.remove_deleted_repositories().await;
        self.purge_contents().await
    }

    /// Removes the contents of files that nothing refers to any more.
    async fn purge_contents(self: &Arc<Self>) -> Result<(), StoreError> {
        // Whoever stores contents now wakes the purger afterwards.
        let Ok(_turn) = self.storing.try_lock() else { return Ok(()) };
        if !contents::are_any(&self.database).await? {
            return Ok(());
        }
        let mut more = true;
        while more && !self.is_stopping() {
            let mut write = Write::begin(self).await?;
            more = contents::purge(&mut write.tx, PURGED_CHUNKS).await?;
            write.commit().await?;
        }
        Ok(())
    }
}

impl Write {
    /// Removes one portion of what was deleted. Returns whether there may be more.
    pub async fn purge_some(&mut self) -> Result<bool, StoreError> {
        let plans = definitions::purge(&mut self.tx, PURGED).await?;
        self.purge_plans(&plans).await?;
        Ok(!plans.is_empty() || webhooks::purge(&mut self.tx, PURGED).await?)
    }
}
