//! Taking away what is deleted, a little at a time.

use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::write::Write;
use crate::store::{StoreError, definitions, webhooks};

/// How many executions or deliveries are taken away at once.
const PURGED: u32 = 10_000;

impl Engine {
    /// Takes away what is deleted, while others go on.
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

    /// Takes away all that is deleted; others get their turn to write between.
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
    /// Takes away some of what is deleted; whether there may be more.
    pub async fn purge_some(&mut self) -> Result<bool, StoreError> {
        Ok(definitions::purge(&mut self.tx, PURGED).await?
            || webhooks::purge(&mut self.tx, PURGED).await?)
    }
}
