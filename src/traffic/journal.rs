//! The journal: the last calls, for tests that check what a client has sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration as RealDuration;

use axum::body::Bytes;
use axum::http::{Method, StatusCode};

use super::faults::Injection;
use super::redact::RedactedBody;
use crate::domain::time::Timestamp;

/// How many calls are kept.
const MOST_ENTRIES: usize = 1000;

/// How much memory they may take, in bytes: bodies are kept up to 16 KiB, so the number of calls
/// alone does not bound it well.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// How much of a method is kept, in bytes.
const LONGEST_METHOD: usize = 32;

/// A call, without the tokens and secrets in it.
#[derive(Clone, Debug)]
pub struct JournalEntry {
    /// Counts the calls from 1, in the order in which they were answered.
    pub number: u64,
    /// When it came.
    pub at: Timestamp,
    /// Its method, or the beginning of a long one.
    pub method: Method,
    /// The texts in it.
    pub texts: PackedTexts,
    /// The operation, or `None` if the path has none.
    pub operation_id: Option<Arc<str>>,
    /// The status of the answer, or `None` if no whole answer was sent.
    pub status: Option<StatusCode>,
    /// How long it took until the answer began, in real time.
    pub took: RealDuration,
    /// What the caller sent.
    pub body: Option<RedactedBody>,
    /// What was answered, with its secrets: they are removed when it is shown.
    pub answer: Option<Bytes>,
    /// The fault that was injected.
    pub injection: Option<Injection>,
}

/// The texts of a call that are kept. Empty means absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallTexts<'a> {
    /// The host that it named.
    pub host: &'a str,
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
    /// The headers that the caller sent, without their secrets: `name: value`, one a line.
    pub headers: &'a str,
}

/// The texts of a call in one allocation. With six allocations for each call, allocating and
/// freeing would take longer than everything else that the journal does.
#[derive(Clone, Debug)]
pub struct PackedTexts {
    all: Box<str>,
    /// Where each of them ends, but the last.
    ends: [usize; 6],
}

impl From<CallTexts<'_>> for PackedTexts {
    fn from(texts: CallTexts<'_>) -> Self {
        let CallTexts { host, path, query, request_id, organisation, api_key, headers } = texts;
        let mut end = 0;
        let ends = [host, path, query, request_id, organisation, api_key].map(|text| {
            end += text.len();
            end
        });
        let all = [host, path, query, request_id, organisation, api_key, headers].concat();
        Self { all: all.into(), ends }
    }
}

impl PackedTexts {
    /// Returns the texts.
    #[must_use]
    pub fn get(&self) -> CallTexts<'_> {
        let [host, path, query, request_id, organisation, api_key] = self.ends;
        CallTexts {
            host: &self.all[..host],
            path: &self.all[host..path],
            query: &self.all[path..query],
            request_id: &self.all[query..request_id],
            organisation: &self.all[request_id..organisation],
            api_key: &self.all[organisation..api_key],
            headers: &self.all[api_key..],
        }
    }
}

/// Returns a method, or the beginning of a long one: callers may send any.
pub(super) fn shortened(method: &Method) -> Method {
    match method.as_str().get(..LONGEST_METHOD) {
        Some(beginning) => Method::from_bytes(beginning.as_bytes()).unwrap_or_default(),
        None => method.clone(),
    }
}

/// A filter for calls. Those match that meet every condition that is given.
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
    fn matches(&self, entry: &JournalEntry) -> bool {
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
    /// Returns about how much memory it takes.
    fn size(&self) -> usize {
        let body = self.body.as_ref().map_or(0, |body| body.text.len());
        let answer = self.answer.as_ref().map_or(0, Bytes::len);
        size_of::<Self>() + self.method.as_str().len() + self.texts.all.len() + body + answer
    }
}

/// The last calls, bounded in number and in bytes.
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

    /// Adds a call and returns the number that it gets.
    pub fn add(&self, mut entry: JournalEntry) -> u64 {
        let size = entry.size();
        let mut kept = self.kept();
        // Every call takes this lock, so memory is freed after it. Usually that is one entry; the
        // vector allocates nothing then.
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

    /// Returns the calls that match, newest first.
    #[must_use]
    pub fn list(&self, filter: &CallFilter) -> Vec<Arc<JournalEntry>> {
        // Only references are copied under the lock; the filter runs after it.
        let mut entries: Vec<_> = self.kept().entries.iter().cloned().collect();
        entries.retain(|entry| filter.matches(entry));
        entries.reverse();
        entries
    }

    /// Removes all calls and returns the number of the last one. Numbers are not used again.
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
        let texts = CallTexts { path, ..CallTexts::default() };
        JournalEntry {
            number: 0,
            at: Timestamp::EPOCH,
            method: Method::GET,
            texts: texts.into(),
            operation_id: None,
            status: None,
            took: RealDuration::ZERO,
            body: None,
            answer: None,
            injection: None,
        }
    }

    #[test]
    fn texts_are_kept_as_they_were_said() {
        let texts = CallTexts {
            host: "localhost",
            path: "/a",
            query: "b=c",
            request_id: "",
            organisation: "d@e",
            api_key: "f",
            headers: "g: h",
        };
        assert_eq!(PackedTexts::from(texts).get(), texts);
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
    fn methods_are_short_and_counted() {
        let long = Method::from_bytes("M".repeat(60_000).as_bytes()).unwrap();
        assert_eq!(shortened(&long).as_str(), "M".repeat(LONGEST_METHOD));
        assert_eq!(shortened(&Method::PATCH), Method::PATCH);
        let with_method = JournalEntry { method: shortened(&long), ..entry("/") };
        assert_eq!(with_method.size() - entry("/").size(), LONGEST_METHOD - "GET".len());
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
