//! Purging: removing the rows of what was deleted, in small portions.

use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::write::Write;
use crate::store::{StoreError, definitions, webhooks};

/// How many executions or deliveries one transaction removes. Others can write between two of them.
const PURGED: u32 = 10_000;

impl Engine {
    /// Purges in the background: the answer to a deletion does not wait for it. If the emulator
    /// stops before the end, the next start goes on.
    pub(in crate::engine) fn start_purging(self: &Arc<Self>) {
        let engine = self.clone();
        tokio::spawn(async move {
            match engine.purge().await {
                Ok(()) | Err(StoreError::Closed) => {}
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "what is deleted is not taken away");
                }
            }
        });
    }

    /// Removes everything that was deleted. Others get their turn to write between two portions.
    pub(in crate::engine) async fn purge(self: &Arc<Self>) -> Result<(), StoreError> {
        loop {
            let mut write = Write::begin(self).await?;
            let more = write.purge_some().await?;
            write.commit().await?;
            if !more {
                return Ok(());
            }
        }
    }
}

impl Write {
    /// Removes one portion of what was deleted. Returns whether there may be more.
    pub async fn purge_some(&mut self) -> Result<bool, StoreError> {
        Ok(definitions::purge(&mut self.tx, PURGED).await?
            || webhooks::purge(&mut self.tx, PURGED).await?)
    }
}
