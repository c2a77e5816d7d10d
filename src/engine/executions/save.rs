//! Saving what the state machine did: states and events in one transaction.

use crate::domain::event::EventKind;
use crate::domain::execution::Execution;
use crate::domain::execution::machine::Effects;
use crate::domain::execution::step::StepStatus;
use crate::domain::id::PipelineKey;
use crate::domain::pipeline::Action;
use crate::engine::Engine;
use crate::store::deliveries::{self, NewDelivery};
use crate::store::{StoreError, Transaction, builds, executions};

/// An execution that changed, and what the change brought about.
pub(in crate::engine) struct Change {
    pub execution: Execution,
    pub effects: Effects,
}

/// What a transaction saves, for those who are told of it after the commit.
#[derive(Default)]
pub(in crate::engine) struct Commit {
    /// How many times a step changed its status.
    pub transitions: u64,
    /// How many events there are for subscribers.
    pub events: u64,
    /// The pipelines whose executions changed.
    pub pipelines: Vec<PipelineKey>,
}

impl Change {
    /// Whether artifacts have been built in it, not copied.
    fn has_built(&self) -> bool {
        let Self { execution, effects } = self;
        execution.plan.code.built_by.is_none()
            && effects.events.iter().any(|event| {
                event.kind == EventKind::StepEnded
                    && event.step.and_then(|position| execution.step(position)).is_some_and(
                        |(step, state)| {
                            step.action == Action::Build && state.status() == StepStatus::Finished
                        },
                    )
            })
    }
}

impl Engine {
    /// What those are to be told who want to be told of a change.
    fn deliveries_of(&self, changes: &[Change]) -> Vec<NewDelivery> {
        let catalog = self.catalog();
        changes
            .iter()
            .flat_map(|Change { execution, effects }| {
                let webhooks = catalog.list_webhooks(execution.pipeline.program_id);
                deliveries::of(execution, &effects.events, &webhooks)
            })
            .collect()
    }

    /// Saves changed executions with what the changes brought about.
    pub(in crate::engine) async fn save(
        &self,
        tx: &mut Transaction<'_>,
        changes: Vec<Change>,
        commit: &mut Commit,
    ) -> Result<(), StoreError> {
        executions::update(tx, changes.iter().map(|change| &change.execution)).await?;
        self.save_effects(tx, changes, commit).await
    }

    /// Saves what the changes brought about, for executions that are saved otherwise.
    pub(in crate::engine) async fn save_effects(
        &self,
        tx: &mut Transaction<'_>,
        changes: Vec<Change>,
        commit: &mut Commit,
    ) -> Result<(), StoreError> {
        builds::insert(tx, changes.iter().filter(|c| c.has_built()).map(|c| &c.execution)).await?;
        let told = self.deliveries_of(&changes);
        commit.events += told.len() as u64;
        deliveries::insert(tx, told).await?;
        for Change { execution, effects } in changes {
            commit.transitions += effects.transitions;
            commit.pipelines.push(execution.pipeline);
        }
        Ok(())
    }

    /// After the commit: what memory made of the executions is out of date.
    pub(in crate::engine) fn tell_committed(&self, commit: &Commit) {
        self.tally.count(commit.transitions, commit.events);
        for pipeline in &commit.pipelines {
            self.epochs.end(*pipeline);
        }
        if commit.events > 0 {
            self.deliveries_due.notify_waiters();
        }
    }
}
