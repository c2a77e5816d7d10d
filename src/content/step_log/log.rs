//! A log as a list of lines.

use crate::domain::time::Timestamp;

/// A log as it stands at some instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    runs: Vec<LineRun>,
}

/// A line, with its line end, that stands in a log one or more times in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LineRun {
    line: String,
    times: u64,
}

impl LineRun {
    fn len(&self) -> u64 {
        (self.line.len() as u64).saturating_mul(self.times)
    }
}

impl Log {
    /// Adds a line as often as `times` says, each with the same instant.
    pub(super) fn push(&mut self, at: Timestamp, text: &str, times: u64) {
        self.runs.push(LineRun { line: format!("{at} {text}\n"), times });
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.runs.iter().fold(0, |sum, run| sum.saturating_add(run.len()))
    }

    /// Returns whether nothing has been logged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Returns the bytes from `start` up to `end`, at most `max` of them; empty past the end of the
    /// log.
    #[must_use]
    pub fn read(&self, start: u64, end: u64, max: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut run_start = 0_u64;
        for run in &self.runs {
            let run_end = run_start.saturating_add(run.len());
            let mut at = start.saturating_add(bytes.len() as u64).max(run_start);
            while at < run_end.min(end) && bytes.len() < max {
                let line = run.line.as_bytes();
                let offset = usize::try_from((at - run_start) % line.len() as u64).unwrap_or(0);
                let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(max - bytes.len());
                let piece = &line[offset..line.len().min(offset.saturating_add(wanted))];
                bytes.extend_from_slice(piece);
                at += piece.len() as u64;
            }
            run_start = run_end;
        }
        bytes
    }
}
