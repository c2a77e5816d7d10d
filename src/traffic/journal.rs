//! The journal: the calls that were made last.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration as RealDuration;

use axum::http::{Method, StatusCode};

use super::faults::Injection;
use super::redact::RedactedBody;
use crate::domain::time::Timestamp;

/// How many calls are kept.
const MOST_ENTRIES: usize = 1000;

/// How much memory they take at most, in bytes.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// A call, without the tokens and secrets in it.
#[derive(Clone, Debug)]
pub struct JournalEntry {
    /// Counts the calls from 1, in the order in which they were answered.
    pub number: u64,
    /// When it came.
    pub at: Timestamp,
    /// Its method.
    pub method: Method,
    /// What it said of itself.
    pub texts: Texts,
    /// The operation that it was for; none if there is nothing at its path.
    pub operation_id: Option<Arc<str>>,
    /// The status of the answer; none if no whole answer was sent.
    pub status: Option<StatusCode>,
    /// How long it took until the answer began, in real time.
    pub took: RealDuration,
    /// What the caller sent.
    pub body: Option<RedactedBody>,
    /// What was done to it.
    pub injection: Option<Injection>,
}

/// What a call says of itself, as far as it is kept. What is empty is as good as absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said<'a> {
    /// Its path.
    pub path: &'a str,
    /// Its query string.
    pub query: &'a str,
    /// The identifier that the answer carries.
    pub request_id: &'a str,
    /// The organisation that the caller named.
    pub organisation: &'a str,
    /// The api key that the caller sent.
    pub api_key: &'a str,
}

/// What a call says of itself in one piece of memory. With five pieces for each call, allocating
/// and freeing would take longer than everything else that the journal does.
#[derive(Clone, Debug)]
pub struct Texts {
    all: Box<str>,
    /// Where each of the first four ends.
    ends: [usize; 4],
}

impl From<Said<'_>> for Texts {
    fn from(said: Said<'_>) -> Self {
        let Said { path, query, request_id, organisation, api_key } = said;
        let mut end = 0;
        let ends = [path, query, request_id, organisation].map(|text| {
            end += text.len();
            end
        });
        Self { all: [path, query, request_id, organisation, api_key].concat().into(), ends }
    }
}

impl Texts {
    /// What was said.
    #[must_use]
    pub fn get(&self) -> Said<'_> {
        let [path, query, request_id, organisation] = self.ends;
        Said {
            path: &self.all[..path],
            query: &self.all[path..query],
            request_id: &self.all[query..request_id],
            organisation: &self.all[request_id..organisation],
            api_key: &self.all[organisation..],
        }
    }
}

/// Which calls are meant; those that have everything that is given.
#[derive(Clone, Debug, Default)]
pub struct CallFilter {
    /// The method.
    pub method: Option<Method>,
    /// The path, or its beginning and a `*`.
    pub path: Option<String>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The operation.
    pub operation_id: Option<String>,
    /// The earliest time.
    pub since: Option<Timestamp>,
}

impl CallFilter {
    fn fits(&self, entry: &JournalEntry) -> bool {
        let Self { method, path, status, operation_id, since } = self;
        method.as_ref().is_none_or(|method| *method == entry.method)
            && path.as_deref().is_none_or(|path| match path.strip_suffix('*') {
                Some(beginning) => entry.texts.get().path.starts_with(beginning),
                None => entry.texts.get().path == path,
            })
            && status.is_none_or(|status| entry.status.is_some_and(|it| it.as_u16() == status))
            && operation_id.as_ref().is_none_or(|id| entry.operation_id.as_deref() == Some(id))
            && since.is_none_or(|since| entry.at >= since)
    }
}

impl JournalEntry {
    /// About how much memory it takes.
    fn size(&self) -> usize {
        let body = self.body.as_ref().map_or(0, |body| body.text.len());
        size_of::<Self>() + self.texts.all.len() + body
    }
}

/// The calls that were made last, bounded in number and in bytes.
#[derive(Debug, Default)]
pub struct Journal(Mutex<KeptCalls>);

#[derive(Debug, Default)]
struct KeptCalls {
    /// Oldest first.
    entries: VecDeque<Arc<JournalEntry>>,
    bytes: usize,
    last_number: u64,
}

impl KeptCalls {
    fn forget_oldest(&mut self) -> Option<Arc<JournalEntry>> {
        let oldest = self.entries.pop_front()?;
        self.bytes -= oldest.size();
        Some(oldest)
    }
}

impl Journal {
    fn kept(&self) -> MutexGuard<'_, KeptCalls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a call, which gets its number here.
    pub fn add(&self, mut entry: JournalEntry) -> u64 {
        let size = entry.size();
        let mut kept = self.kept();
        // Memory is given back outside the lock. Usually that of one entry, if any.
        let is_full = kept.entries.len() == MOST_ENTRIES;
        let oldest = is_full.then(|| kept.forget_oldest());
        let mut more = Vec::new();
        while kept.bytes + size > MOST_BYTES && !kept.entries.is_empty() {
            more.push(kept.forget_oldest());
        }
        kept.last_number += 1;
        entry.number = kept.last_number;
        let number = entry.number;
        kept.bytes += size;
        kept.entries.push_back(Arc::new(entry));
        drop(kept);
        drop((oldest, more));
        number
    }

    /// The calls that fit, newest first.
    #[must_use]
    pub fn list(&self, filter: &CallFilter) -> Vec<Arc<JournalEntry>> {
        let mut entries: Vec<_> = self.kept().entries.iter().cloned().collect();
        entries.retain(|entry| filter.fits(entry));
        entries.reverse();
        entries
    }

    /// Forgets all calls; numbers go on. The number of the last one.
    pub fn clear(&self) -> u64 {
        let mut kept = self.kept();
        let last = kept.last_number;
        kept.bytes = 0;
        let forgotten = std::mem::take(&mut kept.entries);
        drop(kept);
        drop(forgotten);
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str) -> JournalEntry {
        let said = Said { path, query: "", request_id: "", organisation: "", api_key: "" };
        JournalEntry {
            number: 0,
            at: Timestamp::EPOCH,
            method: Method::GET,
            texts: said.into(),
            operation_id: None,
            status: None,
            took: RealDuration::ZERO,
            body: None,
            injection: None,
        }
    }

    #[test]
    fn texts_are_kept_as_they_were_said() {
        let said =
            Said { path: "/a", query: "b=c", request_id: "", organisation: "d@e", api_key: "f" };
        assert_eq!(Texts::from(said).get(), said);
    }

    #[test]
    fn only_so_many_calls_are_kept() {
        let journal = Journal::default();
        for number in 1..=MOST_ENTRIES + 10 {
            journal.add(entry(&format!("/{number}")));
        }
        let entries = journal.list(&CallFilter::default());
        assert_eq!(entries.len(), MOST_ENTRIES);
        assert_eq!(entries[0].texts.get().path, format!("/{}", MOST_ENTRIES + 10));
        assert_eq!(entries[0].number, (MOST_ENTRIES + 10) as u64);
        assert_eq!(entries[MOST_ENTRIES - 1].number, 11);
    }

    #[test]
    fn only_so_many_bytes_are_kept() {
        let journal = Journal::default();
        for _ in 0..100 {
            journal.add(entry(&"x".repeat(400_000)));
        }
        let kept = journal.list(&CallFilter::default()).len();
        assert!((35..=41).contains(&kept), "{kept}");
        journal.clear();
        assert_eq!(journal.kept().bytes, 0);
        assert!(journal.list(&CallFilter::default()).is_empty());
    }
}
