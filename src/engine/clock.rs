//! Emulated time. The only place that looks at the real clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration as RealDuration, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;

use crate::domain::time::{Duration, Timestamp};
use crate::store::emulator::ClockLine;

/// How far ahead of the time that is told the time is stored up to which it may be told, in real
/// milliseconds.
const LEAD: f64 = 10_000.0;

/// A clock that runs on a line, stands still while time is being moved, and never goes back: not even
/// after the process was killed and the wall clock set back. For that, it tells no time after one
/// that is stored, `told_until`; each commit stores a later one, and so does the scheduler in time.
pub struct Clock {
    state: RwLock<State>,
    /// The latest time that anybody was told.
    told: AtomicI64,
    /// The latest time that may be told.
    told_until: AtomicI64,
    /// Somebody could not be told the time because it was not stored in time.
    ran_out: Notify,
}

#[derive(Clone, Copy)]
struct State {
    line: ClockLine,
    /// While set, it is that time for everybody.
    held_at: Option<Timestamp>,
}

impl Clock {
    /// A clock on `line`, or from `told_until` on where the line has not come so far.
    #[must_use]
    pub fn new(line: ClockLine, told_until: Timestamp) -> Self {
        Self {
            state: RwLock::new(State { line: not_before(line, told_until), held_at: None }),
            told: AtomicI64::new(told_until.as_millis()),
            told_until: AtomicI64::new(told_until.as_millis()),
            ran_out: Notify::new(),
        }
    }

    /// The current emulated time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        // What was told is kept under the same lock: nobody tells a time of a line that is gone.
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let now = state.held_at.unwrap_or_else(|| {
            let (now, until) = (time_on(state.line, wall_millis()), self.told_until());
            if now > until {
                self.ran_out.notify_one();
            }
            now.min(until)
        });
        let told = self.told.fetch_max(now.as_millis(), Ordering::SeqCst);
        now.max(Timestamp::from_millis(told))
    }

    /// The current emulated time for somebody who stores it before telling it.
    #[must_use]
    pub fn now_to_store(&self) -> Timestamp {
        let State { line, held_at } = self.state();
        let now = held_at.unwrap_or_else(|| time_on(line, wall_millis()));
        now.max(Timestamp::from_millis(self.told.load(Ordering::SeqCst)))
    }

    /// The latest time that may be told.
    fn told_until(&self) -> Timestamp {
        Timestamp::from_millis(self.told_until.load(Ordering::SeqCst))
    }

    /// This time is told now, and the other one stored: it may be told up to then.
    pub fn tell(&self, now: Timestamp, until: Timestamp) {
        self.told.fetch_max(now.as_millis(), Ordering::SeqCst);
        self.told_until.fetch_max(until.as_millis(), Ordering::SeqCst);
    }

    /// How long it really takes until a later time has to be stored; for ever if time stands still.
    #[must_use]
    pub fn real_time_to_spare(&self) -> Option<RealDuration> {
        let State { line, held_at } = self.state();
        if line.rate <= 0.0 || held_at.is_some() {
            return None;
        }
        let left = self.told_until().since(time_on(line, wall_millis()));
        let half = RealDuration::from_secs_f64(LEAD / 2000.0);
        real_time(left, line.rate).map(|left| left.saturating_sub(half))
    }

    /// Waits until somebody could not be told the time because it was not stored in time.
    pub async fn wait_for_lack(&self) {
        self.ran_out.notified().await;
    }

    /// The line that it runs on.
    #[must_use]
    pub fn line(&self) -> ClockLine {
        self.state().line
    }

    /// The same line, counted from this moment.
    #[must_use]
    pub fn line_from_now(&self) -> ClockLine {
        self.line_from(self.now())
    }

    /// A line with the same rate on which it is `base` at this moment.
    #[must_use]
    pub fn line_from(&self, base: Timestamp) -> ClockLine {
        ClockLine { base, wall_base: wall_millis(), rate: self.line().rate }
    }

    /// Runs on another line from now on.
    pub fn set(&self, line: ClockLine) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = State { line, held_at: None };
    }

    /// The same with the time that is stored with the line.
    pub fn set_until(&self, line: ClockLine, told_until: Timestamp) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        *state = State { line, held_at: None };
        self.told_until.store(told_until.as_millis(), Ordering::SeqCst);
    }

    /// Runs on a line of another state, where `seen_at` was the latest time; it may be earlier.
    pub fn replace(&self, line: ClockLine, seen_at: Timestamp, told_until: Timestamp) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        *state = State { line: not_before(line, seen_at), held_at: None };
        self.told.store(seen_at.as_millis(), Ordering::SeqCst);
        self.told_until.store(told_until.as_millis(), Ordering::SeqCst);
    }

    /// Stands at `at` until a line is set.
    pub fn hold(&self, at: Timestamp) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).held_at = Some(at);
    }

    /// Whether it stands until a line is set.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.state().held_at.is_some()
    }

    /// How long it really takes until it is `due`; for ever if time stands still.
    #[must_use]
    pub fn real_time_until(&self, due: Timestamp) -> Option<RealDuration> {
        let State { line, held_at } = self.state();
        if line.rate <= 0.0 || held_at.is_some() {
            return None;
        }
        let now = self.now();
        if time_on(line, wall_millis()) > self.told_until() {
            // It goes on when something can be stored again.
            return Some(RealDuration::from_secs(1));
        }
        real_time(due.since(now), line.rate)
    }

    /// How long it really is since it was `due`; unknown if time stands still or is being moved.
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

/// The line, or one from `seen_at` on where it has not come so far. Time goes on from now on where
/// the wall clock was set back.
fn not_before(line: ClockLine, seen_at: Timestamp) -> ClockLine {
    let wall_base = wall_millis();
    if time_on(line, wall_base) < seen_at {
        ClockLine { base: seen_at, wall_base, ..line }
    } else {
        ClockLine { wall_base: line.wall_base.min(wall_base), ..line }
    }
}

/// The time up to which it may be told when it is told on a line from `at` on.
#[must_use]
pub fn told_until(line: ClockLine, at: Timestamp) -> Timestamp {
    let from = time_on(not_before(line, at), wall_millis());
    #[allow(clippy::cast_possible_truncation, reason = "the cast saturates")]
    let lead = (line.rate * LEAD) as i64;
    Timestamp::from_millis(from.as_millis().saturating_add(lead))
}

/// The emulated time at a wall-clock time; where the wall clock was set back, time stands.
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

/// How long a length of emulated time really takes; for ever if it can't be said.
fn real_time(emulated: Duration, rate: f64) -> Option<RealDuration> {
    #[allow(clippy::cast_precision_loss, reason = "milliseconds stay far below 2^53")]
    let seconds = emulated.as_millis() as f64 / rate / 1000.0;
    RealDuration::try_from_secs_f64(seconds).ok()
}

/// Whether a clock can run at this rate: emulated milliseconds for each real one.
#[must_use]
pub fn is_rate(rate: f64) -> bool {
    (0.0..=1_000_000.0).contains(&rate)
}

/// The real time, milliseconds since the Unix epoch.
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
        clock.tell(Timestamp::MIN, Timestamp::from_millis(20_000));
        assert_eq!(clock.now().as_millis(), 20_000);
        assert_eq!(clock.real_time_to_spare(), Some(RealDuration::ZERO));
        // After a kill, whatever the wall clock says.
        let clock = Clock::new(line(0, wall + 60_000, 1.0), Timestamp::from_millis(20_000));
        assert_eq!(clock.now().as_millis(), 20_000);
    }

    #[test]
    fn the_lead_grows_with_the_rate() {
        let wall = wall_millis();
        for (rate, expected) in [(0.0, 1_000), (1.0, 11_000), (1000.0, 10_001_000)] {
            let until = told_until(line(1_000, wall + 60_000, rate), Timestamp::from_millis(1_000));
            assert_eq!(until.as_millis(), expected, "{rate}");
        }
    }

    #[test]
    fn extreme_rates_stay_within_what_can_be_written() {
        assert_eq!(time_on(line(1_000, 0, f64::MAX), i64::MAX), Timestamp::MAX);
    }

    #[test]
    fn waiting_scales_with_the_rate() {
        let clock = Clock::new(line(0, i64::MAX, 1000.0), Timestamp::from_millis(0));
        clock.set_until(line(0, i64::MAX, 1000.0), Timestamp::MAX);
        let wait = clock.real_time_until(Timestamp::from_millis(60_000)).unwrap();
        assert_eq!(wait, RealDuration::from_millis(60));
        clock.set(line(0, i64::MAX, 0.0));
        assert_eq!(clock.real_time_until(Timestamp::from_millis(60_000)), None);
    }
}
