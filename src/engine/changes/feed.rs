//! The feed: the last changes, numbered, for clients that follow them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration as RealDuration;

use tokio::sync::Notify;

use super::{Change, ChangeFilter};
use crate::engine::Engine;
use crate::engine::clock::wall_millis;

/// How many changes are kept.
const MAX_KEPT: usize = 10_000;

/// How many changes of one commit are listed one by one. A larger commit becomes one change that
/// stands for all: reading everything again costs a client less than so many single reads.
const MAX_PER_COMMIT: usize = 1000;

/// How long a follower pauses after each read, in real time. The changes of this time are then read
/// together, so followers cost little even when changes are frequent.
const REST: RealDuration = RealDuration::from_millis(100);

/// The position of a change in the feed. The default is a position that no change has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// When the program started, as wall-clock time in milliseconds. Numbers begin again with each
    /// start, so this tells the positions of different runs apart.
    pub start: i64,
    /// Counts the changes since then, from 1.
    pub number: u64,
}

/// The feed of the last changes.
pub(in crate::engine) struct Feed {
    start: i64,
    kept: Mutex<KeptChanges>,
}

#[derive(Default)]
struct KeptChanges {
    /// Oldest first.
    changes: VecDeque<Change>,
    /// The number of the newest.
    last: u64,
    groups: Vec<Group>,
}

/// The followers with the same filter. They share one `Notify`, and only changes that match the
/// filter wake them. So followers cost nothing while nothing happens that they want.
struct Group {
    filter: ChangeFilter,
    wakeup: Arc<Notify>,
    /// The number of the last change that matched the filter and was removed from the feed.
    forgotten: u64,
}

impl Default for Feed {
    fn default() -> Self {
        Self { start: wall_millis(), kept: Mutex::default() }
    }
}

impl Feed {
    fn kept(&self) -> MutexGuard<'_, KeptChanges> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what one commit has changed.
    pub fn add(&self, changed: &[Change]) {
        let one;
        let changed = if changed.len() > MAX_PER_COMMIT {
            one = [as_one(changed)];
            &one
        } else {
            changed
        };
        let mut kept = self.kept();
        kept.changes.extend(changed);
        kept.last += changed.len() as u64;
        kept.forget_surplus();
        for group in &kept.groups {
            if changed.iter().any(|change| group.filter.matches(change)) {
                group.wakeup.notify_waiters();
            }
        }
    }
}

/// Returns the one change that stands for all of these: the program if they are all in one.
fn as_one(changed: &[Change]) -> Change {
    let program = changed.first().and_then(Change::program);
    let is_of_one = changed.iter().all(|change| change.program() == program);
    program.filter(|_| is_of_one).map_or(Change::Everything, Change::ManyInProgram)
}

impl KeptChanges {
    /// Returns the number of the last change that was removed from the feed.
    fn forgotten(&self) -> u64 {
        self.last - self.changes.len() as u64
    }

    fn forget_surplus(&mut self) {
        while self.changes.len() > MAX_KEPT {
            let number = self.forgotten() + 1;
            let Some(change) = self.changes.pop_front() else { return };
            for group in &mut self.groups {
                if group.filter.matches(&change) {
                    group.forgotten = number;
                }
            }
        }
    }

    /// Joins the group with this filter, or creates it.
    fn join(&mut self, filter: ChangeFilter) -> Arc<Notify> {
        // Each follower holds a reference. A count of 1 is this list alone: the group is empty.
        self.groups.retain(|group| Arc::strong_count(&group.wakeup) > 1);
        if let Some(group) = self.groups.iter().find(|it| it.filter == filter) {
            return group.wakeup.clone();
        }
        let wakeup = Arc::new(Notify::new());
        let forgotten = self.forgotten();
        self.groups.push(Group { filter, wakeup: wakeup.clone(), forgotten });
        wakeup
    }

    /// Returns the changes after a number that match the filter of a group, or `None` if some of
    /// them were removed or there is no such number.
    fn after(&self, number: u64, wakeup: &Arc<Notify>) -> Option<Vec<(u64, Change)>> {
        let group = self.groups.iter().find(|it| Arc::ptr_eq(&it.wakeup, wakeup))?;
        if number < group.forgotten || number > self.last {
            return None;
        }
        let first = number.max(self.forgotten());
        let known = usize::try_from(first - self.forgotten()).ok()?;
        let changes = (first + 1..).zip(self.changes.range(known..).copied());
        Some(changes.filter(|(_, change)| group.filter.matches(change)).collect())
    }
}

/// What a follower reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedUpdate {
    /// Changes, in order.
    Changes(Vec<(Position, Change)>),
    /// Changes up to this position were missed.
    Missed(Position),
}

/// Reads the feed from a position on. A follower that reads too slowly misses changes and then gets
/// [`FeedUpdate::Missed`]: commits never wait for followers.
pub struct Follower {
    engine: Arc<Engine>,
    wakeup: Arc<Notify>,
    /// The position of the last change that was read.
    after: Position,
    /// Whether the last call of `next` read something, so that a pause is due.
    has_read: bool,
}

impl Engine {
    /// Follows the changes that match a filter, after a position or else from now on.
    #[must_use]
    pub fn follow(self: &Arc<Self>, filter: ChangeFilter, after: Option<Position>) -> Follower {
        let feed = &self.notifier.feed;
        let mut kept = feed.kept();
        let wakeup = kept.join(filter);
        let after = after.unwrap_or(Position { start: feed.start, number: kept.last });
        drop(kept);
        Follower { engine: self.clone(), wakeup, after, has_read: false }
    }
}

impl Follower {
    /// Returns the position of the last change that was read.
    #[must_use]
    pub fn position(&self) -> Position {
        self.after
    }

    /// Waits for the next changes and returns them.
    pub async fn next(&mut self) -> FeedUpdate {
        if std::mem::take(&mut self.has_read) {
            tokio::time::sleep(REST).await;
        }
        let wakeup = self.wakeup.clone();
        loop {
            // `notified` is created before the read: `notify_waiters` then also wakes it for a change
            // between the read and the wait.
            let more = wakeup.notified();
            if let Some(update) = self.read() {
                self.has_read = true;
                return update;
            }
            more.await;
        }
    }

    /// Returns what is new, if anything is.
    fn read(&mut self) -> Option<FeedUpdate> {
        let feed = &self.engine.notifier.feed;
        let position = |number| Position { start: feed.start, number };
        let kept = feed.kept();
        let is_known = self.after.start == feed.start;
        let changes = kept.after(self.after.number, &self.wakeup).filter(|_| is_known);
        self.after = position(kept.last);
        let Some(changes) = changes else { return Some(FeedUpdate::Missed(self.after)) };
        let changes: Vec<_> =
            changes.into_iter().map(|(number, change)| (position(number), change)).collect();
        (!changes.is_empty()).then_some(FeedUpdate::Changes(changes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{EnvironmentId, ProgramId};
    use crate::engine::changes::ChangeType;

    fn numbers(feed: &Feed, after: u64, wakeup: &Arc<Notify>) -> Option<Vec<u64>> {
        let changes = feed.kept().after(after, wakeup);
        changes.map(|changes| changes.into_iter().map(|(number, _)| number).collect())
    }

    fn join(feed: &Feed, types: Option<&[ChangeType]>) -> Arc<Notify> {
        let types = types.map(<[_]>::to_vec);
        feed.kept().join(ChangeFilter { program: None, types })
    }

    #[test]
    fn changes_are_numbered_and_the_last_are_kept() {
        let feed = Feed::default();
        let all = join(&feed, None);
        assert_eq!(numbers(&feed, 0, &all), Some(vec![]));
        assert_eq!(numbers(&feed, 1, &all), None, "nothing has that number yet");
        feed.add(&[Change::Clock, Change::Everything]);
        assert_eq!(numbers(&feed, 0, &all), Some(vec![1, 2]));
        assert_eq!(numbers(&feed, 1, &all), Some(vec![2]));
        assert_eq!(numbers(&feed, 2, &all), Some(vec![]));
        for _ in 0..MAX_KEPT {
            feed.add(&[Change::Clock]);
        }
        assert_eq!(numbers(&feed, 1, &all), None, "it is forgotten");
        assert_eq!(numbers(&feed, 2, &all).map(|numbers| numbers.len()), Some(MAX_KEPT));
    }

    #[test]
    fn what_is_forgotten_is_missed_by_those_alone_who_wanted_it() {
        let feed = Feed::default();
        let programs = join(&feed, Some(&[ChangeType::Program]));
        let clock = join(&feed, Some(&[ChangeType::Clock]));
        for _ in 0..MAX_KEPT {
            feed.add(&[Change::Clock]);
        }
        feed.add(&[Change::Program(ProgramId::new(1))]);
        assert_eq!(numbers(&feed, 0, &programs), Some(vec![MAX_KEPT as u64 + 1]));
        assert_eq!(numbers(&feed, 0, &clock), None);
        let late = join(&feed, Some(&[ChangeType::Environment]));
        assert_eq!(numbers(&feed, 0, &late), None, "nobody knows what was forgotten before");
    }

    #[test]
    fn those_who_want_the_same_are_one_audience_while_they_are_there() {
        let feed = Feed::default();
        let (first, second) = (join(&feed, None), join(&feed, None));
        assert!(Arc::ptr_eq(&first, &second));
        drop((first, second));
        let _other = join(&feed, Some(&[]));
        assert_eq!(feed.kept().groups.len(), 1);
    }

    #[test]
    fn so_many_changes_of_one_commit_are_told_as_one() {
        let program = ProgramId::new(4);
        let changes = |count: usize| -> Vec<_> {
            let environments = (0..).map(EnvironmentId::new);
            environments.take(count).map(|id| Change::Environment(program, id)).collect()
        };
        let feed = Feed::default();
        let all = join(&feed, None);
        feed.add(&changes(MAX_PER_COMMIT));
        assert_eq!(feed.kept().last, 1000);
        feed.add(&changes(MAX_PER_COMMIT + 1));
        assert_eq!(
            feed.kept().after(1000, &all),
            Some(vec![(1001, Change::ManyInProgram(program))])
        );
        let mut more = changes(MAX_PER_COMMIT);
        more.push(Change::Clock);
        feed.add(&more);
        assert_eq!(feed.kept().after(1001, &all), Some(vec![(1002, Change::Everything)]));
    }
}
