//! Saving what the state machine did: states and events in one transaction.

use super::Engine;
use crate::domain::execution::Execution;
use crate::domain::execution::machine::Effects;
use crate::store::events::{self, EventRow};
use crate::store::{StoreError, Transaction, executions};

/// An execution that changed, and what the change brought about.
pub(super) struct Change {
    pub execution: Execution,
    pub effects: Effects,
}

impl Engine {
    /// The rows for those who want to be told of a change.
    fn event_rows(&self, changes: &[Change]) -> Vec<EventRow> {
        let catalog = self.catalog();
        changes
            .iter()
            .flat_map(|Change { execution, effects }| {
                let webhooks = catalog.list_webhooks(execution.pipeline.program_id);
                events::rows_for(execution, &effects.events, &webhooks)
            })
            .collect()
    }

    /// Saves changed executions with their events; how many event rows that made.
    pub(super) async fn save(
        &self,
        tx: &mut Transaction<'_>,
        changes: &[Change],
    ) -> Result<u64, StoreError> {
        executions::update(tx, changes.iter().map(|change| &change.execution)).await?;
        self.save_events(tx, changes).await
    }

    /// Saves the events alone, for executions that are saved otherwise.
    pub(super) async fn save_events(
        &self,
        tx: &mut Transaction<'_>,
        changes: &[Change],
    ) -> Result<u64, StoreError> {
        let rows = self.event_rows(changes);
        let count = rows.len() as u64;
        events::insert(tx, rows).await?;
        Ok(count)
    }

    /// After the commit: what memory made of these executions is out of date.
    pub(super) fn end_epochs(&self, changes: &[Change]) {
        for change in changes {
            self.epochs.end(change.execution.pipeline);
        }
    }
}
