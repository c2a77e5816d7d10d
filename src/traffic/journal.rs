//! The journal: the calls that were made last.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration as RealDuration;

use axum::http::{HeaderValue, Method, StatusCode};

use super::faults::Injection;
use super::redact::RedactedBody;
use crate::domain::time::Timestamp;

/// How many calls are kept.
const MOST_ENTRIES: usize = 1000;

/// How much memory they take at most, in bytes.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// A call, without the tokens and secrets in it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Counts the calls from 1, in the order in which they were answered.
    pub number: u64,
    /// When it came.
    pub at: Timestamp,
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: String,
    /// Its query string.
    pub query: Option<String>,
    /// The operation that it was for; none if there is nothing at its path.
    pub operation_id: Option<Arc<str>>,
    /// The status of the answer; none if no whole answer was sent.
    pub status: Option<StatusCode>,
    /// How long it took until the answer began, in real time.
    pub took: RealDuration,
    /// The identifier that the answer carries.
    pub request_id: HeaderValue,
    /// The organisation that the caller named.
    pub organisation: Option<String>,
    /// The api key that the caller sent.
    pub api_key: Option<String>,
    /// What the caller sent.
    pub body: Option<RedactedBody>,
    /// What was done to it.
    pub injection: Option<Injection>,
}

/// Which calls are meant; those that have everything that is given.
#[derive(Clone, Debug, Default)]
pub struct Filter {
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

impl Filter {
    fn fits(&self, entry: &Entry) -> bool {
        let Self { method, path, status, operation_id, since } = self;
        method.as_ref().is_none_or(|method| *method == entry.method)
            && path.as_deref().is_none_or(|path| match path.strip_suffix('*') {
                Some(beginning) => entry.path.starts_with(beginning),
                None => entry.path == path,
            })
            && status.is_none_or(|status| entry.status.is_some_and(|it| it.as_u16() == status))
            && operation_id.as_ref().is_none_or(|id| entry.operation_id.as_deref() == Some(id))
            && since.is_none_or(|since| entry.at >= since)
    }
}

impl Entry {
    /// About how much memory it takes.
    fn size(&self) -> usize {
        let texts = [&self.query, &self.organisation, &self.api_key];
        size_of::<Self>()
            + self.path.len()
            + self.request_id.len()
            + texts.into_iter().flatten().map(String::len).sum::<usize>()
            + self.body.as_ref().map_or(0, |body| body.text.len())
    }
}

/// The calls that were made last, bounded in number and in bytes.
#[derive(Debug, Default)]
pub struct Journal(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// Oldest first.
    entries: VecDeque<Arc<Entry>>,
    bytes: usize,
    last_number: u64,
}

impl Journal {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a call, which gets its number here.
    pub fn add(&self, entry: Entry) -> u64 {
        let size = entry.size();
        let mut entry = Arc::new(entry);
        // Memory is given back outside the lock.
        let mut forgotten = Vec::new();
        let mut kept = self.kept();
        kept.last_number += 1;
        let number = kept.last_number;
        if let Some(entry) = Arc::get_mut(&mut entry) {
            entry.number = number;
        }
        kept.bytes += size;
        kept.entries.push_back(entry);
        while kept.entries.len() > MOST_ENTRIES || kept.bytes > MOST_BYTES {
            let Some(oldest) = kept.entries.pop_front() else { break };
            kept.bytes -= oldest.size();
            forgotten.push(oldest);
        }
        drop(kept);
        number
    }

    /// The calls that fit, newest first.
    #[must_use]
    pub fn list(&self, filter: &Filter) -> Vec<Arc<Entry>> {
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

    fn entry(path: String) -> Entry {
        Entry {
            number: 0,
            at: Timestamp::EPOCH,
            method: Method::GET,
            path,
            query: None,
            operation_id: None,
            status: None,
            took: RealDuration::ZERO,
            request_id: HeaderValue::from_static(""),
            organisation: None,
            api_key: None,
            body: None,
            injection: None,
        }
    }

    #[test]
    fn only_so_many_calls_are_kept() {
        let journal = Journal::default();
        for number in 1..=MOST_ENTRIES + 10 {
            journal.add(entry(format!("/{number}")));
        }
        let entries = journal.list(&Filter::default());
        assert_eq!(entries.len(), MOST_ENTRIES);
        assert_eq!(entries[0].path, format!("/{}", MOST_ENTRIES + 10));
        assert_eq!(entries[0].number, (MOST_ENTRIES + 10) as u64);
        assert_eq!(entries[MOST_ENTRIES - 1].number, 11);
    }

    #[test]
    fn only_so_many_bytes_are_kept() {
        let journal = Journal::default();
        for _ in 0..100 {
            journal.add(entry("x".repeat(400_000)));
        }
        let kept = journal.list(&Filter::default()).len();
        assert!((35..=41).contains(&kept), "{kept}");
        journal.clear();
        assert_eq!(journal.kept().bytes, 0);
        assert!(journal.list(&Filter::default()).is_empty());
    }
}
