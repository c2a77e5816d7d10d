//! Saving what the state machine did: states, events and builds in one transaction.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::domain::delivery::{self, NewDelivery};
use crate::domain::event::EventKind;
use crate::domain::execution::machine::{self, Effects};
use crate::domain::execution::status::StepStatus;
use crate::domain::execution::{Execution, ExecutionStatus};
use crate::domain::id::PipelineKey;
use crate::domain::pipeline::Action;
use crate::domain::time::Timestamp;
use crate::engine::changes::Change;
use crate::engine::write::Write;
use crate::store::executions::{self, Stored};
use crate::store::{StoreError, builds, deliveries, successes};

/// An execution that changed, and the effects of the change.
pub(in crate::engine) struct Changed {
    pub execution: Execution,
    pub effects: Effects,
    /// For a command: the execution just before it, with everything that was due.
    pub before: Option<Execution>,
}

impl Changed {
    /// An execution that time alone has changed.
    pub fn by_time(execution: Execution, effects: Effects) -> Self {
        Self { execution, effects, before: None }
    }

    /// Returns whether the change finished the execution, with success.
    fn has_finished(&self) -> bool {
        self.execution.status() == ExecutionStatus::Finished
            && self.effects.events.iter().any(|event| event.kind == EventKind::ExecutionEnded)
    }

    /// Returns whether the change finished a build that made artifacts which others may reuse.
    fn has_built(&self) -> bool {
        let Self { execution, effects, before: _ } = self;
        let code = &execution.plan.code;
        // Others never reuse what a scenario made up.
        let is_reusable = code.built_by.is_none() && !code.by_scenario;
        is_reusable
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

impl Write {
    /// Returns the last execution of a pipeline as it is now, after saving what was overdue.
    pub async fn settle_last(&mut self, key: PipelineKey) -> Result<Option<Stored>, StoreError> {
        let database = &self.engine.database;
        let last = executions::find_last(database, &mut self.tx, key).await?;
        let Some(Stored { mut execution, sequence }) = last else { return Ok(None) };
        let mut effects = Effects::default();
        machine::run_until(&mut execution, self.now, &mut effects);
        if effects != Effects::default() {
            self.save(vec![Changed::by_time(execution.clone(), effects)], self.now).await?;
        }
        Ok(Some(Stored { execution, sequence }))
    }

    /// Saves executions that have changed up to `until`, with the effects of the changes.
    pub async fn save(
        &mut self,
        changed: Vec<Changed>,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        executions::update(&mut self.tx, changed.iter().map(|it| &it.execution)).await?;
        self.save_effects(changed, until).await
    }

    /// Saves only the effects of the changes, for executions that the caller saves.
    pub async fn save_effects(
        &mut self,
        changed: Vec<Changed>,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.remember(&changed, until).await?;
        let built = changed.iter().filter(|it| it.has_built()).map(|it| &it.execution);
        builds::insert(&mut self.tx, built).await?;
        let finished = changed.iter().filter(|it| it.has_finished()).map(|it| &it.execution);
        successes::record(&mut self.tx, finished).await?;
        for Changed { execution, .. } in changed.iter().filter(|it| it.has_finished()) {
            self.earn_tag(execution).await?;
        }
        // In the same transaction as the change: an event is neither lost nor sent without it.
        let new = self.deliveries_of(&changed);
        let subscribers: BTreeSet<_> = new.iter().map(|it| it.webhook_id).collect();
        self.changes.events += new.len() as u64;
        deliveries::insert(&mut self.tx, new).await?;
        for Changed { execution, effects, before: _ } in changed {
            self.changes.transitions += effects.transitions();
            self.changes.steps.add(&execution, &effects.steps);
            self.changes.add_due(machine::due_at(&execution));
            self.changes.add(Change::Execution(execution.pipeline, execution.id));
        }
        for webhook in subscribers {
            self.changes.add(Change::Deliveries(webhook));
        }
        Ok(())
    }

    /// Returns the deliveries of the changes, to every subscriber that wants them.
    fn deliveries_of(&self, changed: &[Changed]) -> Vec<NewDelivery> {
        changed
            .iter()
            .flat_map(|Changed { execution, effects, before: _ }| {
                let webhooks = self.catalog.list_webhooks(execution.pipeline.program_id);
                let make_id = || Uuid::new_v4().to_string();
                delivery::of(execution, &effects.events, &webhooks, make_id)
            })
            .collect()
    }
}
