//! The scheduler: it handles everything that is due, in batches, and moves the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration as RealDuration;

use tokio::sync::{Mutex, MutexGuard, Notify};

use super::save::Changed;
use crate::domain::execution::machine::{self, Effects};
use crate::domain::time::{Duration, Timestamp};
use crate::engine::changes::{Change, StepLog};
use crate::engine::write::Write;
use crate::engine::{Engine, Worker, run_to_the_end};
use crate::store::StoreError;
use crate::store::emulator::ClockLine;
use crate::store::executions::{self, Due, InvalidExecution};

/// How long a sleep takes at most, in real time. Sleeping measures time by another clock than the
/// wall clock, which may be set meanwhile; so what is due is checked at least this often.
pub(in crate::engine) const LONGEST_SLEEP: RealDuration = RealDuration::from_mins(1);

/// The pause after the database failed, in real time. It doubles with each further failure.
const RECOVERY: RealDuration = RealDuration::from_secs(1);

/// The longest pause: half of the clock's lease, so that time soon goes on when the database works
/// again.
const LONGEST_RECOVERY: RealDuration = RealDuration::from_secs(5);

/// Where to move the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// That much later.
    By(Duration),
    /// To that time.
    To(Timestamp),
    /// To the time at which the next execution is due.
    NextDue,
}

/// Why the clock was not moved.
#[derive(Debug, thiserror::Error)]
pub enum AdvanceError {
    /// The time is over.
    #[error("the clock can only move forward; it is already {0}")]
    Backward(Timestamp),
    /// The time can't be written.
    #[error("the clock can't be moved beyond {}", Timestamp::MAX)]
    TooFar,
    /// The emulator stops.
    #[error("The emulator is shutting down; the clock was moved to {0} and continues from there")]
    Stopping(Timestamp),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What happened while the clock was moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// How many times a step changed its status.
    pub transitions: u64,
    /// How many events were recorded for subscribers.
    pub events: u64,
}

/// Coordinates the scheduler with those who set or move the clock.
pub(in crate::engine) struct Schedule {
    /// Locked while time is moved. Between two batches others may write, but not move time.
    turn: Mutex<()>,
    /// When the scheduler is going to wake, in emulated milliseconds.
    wakes_at: AtomicI64,
    /// Wakes the scheduler before that.
    nudge: Notify,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { turn: Mutex::default(), wakes_at: AtomicI64::new(i64::MAX), nudge: Notify::new() }
    }
}

impl Schedule {
    /// Waits until nobody else moves time. The scheduler and all calls that set or move the clock
    /// use this, so that only one of them runs at a time.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Wakes the scheduler.
    pub fn wake(&self) {
        self.nudge.notify_one();
    }

    /// Wakes the scheduler if something is due before it is going to wake.
    pub fn wake_for(&self, due: Option<Timestamp>) {
        if due.is_some_and(|due| due.as_millis() < self.wakes_at.load(Ordering::SeqCst)) {
            self.wake();
        }
    }
}

/// Holds the clock while it is moved. If the move fails, dropping this lets time go on from the
/// last moment that was committed.
struct Held<'a>(&'a Engine);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let Self(engine) = self;
        if engine.clock.is_held() {
            engine.clock.set(engine.clock.line_from_now());
            engine.notify(&[Change::Clock]);
        }
    }
}

impl Engine {
    /// Processes everything that is due now, or as much as possible before the emulator stops.
    /// Returns when the next change is due.
    pub async fn settle_due(self: &Arc<Self>) -> Result<Option<Timestamp>, StoreError> {
        let _turn = self.schedule.turn().await;
        let mut log = StepLog::default();
        let settled = self.settle_batches(&mut log).await;
        // If a batch fails, the ones before it are committed.
        log.write();
        settled
    }

    async fn settle_batches(
        self: &Arc<Self>,
        log: &mut StepLog,
    ) -> Result<Option<Timestamp>, StoreError> {
        loop {
            let next = self.find_next_due().await?;
            let Some(due) = next.filter(|due| *due <= self.now() && !self.is_stopping()) else {
                return Ok(next);
            };
            if let Some(lateness) = self.clock.real_time_since(due) {
                self.counters.record_lateness(lateness);
            }
            let mut write = Write::begin(self).await?;
            let now = write.now;
            if write.settle_batch(now).await?.is_some() {
                let steps = std::mem::take(&mut write.changes.steps);
                write.commit().await?;
                log.append(steps);
            }
        }
    }

    /// Sets how fast emulated time runs from now on.
    pub async fn set_clock_rate(self: &Arc<Self>, rate: f64) -> Result<(), StoreError> {
        let engine = self.clone();
        run_to_the_end(self, async move {
            let _turn = engine.schedule.turn().await;
            // No caller may see a time after the one at which the new rate begins.
            engine.clock.hold(engine.now());
            let _held = Held(&engine);
            let mut write = Write::begin(&engine).await?;
            write.set_clock(ClockLine { rate, ..engine.clock.line_from_now() }).await?;
            write.commit().await
        })
        .await
    }

    /// Moves the clock forward. When this returns, every change due up to the target was applied at
    /// its own time. The move continues even if the caller disconnects.
    pub async fn advance_clock(
        self: &Arc<Self>,
        destination: Destination,
    ) -> Result<Settled, AdvanceError> {
        let engine = self.clone();
        run_to_the_end(self, async move { engine.do_advance_clock(destination).await }).await
    }

    async fn do_advance_clock(
        self: &Arc<Self>,
        destination: Destination,
    ) -> Result<Settled, AdvanceError> {
        let _turn = self.schedule.turn().await;
        let now = self.now();
        let target = match destination {
            Destination::By(duration) => now.checked_add(duration).ok_or(AdvanceError::TooFar)?,
            Destination::To(time) if time > Timestamp::MAX => return Err(AdvanceError::TooFar),
            Destination::To(time) if time < now => return Err(AdvanceError::Backward(now)),
            Destination::To(time) => time,
            Destination::NextDue => self.find_next_due().await?.map_or(now, |due| due.max(now)),
        };
        self.clock.hold(now);
        let _held = Held(self);
        let mut log = StepLog::default();
        let settled = self.move_clock(target, &mut log).await;
        log.write();
        settled
    }

    async fn move_clock(
        self: &Arc<Self>,
        target: Timestamp,
        log: &mut StepLog,
    ) -> Result<Settled, AdvanceError> {
        let mut settled = Settled::default();
        loop {
            // Commands take their turn between batches, at the time that a batch has reached.
            let mut write = Write::begin(self).await?;
            let reached = write.settle_batch(target).await?;
            settled.transitions += write.changes.transitions;
            settled.events += write.changes.events;
            if let Some(reached) = reached {
                write.hold_clock(reached);
                let steps = std::mem::take(&mut write.changes.steps);
                write.commit().await?;
                log.append(steps);
                if self.is_stopping() {
                    return Err(AdvanceError::Stopping(reached));
                }
            } else {
                // In the same transaction that found nothing due: a command in between could start
                // something that is due before the target.
                write.set_clock(self.clock.line_from(target)).await?;
                write.commit().await?;
                return Ok(settled);
            }
        }
    }

    /// Handles what falls due, until the engine stops.
    pub async fn run_scheduler(self: &Arc<Self>) {
        let mut recovery = RECOVERY;
        loop {
            // Listening begins before the read, so that no change in between is missed. Until the
            // next due time is known, every change wakes the scheduler (`i64::MAX`).
            self.schedule.wakes_at.store(i64::MAX, Ordering::SeqCst);
            let nudged = self.schedule.nudge.notified();
            tokio::pin!(nudged);
            nudged.as_mut().enable();
            let settled = self.settle_and_recover().await;
            self.note_work(Worker::Scheduler, &settled);
            match settled {
                Ok(due) => {
                    recovery = RECOVERY;
                    let wakes_at = due.map_or(i64::MAX, Timestamp::as_millis);
                    self.schedule.wakes_at.store(wakes_at, Ordering::SeqCst);
                    tokio::select! {
                        () = &mut nudged => {}
                        () = self.sleep_until(due) => {}
                        () = tokio::time::sleep(self.time_until_renewal()) => {}
                        () = self.clock.wait_for_expired_lease() => {}
                        () = self.wait_for_stop() => return,
                    }
                }
                Err(error) => {
                    {
                        let error: &dyn std::error::Error = &error;
                        tracing::error!(error, "the scheduler failed; it tries again");
                    }
                    // No `nudged` here: every write that fails wakes the scheduler, also its own.
                    // It would try again without a pause.
                    tokio::select! {
                        () = tokio::time::sleep(recovery) => {}
                        () = self.wait_for_stop() => return,
                    }
                    recovery = (2 * recovery).min(LONGEST_RECOVERY);
                }
            }
        }
    }

    /// Returns how much real time is left until the clock's lease must be extended.
    fn time_until_renewal(&self) -> RealDuration {
        self.clock.real_time_until_renewal().unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP)
    }

    /// Handles everything that is due now. If the last write failed, it also makes one, to find out
    /// whether the database works again. A commit that succeeds clears the trouble.
    async fn settle_and_recover(self: &Arc<Self>) -> Result<Option<Timestamp>, StoreError> {
        let settled = async {
            if self.time_until_renewal().is_zero() {
                // An empty commit extends the clock's lease, as every commit does.
                Write::begin(self).await?.commit().await?;
            }
            let due = self.settle_due().await?;
            if self.trouble().is_some() {
                Write::begin(self).await?.commit().await?;
            }
            Ok(due)
        };
        settled.await.map_err(|error| self.explain(error))
    }
}

impl Write {
    /// Handles the executions that are due first, none after `target`. Returns the time up to which
    /// everything has been processed, or `None` if nothing is due.
    ///
    /// A batch ends just before the first execution that did not fit into it. If it went on to
    /// `target`, its later events would be recorded before earlier ones of the next batch.
    async fn settle_batch(&mut self, target: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let Engine { database, options, .. } = &*self.engine;
        let batch = options.batch.get() as usize;
        let mut due = executions::list_due(database, &mut self.tx, target, batch + 1).await?;
        let Some(first) = due.first().map(|due| due.due_at) else { return Ok(None) };
        let until = match due.get(batch).map(|due| due.due_at) {
            None => target,
            // More is due at one time than fits into a batch. The others come next, at the same
            // time.
            Some(next) if next <= first => first,
            Some(next) => Timestamp::from_millis(next.as_millis() - 1),
        };
        due.truncate(batch);
        due.retain(|due| due.due_at <= until);
        self.run_due(due, until).await?;
        // The caller looks for what is due next itself, so nobody has to wake the scheduler.
        self.changes.due = None;
        self.record_time(until);
        Ok(Some(until))
    }

    /// Applies what is due to these executions and saves them. Afterwards no row is due at or
    /// before `until`, even if a row is invalid: otherwise every further batch would find it again.
    async fn run_due(&mut self, due: Vec<Due>, until: Timestamp) -> Result<(), StoreError> {
        let mut changed = Vec::with_capacity(due.len());
        for Due { due_at: _, execution } in due {
            match execution {
                Ok(mut execution) => {
                    let mut effects = Effects::default();
                    machine::run_until(&mut execution, until, &mut effects);
                    changed.push(Changed::by_time(execution, effects));
                }
                Err(invalid) => {
                    let InvalidExecution { id, problem, .. } = &invalid;
                    tracing::error!(
                        problem,
                        "the execution {id} is invalid; the scheduler ignores it from now on"
                    );
                    self.set_aside(invalid).await?;
                }
            }
        }
        self.save(changed, until).await
    }
}
