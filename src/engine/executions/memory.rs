//! The memories of environments (packages and files on their instances), updated with deployments.
//!
//! A memory holds every change up to a time, and the row names the deployments that may have
//! changed more since: those under way and those that ended. From time to time, and before a
//! command changes an instance at once, the changes of all of them up to then are put in, in order
//! of time and execution. So it does not matter in which order executions are saved.

use std::collections::{BTreeMap, BTreeSet};

use super::save::Changed;
use crate::content::deployment::{self, instance_changes};
use crate::domain::deployment::InstanceKind;
use crate::domain::deployment::memory::{EnvironmentMemory, InstanceChange, InstanceMemory};
use crate::domain::environment::{Environment, EnvironmentType};
use crate::domain::execution::machine::{self, Effects};
use crate::domain::execution::plan::Target;
use crate::domain::execution::{Execution, Progress};
use crate::domain::id::{ExecutionId, ProgramId};
use crate::domain::pipeline::Action;
use crate::domain::program::Program;
use crate::domain::time::Timestamp;
use crate::engine::Engine;
use crate::engine::write::Write;
use crate::store::StoreError;
use crate::store::environment_memories::{self, EnvironmentKey, StoredMemory};
use crate::store::executions::{self, Listed};

/// Returns the environment to which the step at a position deploys.
fn environment_of(execution: &Execution, position: usize) -> Option<EnvironmentKey> {
    let step = execution.plan.steps.get(position)?;
    let target = step.target.as_ref().filter(|_| step.action == Action::Deploy)?;
    Some((execution.pipeline.program_id, target.id))
}

/// A deployment that has changed.
struct ChangedDeployment<'a> {
    position: usize,
    execution: &'a Execution,
    /// The changes that a command has made to instances immediately.
    at_once: Vec<InstanceChange>,
}

impl Changed {
    /// Returns the deployments that started, paused, resumed or ended, with their environments.
    fn deployments(
        &self,
        until: Timestamp,
    ) -> impl Iterator<Item = (EnvironmentKey, ChangedDeployment<'_>)> {
        let Self { execution, effects, before } = self;
        let mut positions: BTreeSet<_> =
            effects.steps.iter().map(|change| change.position).collect();
        if before.is_some() {
            positions.extend(0..execution.steps.len());
        }
        positions.into_iter().filter_map(move |position| {
            let key = environment_of(execution, position)?;
            let at_once = match before {
                Some(before) if before.steps.get(position) == execution.steps.get(position) => {
                    return None;
                }
                Some(before) => {
                    let mut changes = instance_changes(execution, position, until);
                    let known = instance_changes(before, position, until).len();
                    changes.split_off(known.min(changes.len()))
                }
                None => Vec::new(),
            };
            Some((key, ChangedDeployment { position, execution, at_once }))
        })
    }
}

/// The deployments to an environment whose changes are put into its memory.
struct Collected {
    key: EnvironmentKey,
    until: Timestamp,
    changes: Vec<InstanceChange>,
    /// Those that are under way at that time.
    under_way: BTreeSet<(ExecutionId, usize)>,
}

impl Collected {
    /// Collects the changes of stored executions: of the deployments that the row names, and of
    /// those that begin by time and were not saved.
    fn new(
        key: EnvironmentKey,
        until: Timestamp,
        stored: &StoredMemory,
        executions: Vec<Execution>,
    ) -> Self {
        let mut collected = Self { key, until, changes: Vec::new(), under_way: BTreeSet::new() };
        let mut seen = BTreeSet::new();
        for mut execution in executions {
            if !seen.insert(execution.id) {
                continue;
            }
            let current = execution.current_step().unwrap_or(usize::MAX);
            machine::run_until(&mut execution, until, &mut Effects::default());
            for position in 0..execution.steps.len() {
                if current <= position || stored.deployments.contains(&(execution.id, position)) {
                    collected.add(&execution, position);
                }
            }
        }
        collected
    }

    fn add(&mut self, execution: &Execution, position: usize) {
        let state = execution.steps.get(position).filter(|state| state.started_at().is_some());
        let Some(state) = state.filter(|_| environment_of(execution, position) == Some(self.key))
        else {
            return;
        };
        if state.finished_at().is_none() {
            self.under_way.insert((execution.id, position));
        }
        self.changes.extend(instance_changes(execution, position, self.until));
    }
}

/// Returns the identifiers of the executions that a row names.
fn named(stored: &StoredMemory) -> BTreeSet<ExecutionId> {
    stored.deployments.iter().map(|(id, _)| *id).collect()
}

/// Returns what an environment remembers up to `until`, from its row and the executions that may
/// have changed more.
fn memory_at(
    key: EnvironmentKey,
    until: Timestamp,
    stored: &StoredMemory,
    executions: Vec<Execution>,
) -> Result<EnvironmentMemory, StoreError> {
    let mut memory = stored.memory()?;
    memory.advance(Collected::new(key, until, stored, executions).changes, until);
    Ok(memory)
}

/// Returns the executions that can be read. The scheduler sets the others aside and logs them.
fn readable(listed: Listed) -> impl Iterator<Item = Execution> {
    listed.readable.into_iter().map(|stored| stored.execution)
}

impl Write {
    /// Records deployments that have changed up to `until` in the memories of their environments.
    /// Each row is written once.
    pub(super) async fn remember(
        &mut self,
        changed: &[Changed],
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let mut by_environment: BTreeMap<EnvironmentKey, Vec<ChangedDeployment<'_>>> =
            BTreeMap::new();
        for (key, deployment) in changed.iter().flat_map(|changed| changed.deployments(until)) {
            if self.is_known(key) {
                by_environment.entry(key).or_default().push(deployment);
            }
        }
        if by_environment.is_empty() {
            return Ok(());
        }
        let keys = by_environment.keys().copied().collect();
        let mut memories = environment_memories::list_for_update(&mut self.tx, &keys).await?;
        let before = changed.iter().find_map(|changed| changed.before.as_ref());
        for (key, deployments) in by_environment {
            let stored = memories.entry(key).or_default();
            let (mut at_once, mut under_way) = (Vec::new(), BTreeSet::new());
            for ChangedDeployment { position, execution, at_once: changes } in deployments {
                stored.deployments.insert((execution.id, position));
                let state = execution.steps.get(position);
                if state.is_some_and(|state| state.finished_at().is_none()) {
                    under_way.insert((execution.id, position));
                }
                at_once.extend(changes);
            }
            if !at_once.is_empty() || stored.is_full() {
                self.fold_changes(key, stored, until, before, at_once, &under_way).await?;
            }
        }
        environment_memories::put(&mut self.tx, &memories).await
    }

    /// Puts the changes of all deployments up to `until` into a memory, then those that a command
    /// makes `at_once`. `before` is the commanded execution before the command, `under_way` names
    /// its deployments after it.
    async fn fold_changes(
        &mut self,
        key: EnvironmentKey,
        stored: &mut StoredMemory,
        until: Timestamp,
        before: Option<&Execution>,
        at_once: Vec<InstanceChange>,
        under_way: &BTreeSet<(ExecutionId, usize)>,
    ) -> Result<(), StoreError> {
        let is_other = |it: &Execution| before.is_none_or(|before| before.id != it.id);
        let mut executions = self.list_deploying(key, stored, until).await?;
        executions.retain(is_other);
        // A new execution has deployed nothing before its start: all its changes are in `at_once`.
        executions.extend(before.filter(|it| it.progress != Progress::NotStarted).cloned());
        let mut collected = Collected::new(key, until, stored, executions);
        if let Some(before) = before {
            collected.under_way.retain(|(id, _)| *id != before.id);
            collected.under_way.extend(under_way.iter().filter(|(id, _)| *id == before.id));
        }
        let mut memory = stored.memory()?;
        memory.advance(collected.changes, until);
        memory.apply(at_once);
        stored.set(&memory, collected.under_way)
    }

    /// Returns the executions that may have made changes to an environment, up to `until`, that its
    /// row does not contain.
    async fn list_deploying(
        &mut self,
        (program, _): EnvironmentKey,
        stored: &StoredMemory,
        until: Timestamp,
    ) -> Result<Vec<Execution>, StoreError> {
        let database = &self.engine.database;
        let ids = named(stored);
        let named = executions::list_by_id(database, &mut self.tx, &ids).await?;
        let overdue = executions::list_overdue(database, &mut self.tx, program, until).await?;
        Ok(readable(named).chain(readable(overdue)).collect())
    }

    /// Decides whether the deployments of a new execution can succeed: that depends on the packages
    /// that it builds and those that are on the instances now.
    pub(super) async fn decide_deployments(
        &mut self,
        created: &mut Execution,
    ) -> Result<(), StoreError> {
        let program = created.pipeline.program_id;
        let searched = deployment::environments_to_search(created).into_iter();
        let keys: BTreeSet<EnvironmentKey> = searched.map(|id| (program, id)).collect();
        let mut rows = environment_memories::list_for_update(&mut self.tx, &keys).await?;
        let mut memories = BTreeMap::new();
        for key in keys {
            let stored = rows.remove(&key).unwrap_or_default();
            let executions = self.list_deploying(key, &stored, self.now).await?;
            memories.insert(key, memory_at(key, self.now, &stored, executions)?);
        }
        deployment::decide_deployments(created, |target: &Target| {
            let memory = memories.get(&(program, target.id));
            memory.map(|memory| memory.installed(target.topology)).unwrap_or_default()
        });
        Ok(())
    }

    /// Puts the changes of all deployments to the environments of a program into their memories:
    /// executions of the program are about to be removed.
    pub async fn fold_all_changes(&mut self, program: ProgramId) -> Result<(), StoreError> {
        let Some(found) = self.catalog.find_program(program).cloned() else { return Ok(()) };
        let keys = found.environments.keys().map(|id| (program, *id)).collect();
        let mut memories = environment_memories::list_for_update(&mut self.tx, &keys).await?;
        memories.retain(|_, stored| !stored.deployments.is_empty());
        let none = BTreeSet::new();
        for (key, stored) in &mut memories {
            self.fold_changes(*key, stored, self.now, None, Vec::new(), &none).await?;
        }
        environment_memories::put(&mut self.tx, &memories).await
    }

    /// Creates memories for the stage and production environments that have none yet, from a
    /// deployment in the past.
    pub(super) async fn remember_past(&mut self, past: &Execution) -> Result<(), StoreError> {
        let mut changes = BTreeMap::new();
        for (position, step) in past.plan.steps.iter().enumerate() {
            let is_meant = matches!(
                step.environment_type(),
                Some(EnvironmentType::Stage | EnvironmentType::Prod)
            );
            let key = environment_of(past, position).filter(|_| is_meant);
            if let Some(key) = key.filter(|key| self.is_known(*key)) {
                changes.insert(key, instance_changes(past, position, self.now));
            }
        }
        let keys = changes.keys().copied().collect();
        let known = environment_memories::list_for_update(&mut self.tx, &keys).await?;
        changes.retain(|key, _| !known.contains_key(key));
        let mut memories = BTreeMap::new();
        for (key, changes) in changes {
            let mut stored = StoredMemory::default();
            let mut memory = stored.memory()?;
            memory.advance(changes, self.now);
            stored.set(&memory, BTreeSet::new())?;
            memories.insert(key, stored);
        }
        environment_memories::put(&mut self.tx, &memories).await
    }

    /// Returns whether the environment still exists; deployments to deleted ones are not recorded.
    fn is_known(&self, (program, environment): EnvironmentKey) -> bool {
        let program = self.catalog.find_program(program);
        program.is_some_and(|program| program.environments.contains_key(&environment))
    }
}

impl Engine {
    /// Returns the instances of an environment as deployments have left them up to now.
    pub async fn list_instances(
        &self,
        program: &Program,
        environment: &Environment,
    ) -> Result<Vec<(String, InstanceKind, InstanceMemory)>, StoreError> {
        let _world = self.world.read().await;
        let key = (program.id, environment.id);
        // Overdue executions are read before the row: if one is saved between the two reads, the
        // row names it. In the other order, it could be missed.
        let now = self.now();
        let (database, program) = (&self.database, program.id);
        let overdue =
            executions::list_overdue(database, &mut *database.reader().await?, program, now)
                .await?;
        let stored = environment_memories::find(database, key).await?;
        let ids = named(&stored);
        let named = executions::list_by_id(database, &mut *database.reader().await?, &ids).await?;
        let executions = readable(named).chain(readable(overdue)).collect();
        let memory = memory_at(key, now, &stored, executions)?;
        Ok(memory.instances(environment.topology))
    }
}
