//! Writing: the only way to change the database and the state in memory that follows it.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::OwnedRwLockWriteGuard;

use super::catalog::Catalog;
use super::changes::{Change, Changes};
use super::clock::lease_end;
use super::{Engine, run_to_the_end};
use crate::domain::id::{ExecutionId, ProgramId};
use crate::domain::program::Program;
use crate::domain::time::Timestamp;
use crate::git::Generation;
use crate::store::emulator::{self, ClockLine, EmulatorRow};
use crate::store::executions::{self, InvalidExecution};
use crate::store::{Committed, StoreError, Transaction, plans};

/// A write transaction with the state that memory takes over after the commit. It holds the only
/// right to write, so definitions and executions don't change until it ends. If it is dropped
/// without a commit, nothing has happened.
pub(super) struct Write {
    pub engine: Arc<Engine>,
    pub tx: Transaction,
    /// The emulated time at which it happens.
    pub now: Timestamp,
    /// The definitions before the change.
    pub catalog: Arc<Catalog>,
    /// What it changes. It is announced after the commit.
    pub changes: Changes,
    /// The latest emulated time that it writes, or `None` if that is stored already. A restart
    /// begins at or after the stored time, so that time never goes back.
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
    /// The latest time that was written; others may see it after the commit.
    last_returned: Option<Timestamp>,
    /// The new end of the clock's lease.
    lease_end: Option<Timestamp>,
    /// Plans were removed; nobody reads executions meanwhile.
    world: Option<OwnedRwLockWriteGuard<()>>,
    /// Everything was replaced.
    replaced: Option<EmulatorRow>,
    /// Executions have earned tags.
    has_tags: bool,
    /// The repositories of the state that replaces everything.
    repositories: Option<Arc<Generation>>,
    /// Executions that can't be read were set aside.
    set_aside: Vec<InvalidExecution>,
}

impl Write {
    /// Begins a write as soon as it is the caller's turn.
    #[allow(clippy::disallowed_methods, reason = "the one place that may begin")]
    pub async fn begin(engine: &Arc<Engine>) -> Result<Self, StoreError> {
        Ok(Self::new(engine, engine.database.begin().await?))
    }

    /// Begins a write with the database in a file attached as `imported`.
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

    /// Returns a copy of a program to change, for [`Self::set_program`].
    pub fn find_program(&self, id: ProgramId) -> Option<Program> {
        self.catalog.find_program(id).map(|program| Program::clone(program))
    }

    /// Puts this version of a program into the catalog after the commit.
    pub fn set_program(&mut self, program: Program) -> Arc<Program> {
        let change = Change::Program(program.id);
        self.set_part(program, change)
    }

    /// Like [`Self::set_program`], where only a part of the program has changed.
    pub fn set_part(&mut self, program: Program, change: Change) -> Arc<Program> {
        let program = Arc::new(program);
        self.changes.add(change);
        self.set_definitions(self.catalog.with_program(program.clone()));
        program
    }

    /// Replaces the catalog after the commit.
    pub fn set_definitions(&mut self, catalog: Catalog) {
        self.memory.definitions = Some(catalog);
    }

    /// Sets the clock to another line after the commit.
    pub async fn set_clock(&mut self, line: ClockLine) -> Result<(), StoreError> {
        emulator::set_clock(&mut self.tx, line).await?;
        self.record_time(line.base);
        let at = self.seen_at.unwrap_or(line.base);
        emulator::set_lease_end(&mut self.tx, lease_end(line, at)).await?;
        self.memory.clock = Some(line);
        self.changes.add(Change::Clock);
        Ok(())
    }

    /// Stops the clock at this time after the commit, until a line is set.
    pub fn hold_clock(&mut self, at: Timestamp) {
        self.memory.held_at = Some(at);
    }

    /// Lets the scheduler ignore an execution that can't be read.
    pub async fn set_aside(&mut self, invalid: InvalidExecution) -> Result<(), StoreError> {
        executions::set_aside(&mut self.tx, invalid.id).await?;
        self.memory.set_aside.push(invalid);
        Ok(())
    }

    /// Notes that something is written at a time after that of the change itself.
    pub fn record_time(&mut self, at: Timestamp) {
        self.seen_at = self.seen_at.max(Some(at));
    }

    /// Takes the next `count` execution identifiers and returns the first of them.
    pub async fn take_execution_ids(&mut self, count: u32) -> Result<ExecutionId, StoreError> {
        // The same statement stores the time: a start costs one statement less.
        let at = self.seen_at.take().unwrap_or(self.now);
        let until = self.next_lease_end(at);
        emulator::take_execution_ids(&mut self.tx, count, at, until).await
    }

    /// Returns the end of the clock's lease after the commit, when something is written at `at`.
    fn next_lease_end(&mut self, at: Timestamp) -> Timestamp {
        let line = self.memory.clock.unwrap_or_else(|| self.engine.clock.line());
        self.memory.last_returned = self.memory.last_returned.max(Some(at));
        *self.memory.lease_end.insert(lease_end(line, at))
    }

    /// Ends the clock's lease now: after a regular stop, the next start skips no time.
    pub async fn end_lease(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.seen_at = None;
        emulator::record_time(&mut self.tx, now, now).await?;
        emulator::set_lease_end(&mut self.tx, now).await
    }

    /// Wakes the tagger after the commit.
    pub fn wake_tagger(&mut self) {
        self.memory.has_tags = true;
    }

    /// Replaces the whole state in memory by what this has written, with the repositories of a
    /// generation. Nobody reads executions until the write ends.
    pub async fn replace_everything(
        &mut self,
        row: EmulatorRow,
        repositories: Arc<Generation>,
    ) -> Result<(), StoreError> {
        emulator::set_git_generation(&mut self.tx, repositories.number()).await?;
        self.memory.repositories = Some(repositories);
        self.memory.has_tags = true;
        self.lock_out_readers().await;
        let catalog = Catalog::load(&mut self.tx).await?;
        self.set_definitions(catalog);
        // `seen_at` is a time of the replaced state, which must not be stored in the new one.
        self.seen_at = None;
        self.memory.clock = None;
        let until = lease_end(row.clock, row.seen_at);
        emulator::set_lease_end(&mut self.tx, until).await?;
        self.memory.lease_end = Some(until);
        self.memory.replaced = Some(row);
        self.changes.add(Change::Everything);
        Ok(())
    }

    /// Removes those of the given plans that no execution uses any more. If there are any, nobody
    /// reads executions until this write ends: a reader may have read the row of an execution and
    /// not yet its plan.
    pub async fn purge_plans(&mut self, plans: &BTreeSet<i64>) -> Result<(), StoreError> {
        let unused = plans::list_unused(&mut self.tx, plans).await?;
        if !unused.is_empty() {
            self.lock_out_readers().await;
            plans::delete(&mut self.tx, &unused).await?;
        }
        Ok(())
    }

    /// Waits until nobody reads executions, and keeps it so until this write ends. A commit then
    /// clears the plans in memory.
    async fn lock_out_readers(&mut self) {
        if self.memory.world.is_none() {
            self.memory.world = Some(self.engine.world.replace().await);
        }
    }

    /// Commits, updates the state in memory, and announces what has changed.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        if let Some(at) = self.seen_at {
            let until = self.next_lease_end(at);
            emulator::record_time(&mut self.tx, at, until).await?;
        }
        // The right to write is kept until memory has followed: otherwise the next write could
        // begin with the old catalog, and its commit would undo this one in memory.
        let right = self.tx.commit().await?;
        self.engine.apply_committed(self.memory, self.changes, right);
        Ok(())
    }
}

impl Engine {
    /// Runs a command that writes, as a task of its own. If it ran inside the request, a caller who
    /// disconnects would drop it between the commit and the update of memory.
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

    /// Updates the state in memory after a commit. Nothing here fails or waits, so memory is never
    /// behind the database.
    ///
    /// The order matters: catalog and clock must be new before anybody is woken and reads them.
    fn apply_committed(&self, memory: Memory, mut changes: Changes, _right: Committed) {
        let Memory { definitions, clock, held_at, last_returned, lease_end, .. } = memory;
        let Memory { world, replaced, set_aside, has_tags, repositories, .. } = memory;
        let until = lease_end.unwrap_or(Timestamp::MIN);
        self.clock.extend_lease(last_returned.unwrap_or(Timestamp::MIN), until);
        if world.is_some() {
            self.database.forget_plans();
        }
        if let Some(EmulatorRow { clock, seen_at, .. }) = &replaced {
            self.world.begin_generation();
            self.clock.replace(*clock, *seen_at, until);
            self.problems.clear_executions();
        }
        if let Some(repositories) = repositories {
            self.git.set_current(&repositories);
        }
        if has_tags {
            self.tagging.notify_one();
        }
        self.problems.set_aside(set_aside);
        if let Some(catalog) = definitions {
            self.problems.retain_known(&catalog);
            self.catalog.set(catalog);
        }
        if let Some(line) = clock {
            self.clock.set_with_lease(line, until);
        }
        if let Some(at) = held_at {
            self.clock.hold(at);
        }
        self.counters.record_commit(changes.transitions, changes.events);
        std::mem::take(&mut changes.steps).write();
        let due = changes.due;
        self.notify(&changes.into_distinct());
        self.schedule.wake_for(due);
    }
}
