//! The last changes, numbered, for those who follow them from outside.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration as RealDuration;

use tokio::sync::Notify;

use super::Change;
use crate::engine::Engine;
use crate::engine::clock::wall_millis;

/// How many changes are kept.
const MOST: usize = 10_000;

/// How many changes of one commit are told one by one. Beyond that everything is said to have
/// changed: reading all again costs less than reading so many things one after the other.
const MOST_OF_ONE_COMMIT: usize = 1000;

/// How long a follower rests after it has read, in real time. What happens meanwhile is read at
/// once, so that followers cost little however often something changes.
const REST: RealDuration = RealDuration::from_millis(100);

/// Where a change stands among all that were told. The default is the place of none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The start of the program, as the wall-clock time in milliseconds.
    pub start: i64,
    /// Counts the changes since then, from 1.
    pub number: u64,
}

/// The last changes.
pub(in crate::engine) struct Feed {
    start: i64,
    kept: Mutex<Kept>,
    more: Notify,
}

#[derive(Default)]
struct Kept {
    /// Oldest first.
    changes: VecDeque<Change>,
    /// The number of the newest.
    last: u64,
}

impl Default for Feed {
    fn default() -> Self {
        Self { start: wall_millis(), kept: Mutex::default(), more: Notify::new() }
    }
}

impl Feed {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what one commit has changed.
    pub fn add(&self, changed: &[Change]) {
        let changed =
            if changed.len() > MOST_OF_ONE_COMMIT { &[Change::Everything] } else { changed };
        {
            let mut kept = self.kept();
            kept.changes.extend(changed);
            kept.last += changed.len() as u64;
            let surplus = kept.changes.len().saturating_sub(MOST);
            kept.changes.drain(..surplus);
        }
        self.more.notify_waiters();
    }
}

impl Kept {
    /// The changes after a number; none if some of them are forgotten, or there is no such number.
    fn after(&self, number: u64) -> Option<impl Iterator<Item = (u64, Change)>> {
        let before_first = self.last - self.changes.len() as u64;
        let known = usize::try_from(number.checked_sub(before_first)?).ok()?;
        if number > self.last {
            return None;
        }
        Some((number + 1..).zip(self.changes.range(known..).copied()))
    }
}

/// What a follower reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Changes, in order.
    Changes(Vec<(Place, Change)>),
    /// Changes up to this place were missed.
    Missed(Place),
}

/// Somebody who follows all changes. Whoever reads too slowly misses some, and is told.
pub struct Follower {
    engine: Arc<Engine>,
    /// After which change it goes on.
    after: Place,
    /// Whether changes were read just now.
    has_read: bool,
}

impl Engine {
    /// Follows the changes after a place; from now on if there is none.
    #[must_use]
    pub fn follow(self: &Arc<Self>, after: Option<Place>) -> Follower {
        let feed = &self.audience.feed;
        let newest = || Place { start: feed.start, number: feed.kept().last };
        let after = after.unwrap_or_else(newest);
        Follower { engine: self.clone(), after, has_read: false }
    }
}

impl Follower {
    /// After which change it goes on.
    #[must_use]
    pub fn place(&self) -> Place {
        self.after
    }

    /// Waits for changes that are wanted.
    pub async fn next(&mut self, is_wanted: impl Fn(&Change) -> bool) -> News {
        let engine = self.engine.clone();
        loop {
            if std::mem::take(&mut self.has_read) {
                tokio::time::sleep(REST).await;
            }
            // Listening begins before reading, so that nothing between is missed.
            let more = engine.audience.feed.more.notified();
            if let Some(news) = self.read(&is_wanted) {
                return news;
            }
            if !self.has_read {
                more.await;
            }
        }
    }

    /// What is new; none if nothing of it is wanted. Most followers want few of the changes, so what
    /// they don't want is not even copied.
    fn read(&mut self, is_wanted: impl Fn(&Change) -> bool) -> Option<News> {
        let feed = &self.engine.audience.feed;
        let place = |number| Place { start: feed.start, number };
        let kept = feed.kept();
        let is_known = self.after.start == feed.start;
        let Some(changes) = kept.after(self.after.number).filter(|_| is_known) else {
            self.after = place(kept.last);
            return Some(News::Missed(self.after));
        };
        let wanted = changes.filter(|(_, change)| is_wanted(change));
        let wanted: Vec<_> = wanted.map(|(number, change)| (place(number), change)).collect();
        self.has_read = self.after.number < kept.last;
        self.after = place(kept.last);
        (!wanted.is_empty()).then_some(News::Changes(wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::ProgramId;

    fn numbers(feed: &Feed, after: u64) -> Option<Vec<u64>> {
        let kept = feed.kept();
        kept.after(after).map(|changes| changes.map(|(number, _)| number).collect())
    }

    #[test]
    fn changes_are_numbered_and_the_last_are_kept() {
        let feed = Feed::default();
        assert_eq!(numbers(&feed, 0), Some(vec![]));
        assert_eq!(numbers(&feed, 1), None, "nothing has that number yet");
        feed.add(&[Change::Clock, Change::Everything]);
        assert_eq!(numbers(&feed, 0), Some(vec![1, 2]));
        assert_eq!(numbers(&feed, 1), Some(vec![2]));
        assert_eq!(numbers(&feed, 2), Some(vec![]));
        for _ in 0..MOST {
            feed.add(&[Change::Clock]);
        }
        assert_eq!(numbers(&feed, 1), None, "it is forgotten");
        assert_eq!(numbers(&feed, 2).map(|numbers| numbers.len()), Some(MOST));
    }

    #[test]
    fn so_many_changes_of_one_commit_are_told_as_one() {
        let changes = |count: usize| -> Vec<_> {
            (0..).take(count).map(|id| Change::Program(ProgramId::new(id))).collect()
        };
        let feed = Feed::default();
        feed.add(&changes(MOST_OF_ONE_COMMIT));
        assert_eq!(feed.kept().last, 1000);
        feed.add(&changes(MOST_OF_ONE_COMMIT + 1));
        let told: Vec<_> = feed.kept().after(1000).unwrap().collect();
        assert_eq!(told, [(1001, Change::Everything)]);
    }
}
