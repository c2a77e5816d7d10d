//! The last changes, numbered, for those who follow them from outside.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration as RealDuration;

use tokio::sync::Notify;

use super::{Change, Interest};
use crate::engine::Engine;
use crate::engine::clock::wall_millis;

/// How many changes are kept.
const MOST: usize = 10_000;

/// How many changes of one commit are told one by one. Beyond that everything is said to have
/// changed: reading all again costs less than reading so many things one after the other.
const MOST_OF_ONE_COMMIT: usize = 1000;

/// How long a follower rests after it has read, in real time. What happens meanwhile is read in one
/// go, so that followers cost little however often something changes.
const REST: RealDuration = RealDuration::from_millis(100);

/// Where a change stands among all that were told. The default is the place of none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The start of the program, as the wall-clock time in milliseconds.
    pub start: i64,
    /// Counts the changes since then, from 1.
    pub number: u64,
}

/// The last changes.
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

/// Those who want the same changes. Only they are woken by one of these changes, so that followers
/// cost nothing while nothing happens that they want.
struct Group {
    interest: Interest,
    news: Arc<Notify>,
    /// The number of the last change that they want and that is forgotten.
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
        let changed = if changed.len() > MOST_OF_ONE_COMMIT {
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
            if changed.iter().any(|change| group.interest.has(change)) {
                group.news.notify_waiters();
            }
        }
    }
}

/// The one change that stands for all of these.
fn as_one(changed: &[Change]) -> Change {
    let program = changed.first().and_then(Change::program);
    let is_of_one = changed.iter().all(|change| change.program() == program);
    program.filter(|_| is_of_one).map_or(Change::Everything, Change::Many)
}

impl KeptChanges {
    /// The number of the last change that is forgotten.
    fn forgotten(&self) -> u64 {
        self.last - self.changes.len() as u64
    }

    fn forget_surplus(&mut self) {
        while self.changes.len() > MOST {
            let number = self.forgotten() + 1;
            let Some(change) = self.changes.pop_front() else { return };
            for group in &mut self.groups {
                if group.interest.has(&change) {
                    group.forgotten = number;
                }
            }
        }
    }

    /// The group that wants such changes; it comes into being with its first member.
    fn join(&mut self, interest: Interest) -> Arc<Notify> {
        // Nobody but this list holds on to a group that everybody has left.
        self.groups.retain(|group| Arc::strong_count(&group.news) > 1);
        if let Some(group) = self.groups.iter().find(|it| it.interest == interest) {
            return group.news.clone();
        }
        let news = Arc::new(Notify::new());
        let forgotten = self.forgotten();
        self.groups.push(Group { interest, news: news.clone(), forgotten });
        news
    }

    /// The changes after a number that a group wants; none if some of them are forgotten, or
    /// there is no such number.
    fn after(&self, number: u64, news: &Arc<Notify>) -> Option<Vec<(u64, Change)>> {
        let group = self.groups.iter().find(|it| Arc::ptr_eq(&it.news, news))?;
        if number < group.forgotten || number > self.last {
            return None;
        }
        let first = number.max(self.forgotten());
        let known = usize::try_from(first - self.forgotten()).ok()?;
        let changes = (first + 1..).zip(self.changes.range(known..).copied());
        Some(changes.filter(|(_, change)| group.interest.has(change)).collect())
    }
}

/// What a follower reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Changes, in order.
    Changes(Vec<(Position, Change)>),
    /// Changes up to this place were missed.
    Missed(Position),
}

/// Somebody who follows changes. Whoever reads too slowly misses some, and is told.
pub struct Follower {
    engine: Arc<Engine>,
    news: Arc<Notify>,
    /// After which change it goes on.
    after: Position,
    /// Whether changes were read just now.
    has_read: bool,
}

impl Engine {
    /// Follows the changes of interest after a place; from now on if there is none.
    #[must_use]
    pub fn follow(self: &Arc<Self>, interest: Interest, after: Option<Position>) -> Follower {
        let feed = &self.audience.feed;
        let mut kept = feed.kept();
        let news = kept.join(interest);
        let after = after.unwrap_or(Position { start: feed.start, number: kept.last });
        drop(kept);
        Follower { engine: self.clone(), news, after, has_read: false }
    }
}

impl Follower {
    /// After which change it goes on.
    #[must_use]
    pub fn place(&self) -> Position {
        self.after
    }

    /// Waits for changes.
    pub async fn next(&mut self) -> News {
        if std::mem::take(&mut self.has_read) {
            tokio::time::sleep(REST).await;
        }
        let news = self.news.clone();
        loop {
            // Listening begins before reading, so that nothing between is missed.
            let more = news.notified();
            if let Some(news) = self.read() {
                self.has_read = true;
                return news;
            }
            more.await;
        }
    }

    /// What is new, if anything is.
    fn read(&mut self) -> Option<News> {
        let feed = &self.engine.audience.feed;
        let place = |number| Position { start: feed.start, number };
        let kept = feed.kept();
        let is_known = self.after.start == feed.start;
        let changes = kept.after(self.after.number, &self.news).filter(|_| is_known);
        self.after = place(kept.last);
        let Some(changes) = changes else { return Some(News::Missed(self.after)) };
        let changes: Vec<_> =
            changes.into_iter().map(|(number, change)| (place(number), change)).collect();
        (!changes.is_empty()).then_some(News::Changes(changes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{EnvironmentId, ProgramId};
    use crate::engine::changes::ChangeType;

    fn numbers(feed: &Feed, after: u64, news: &Arc<Notify>) -> Option<Vec<u64>> {
        let changes = feed.kept().after(after, news);
        changes.map(|changes| changes.into_iter().map(|(number, _)| number).collect())
    }

    fn join(feed: &Feed, types: Option<&[ChangeType]>) -> Arc<Notify> {
        let types = types.map(<[_]>::to_vec);
        feed.kept().join(Interest { program: None, types })
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
        for _ in 0..MOST {
            feed.add(&[Change::Clock]);
        }
        assert_eq!(numbers(&feed, 1, &all), None, "it is forgotten");
        assert_eq!(numbers(&feed, 2, &all).map(|numbers| numbers.len()), Some(MOST));
    }

    #[test]
    fn what_is_forgotten_is_missed_by_those_alone_who_wanted_it() {
        let feed = Feed::default();
        let programs = join(&feed, Some(&[ChangeType::Program]));
        let clock = join(&feed, Some(&[ChangeType::Clock]));
        for _ in 0..MOST {
            feed.add(&[Change::Clock]);
        }
        feed.add(&[Change::Program(ProgramId::new(1))]);
        assert_eq!(numbers(&feed, 0, &programs), Some(vec![MOST as u64 + 1]));
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
        feed.add(&changes(MOST_OF_ONE_COMMIT));
        assert_eq!(feed.kept().last, 1000);
        feed.add(&changes(MOST_OF_ONE_COMMIT + 1));
        assert_eq!(feed.kept().after(1000, &all), Some(vec![(1001, Change::Many(program))]));
        let mut more = changes(MOST_OF_ONE_COMMIT);
        more.push(Change::Clock);
        feed.add(&more);
        assert_eq!(feed.kept().after(1001, &all), Some(vec![(1002, Change::Everything)]));
    }
}
