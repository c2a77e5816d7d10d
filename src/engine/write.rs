//! Writing: the only way to change the database, and what memory makes of it.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::OwnedRwLockWriteGuard;

use super::catalog::Catalog;
use super::changes::{Change, Changes};
use super::clock::told_until;
use super::{Engine, run_to_the_end};
use crate::domain::id::{ExecutionId, ProgramId};
use crate::domain::program::Program;
use crate::domain::time::Timestamp;
use crate::store::emulator::{self, ClockLine, EmulatorRow};
use crate::store::{Committed, StoreError, Transaction};

/// A change of the database under way. It holds the right to write, so that time, definitions and
/// executions are as they are until it ends. Dropped without a commit, it has not happened.
pub(super) struct Write {
    pub engine: Arc<Engine>,
    pub tx: Transaction,
    /// The emulated time at which it happens.
    pub now: Timestamp,
    /// The definitions before the change.
    pub catalog: Arc<Catalog>,
    /// What it changes, for those who are told after the commit.
    pub changes: Changes,
    /// The latest emulated time that it writes; none if that is stored already.
    seen_at: Option<Timestamp>,
    /// What memory takes over after the commit.
    memory: Memory,
}

/// What memory takes over after a commit.
#[derive(Default)]
struct Memory {
    definitions: Option<Catalog>,
    clock: Option<ClockLine>,
    held_at: Option<Timestamp>,
    /// The latest time that was written, for others to be told.
    told: Option<Timestamp>,
    /// The time up to which it may be told.
    told_until: Option<Timestamp>,
    /// Everything was replaced; nobody reads executions meanwhile.
    replaced: Option<(EmulatorRow, OwnedRwLockWriteGuard<()>)>,
}

impl Write {
    /// Begins, as soon as it is the caller's turn.
    #[allow(clippy::disallowed_methods, reason = "the one place that may begin")]
    pub async fn begin(engine: &Arc<Engine>) -> Result<Self, StoreError> {
        Ok(Self::new(engine, engine.database.begin().await?))
    }

    /// The same, with the database in a file attached as `imported`.
    #[allow(clippy::disallowed_methods, reason = "the one place that may begin")]
    pub async fn begin_with_attached(
        engine: &Arc<Engine>,
        path: &Path,
    ) -> Result<Self, StoreError> {
        Ok(Self::new(engine, engine.database.begin_with_attached(path).await?))
    }

    fn new(engine: &Arc<Engine>, tx: Transaction) -> Self {
        let now = engine.clock.now_to_store();
        Self {
            engine: engine.clone(),
            tx,
            now,
            catalog: engine.catalog(),
            changes: Changes::default(),
            seen_at: Some(now),
            memory: Memory::default(),
        }
    }

    /// A program to change, for [`Self::set_program`].
    pub fn find_program(&self, id: ProgramId) -> Option<Program> {
        self.catalog.find_program(id).map(|program| Program::clone(program))
    }

    /// Lets the catalog have this version of a program after the commit.
    pub fn set_program(&mut self, program: Program) -> Arc<Program> {
        let change = Change::Program(program.id);
        self.set_part(program, change)
    }

    /// The same where only a part of the program has changed.
    pub fn set_part(&mut self, program: Program, change: Change) -> Arc<Program> {
        let program = Arc::new(program);
        self.changes.add(change);
        self.set_definitions(self.catalog.with_program(program.clone()));
        program
    }

    /// Lets the catalog be this one after the commit.
    pub fn set_definitions(&mut self, catalog: Catalog) {
        self.memory.definitions = Some(catalog);
    }

    /// Lets the clock run on another line after the commit.
    pub async fn set_clock(&mut self, line: ClockLine) -> Result<(), StoreError> {
        emulator::set_clock(&mut self.tx, line).await?;
        self.see(line.base);
        let at = self.seen_at.unwrap_or(line.base);
        emulator::tell_until(&mut self.tx, told_until(line, at)).await?;
        self.memory.clock = Some(line);
        self.changes.add(Change::Clock);
        Ok(())
    }

    /// Lets the clock stand at this time after the commit, until a line is set.
    pub fn hold_clock(&mut self, at: Timestamp) {
        self.memory.held_at = Some(at);
    }

    /// Notes that something is written at a time after that of the change itself.
    pub fn see(&mut self, at: Timestamp) {
        self.seen_at = self.seen_at.max(Some(at));
    }

    /// Takes the next `count` execution identifiers; the first of them.
    pub async fn take_execution_ids(&mut self, count: u32) -> Result<ExecutionId, StoreError> {
        // The same statement stores the time: a start costs one statement less.
        let at = self.seen_at.take().unwrap_or(self.now);
        let until = self.tell_until(at);
        emulator::take_execution_ids(&mut self.tx, count, at, until).await
    }

    /// The time up to which it may be told after the commit, where something is written at `at`.
    fn tell_until(&mut self, at: Timestamp) -> Timestamp {
        let line = self.memory.clock.unwrap_or_else(|| self.engine.clock.line());
        self.memory.told = self.memory.told.max(Some(at));
        *self.memory.told_until.insert(told_until(line, at))
    }

    /// Lets no later time be told than this one, which is the time now.
    pub async fn tell_no_later(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.seen_at = None;
        emulator::see(&mut self.tx, now, now).await?;
        emulator::tell_until(&mut self.tx, now).await
    }

    /// Replaces everything that memory has, by what this has written. Executions are not read until
    /// it ends.
    pub async fn replace_everything(&mut self, row: EmulatorRow) -> Result<(), StoreError> {
        let world = self.engine.world.replace().await;
        let catalog = Catalog::load(&mut self.tx).await?;
        self.set_definitions(catalog);
        // The time of the change is one of the earlier state.
        self.seen_at = None;
        self.memory.clock = None;
        let until = told_until(row.clock, row.seen_at);
        emulator::tell_until(&mut self.tx, until).await?;
        self.memory.told_until = Some(until);
        self.memory.replaced = Some((row, world));
        self.changes.add(Change::Everything);
        Ok(())
    }

    /// Commits, lets memory follow, and tells everybody what has changed.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        if let Some(at) = self.seen_at {
            let until = self.tell_until(at);
            emulator::see(&mut self.tx, at, until).await?;
        }
        let right = self.tx.commit().await?;
        self.engine.take_over(self.memory, self.changes, right);
        Ok(())
    }
}

impl Engine {
    /// Runs a command that writes. It runs to its end even if the caller stops waiting for it: what
    /// memory makes of the database must follow each commit.
    pub(super) async fn write<T, E, F>(
        self: &Arc<Self>,
        command: impl FnOnce(Write) -> F + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Error + Send + 'static,
        F: Future<Output = Result<T, E>> + Send,
    {
        let engine = self.clone();
        run_to_the_end(self, async move { command(Write::begin(&engine).await?).await }).await
    }

    /// Lets memory follow a commit. None of it fails or waits: memory is never left behind.
    fn take_over(&self, memory: Memory, changes: Changes, _right: Committed) {
        let Memory { definitions, clock, held_at, told, told_until, replaced } = memory;
        let until = told_until.unwrap_or(Timestamp::MIN);
        self.clock.tell(told.unwrap_or(Timestamp::MIN), until);
        if let Some((EmulatorRow { clock, seen_at, .. }, _)) = &replaced {
            self.world.begin_generation();
            self.database.forget_plans();
            self.clock.replace(*clock, *seen_at, until);
        }
        if let Some(catalog) = definitions {
            self.catalog.set(catalog);
        }
        if let Some(line) = clock {
            self.clock.set_until(line, until);
        }
        if let Some(at) = held_at {
            self.clock.hold(at);
        }
        self.tally.count(changes.transitions, changes.events);
        let due = changes.due;
        self.tell(&changes.into_distinct());
        self.schedule.wake_for(due);
    }
}
