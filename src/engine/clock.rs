//! Emulated time. The only place that looks at the real clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration as RealDuration, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;

use crate::domain::time::{Duration, Timestamp};
use crate::store::emulator::ClockLine;

/// How long a lease is, in real milliseconds. A longer one costs fewer writes; after a crash, the
/// next start may skip up to this much time.
const LEASE_MILLIS: f64 = 10_000.0;

/// The pause between two checks while the clock can't go on, in real time.
const RECHECK_INTERVAL: RealDuration = RealDuration::from_secs(1);

/// The emulated clock. It runs on a line, stands still while time is being moved, and never goes
/// back, not even if the process is killed and the wall clock is set back.
///
/// For that it has a lease: it returns no time after `lease_end`, which is stored, and the next
/// start begins at the stored time. Each commit extends the lease; without commits the scheduler
/// does.
pub struct Clock {
    state: RwLock<State>,
    /// The latest time that was returned.
    last_returned: AtomicI64,
    /// The latest time that may be returned.
    lease_end: AtomicI64,
    /// Wakes the scheduler when the lease has ended before it was extended.
    lease_expired: Notify,
}

#[derive(Clone, Copy)]
struct State {
    line: ClockLine,
    /// If set, the clock stands still and returns this time.
    held_at: Option<Timestamp>,
}

impl Clock {
    /// Returns a clock on `line`, or one that begins at `lease_end` if the line is behind that.
    #[must_use]
    pub fn new(line: ClockLine, lease_end: Timestamp) -> Self {
        Self {
            state: RwLock::new(State { line: not_before(line, lease_end), held_at: None }),
            last_returned: AtomicI64::new(lease_end.as_millis()),
            lease_end: AtomicI64::new(lease_end.as_millis()),
            lease_expired: Notify::new(),
        }
    }

    /// Returns the current emulated time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        // The lock is kept until `last_returned` is updated: otherwise a time of the old line could
        // raise it again after `replace` has lowered it. `fetch_max` lets no thread get an earlier
        // time than another one before; for one atomic, any memory ordering would do.
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let now = state.held_at.unwrap_or_else(|| {
            let (now, until) = (time_on(state.line, wall_millis()), self.lease_end());
            if now > until {
                self.lease_expired.notify_one();
            }
            now.min(until)
        });
        let last_returned = self.last_returned.fetch_max(now.as_millis(), Ordering::SeqCst);
        now.max(Timestamp::from_millis(last_returned))
    }

    /// Returns the current emulated time for a write. It may be after the end of the lease, because
    /// the write stores it before anybody else sees it.
    #[must_use]
    pub fn now_to_store(&self) -> Timestamp {
        let State { line, held_at } = self.state();
        let now = held_at.unwrap_or_else(|| time_on(line, wall_millis()));
        now.max(Timestamp::from_millis(self.last_returned.load(Ordering::SeqCst)))
    }

    /// Returns the latest time that may be returned.
    fn lease_end(&self) -> Timestamp {
        Timestamp::from_millis(self.lease_end.load(Ordering::SeqCst))
    }

    /// Extends the lease after a commit, which has stored `until` and made `now` visible.
    pub fn extend_lease(&self, now: Timestamp, until: Timestamp) {
        self.last_returned.fetch_max(now.as_millis(), Ordering::SeqCst);
        self.lease_end.fetch_max(until.as_millis(), Ordering::SeqCst);
    }

    /// Returns how much real time is left until the lease must be extended, or `None` if time
    /// stands still, or if the lease lasts until the end of time. Half of a lease is kept as a
    /// reserve.
    #[must_use]
    pub fn real_time_until_renewal(&self) -> Option<RealDuration> {
        let State { line, held_at } = self.state();
        let lease_end = self.lease_end();
        if line.rate <= 0.0 || held_at.is_some() || lease_end >= Timestamp::MAX {
            return None;
        }
        let left = lease_end.since(time_on(line, wall_millis()));
        let half = RealDuration::from_secs_f64(LEASE_MILLIS / 2000.0);
        real_time(left, line.rate).map(|left| left.saturating_sub(half))
    }

    /// Waits until somebody asks for the time after the lease has ended.
    pub async fn wait_for_expired_lease(&self) {
        self.lease_expired.notified().await;
    }

    /// Returns the current line: start time, real start time and rate.
    #[must_use]
    pub fn line(&self) -> ClockLine {
        self.state().line
    }

    /// Returns the same line, counted from this moment.
    #[must_use]
    pub fn line_from_now(&self) -> ClockLine {
        self.line_from(self.now())
    }

    /// Returns a line with the same rate on which it is `base` at this moment.
    #[must_use]
    pub fn line_from(&self, base: Timestamp) -> ClockLine {
        ClockLine { base, wall_base: wall_millis(), rate: self.line().rate }
    }

    /// Runs on another line from now on.
    pub fn set(&self, line: ClockLine) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = State { line, held_at: None };
    }

    /// Runs on another line from now on, with a new lease.
    pub fn set_with_lease(&self, line: ClockLine, lease_end: Timestamp) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        *state = State { line, held_at: None };
        self.lease_end.store(lease_end.as_millis(), Ordering::SeqCst);
    }

    /// Runs on a line of another state, where `seen_at` was the latest time. Only here may time go
    /// back: the two states have nothing to do with each other.
    pub fn replace(&self, line: ClockLine, seen_at: Timestamp, lease_end: Timestamp) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        *state = State { line: not_before(line, seen_at), held_at: None };
        self.last_returned.store(seen_at.as_millis(), Ordering::SeqCst);
        self.lease_end.store(lease_end.as_millis(), Ordering::SeqCst);
    }

    /// Stops the clock at `at` until a new line is set.
    pub fn hold(&self, at: Timestamp) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).held_at = Some(at);
    }

    /// Returns whether the clock was stopped by [`Self::hold`].
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.state().held_at.is_some()
    }

    /// Returns the real time until `due`, or `None` if emulated time stands still. While the clock
    /// can't go on, because its lease has ended or the wall clock was set back, it is one second at
    /// most: the callers check again after it.
    #[must_use]
    pub fn real_time_until(&self, due: Timestamp) -> Option<RealDuration> {
        let State { line, held_at } = self.state();
        if line.rate <= 0.0 || held_at.is_some() {
            return None;
        }
        let (now, wall) = (self.now(), wall_millis());
        let on_line = time_on(line, wall);
        if on_line > self.lease_end() {
            return Some(RECHECK_INTERVAL);
        }
        let wait = real_time_on(line, wall, due)?;
        let is_set_back = wall < line.wall_base || on_line < now;
        Some(if is_set_back { wait.min(RECHECK_INTERVAL) } else { wait })
    }

    /// Returns the real time since `due`, or `None` if emulated time stands still or is being
    /// moved.
    #[must_use]
    pub fn real_time_since(&self, due: Timestamp) -> Option<RealDuration> {
        let State { line, held_at } = self.state();
        if line.rate <= 0.0 || held_at.is_some() {
            return None;
        }
        real_time(self.now().since(due), line.rate)
    }

    fn state(&self) -> State {
        *self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the line, or one that begins at `seen_at` if the line is behind that. If the wall clock
/// was set back to before the line began, time goes on at once and does not wait for it.
fn not_before(line: ClockLine, seen_at: Timestamp) -> ClockLine {
    let wall_base = wall_millis();
    if time_on(line, wall_base) < seen_at {
        ClockLine { base: seen_at, wall_base, ..line }
    } else {
        ClockLine { wall_base: line.wall_base.min(wall_base), ..line }
    }
}

/// Returns the end of a lease that begins at `at` on a line.
#[must_use]
pub fn lease_end(line: ClockLine, at: Timestamp) -> Timestamp {
    let from = time_on(not_before(line, at), wall_millis());
    #[allow(clippy::cast_possible_truncation, reason = "the cast saturates")]
    let lease = (line.rate * LEASE_MILLIS) as i64;
    Timestamp::from_millis(from.as_millis().saturating_add(lease))
}

/// Returns the emulated time at a wall-clock time. Before the line begins, it is the line's base.
fn time_on(line: ClockLine, wall: i64) -> Timestamp {
    let elapsed = wall.saturating_sub(line.wall_base).max(0);
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "milliseconds stay far below 2^53, and the cast saturates"
    )]
    let emulated = (elapsed as f64 * line.rate) as i64;
    Timestamp::from_millis(line.base.as_millis().saturating_add(emulated))
}

/// Returns how much real time passes from a wall-clock time until a line reaches `due`, or `None` if
/// that is too long to tell.
fn real_time_on(line: ClockLine, wall: i64, due: Timestamp) -> Option<RealDuration> {
    #[allow(clippy::cast_precision_loss, reason = "milliseconds stay far below 2^53")]
    let (emulated, wall) =
        (due.since(line.base).as_millis() as f64, line.wall_base.saturating_sub(wall) as f64);
    RealDuration::try_from_secs_f64(((emulated / line.rate + wall) / 1000.0).max(0.0)).ok()
}

/// Returns how much real time a length of emulated time takes, or `None` if that is too long to
/// tell.
fn real_time(emulated: Duration, rate: f64) -> Option<RealDuration> {
    #[allow(clippy::cast_precision_loss, reason = "milliseconds stay far below 2^53")]
    let seconds = emulated.as_millis() as f64 / rate / 1000.0;
    RealDuration::try_from_secs_f64(seconds).ok()
}

/// Returns whether a clock can run at this rate: emulated milliseconds for each real one.
#[must_use]
pub fn is_rate(rate: f64) -> bool {
    (0.0..=1_000_000.0).contains(&rate)
}

/// Returns the real time, milliseconds since the Unix epoch.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "the one place that may ask")]
pub fn wall_millis() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(base: i64, wall_base: i64, rate: f64) -> ClockLine {
        ClockLine { base: Timestamp::from_millis(base), wall_base, rate }
    }

    #[test]
    fn time_runs_at_its_rate() {
        for (rate, expected) in [(1.0, 1_500), (0.0, 1_000), (1000.0, 501_000), (0.5, 1_250)] {
            assert_eq!(time_on(line(1_000, 100, rate), 600).as_millis(), expected, "{rate}");
        }
    }

    #[test]
    fn time_stands_when_the_wall_clock_is_set_back() {
        assert_eq!(time_on(line(1_000, 100, 1.0), 50).as_millis(), 1_000);
    }

    #[test]
    fn time_never_goes_back() {
        let clock = Clock::new(line(5_000, wall_millis(), 0.0), Timestamp::from_millis(7_000));
        assert_eq!(clock.now().as_millis(), 7_000);
        clock.hold(Timestamp::from_millis(9_000));
        assert_eq!(clock.now().as_millis(), 9_000);
        clock.set(line(1, wall_millis(), 0.0));
        assert_eq!(clock.now().as_millis(), 9_000);
    }

    #[test]
    fn no_time_is_told_that_is_not_stored() {
        let wall = wall_millis();
        let clock = Clock::new(line(0, wall - 60_000, 1.0), Timestamp::from_millis(5_000));
        assert_eq!(clock.now().as_millis(), 5_000);
        assert!(clock.now_to_store().as_millis() >= 60_000);
        clock.extend_lease(Timestamp::MIN, Timestamp::from_millis(20_000));
        assert_eq!(clock.now().as_millis(), 20_000);
        assert_eq!(clock.real_time_until_renewal(), Some(RealDuration::ZERO));
        // After a kill, whatever the wall clock says.
        let clock = Clock::new(line(0, wall + 60_000, 1.0), Timestamp::from_millis(20_000));
        assert_eq!(clock.now().as_millis(), 20_000);
    }

    #[test]
    fn the_lease_grows_with_the_rate() {
        let wall = wall_millis();
        for (rate, expected) in [(0.0, 1_000), (1.0, 11_000), (1000.0, 10_001_000)] {
            let until = lease_end(line(1_000, wall + 60_000, rate), Timestamp::from_millis(1_000));
            assert_eq!(until.as_millis(), expected, "{rate}");
        }
    }

    #[test]
    fn extreme_rates_stay_within_what_can_be_written() {
        assert_eq!(time_on(line(1_000, 0, f64::MAX), i64::MAX), Timestamp::MAX);
    }

    #[test]
    fn waiting_scales_with_the_rate() {
        let clock = Clock::new(line(0, wall_millis(), 1000.0), Timestamp::EPOCH);
        clock.set_with_lease(line(0, wall_millis(), 1000.0), Timestamp::MAX);
        let wait = clock.real_time_until(Timestamp::from_millis(600_000_000)).unwrap();
        let expected = RealDuration::from_secs(590)..=RealDuration::from_mins(10);
        assert!(expected.contains(&wait), "{wait:?}");
        clock.set(line(0, wall_millis(), 0.0));
        assert_eq!(clock.real_time_until(Timestamp::from_millis(60_000)), None);
    }

    #[test]
    fn nothing_is_due_soon_while_the_wall_clock_is_set_back() {
        let hour = 3_600_000;
        // Before the line began.
        let clock = Clock::new(line(0, wall_millis(), 1.0), Timestamp::EPOCH);
        clock.set_with_lease(line(hour, wall_millis() + hour, 1.0), Timestamp::MAX);
        assert_eq!(clock.now(), Timestamp::from_millis(hour));
        assert_eq!(clock.real_time_until(Timestamp::from_millis(hour + 1)), Some(RECHECK_INTERVAL));
        // After the line began, but before a time that was returned.
        clock.set(line(0, wall_millis(), 1.0));
        clock.extend_lease(Timestamp::from_millis(hour), Timestamp::MAX);
        assert_eq!(clock.real_time_until(Timestamp::from_millis(hour + 1)), Some(RECHECK_INTERVAL));
    }

    #[test]
    fn a_lease_until_the_end_of_time_is_not_extended() {
        let end = Timestamp::MAX.as_millis();
        for base in [end - 5_000, end] {
            let line = line(base, wall_millis(), 1.0);
            let clock = Clock::new(line, lease_end(line, line.base));
            assert_eq!(clock.real_time_until_renewal(), None, "{base}");
        }
    }
}
