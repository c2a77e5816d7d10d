//! What goes to stderr, written by a thread of its own: whoever has something to say never waits
//! for whoever reads it.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many bytes may wait to be written.
const LONGEST: usize = 1024 * 1024;

/// How long the end waits for something to be written.
const PATIENCE: Duration = Duration::from_secs(1);

/// What waits to be written; in entries, which are dropped rather than cut.
pub(super) struct Queue {
    waiting: Mutex<PendingLines>,
    changed: Condvar,
}

struct PendingLines {
    entries: VecDeque<Vec<u8>>,
    /// How many bytes the entries have.
    length: usize,
    /// How many dropped entries have not been reported in the log.
    dropped: usize,
    /// How many entries have been written.
    written: u64,
    is_writing: bool,
    has_writer: bool,
}

impl PendingLines {
    fn push(&mut self, entry: Vec<u8>) {
        self.length += entry.len();
        self.entries.push_back(entry);
    }

    /// Says where entries are missing.
    fn report_dropped(&mut self) {
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            let note = format!("{dropped} lines were dropped: nobody has read the log");
            self.push(super::line_of(&note));
        }
    }
}

impl Queue {
    pub const fn new() -> Self {
        Self {
            waiting: Mutex::new(PendingLines {
                entries: VecDeque::new(),
                length: 0,
                dropped: 0,
                written: 0,
                is_writing: false,
                has_writer: false,
            }),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, PendingLines> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an entry, or drops it if there is no room for it.
    pub fn add(&self, entry: Vec<u8>) {
        let mut waiting = self.lock();
        if waiting.length + entry.len() > LONGEST {
            waiting.dropped += 1;
            return;
        }
        waiting.report_dropped();
        waiting.push(entry);
        self.changed.notify_all();
    }

    /// Returns whether the caller must start the writer thread: true only for the first call.
    pub fn claim_writer(&self) -> bool {
        !std::mem::replace(&mut self.lock().has_writer, true)
    }

    /// Writes what is added, for ever. What can't be written is lost.
    pub fn write_to(&self, mut output: impl Write) {
        loop {
            let _ = output.write_all(&self.next());
            let mut waiting = self.lock();
            waiting.written += 1;
            waiting.is_writing = false;
            self.changed.notify_all();
        }
    }

    /// Waits for an entry, and takes it.
    fn next(&self) -> Vec<u8> {
        let waiting = self.lock();
        let waiting = self.changed.wait_while(waiting, |it| it.entries.is_empty());
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        let entry = waiting.entries.pop_front().unwrap_or_default();
        waiting.length -= entry.len();
        waiting.is_writing = true;
        if waiting.entries.is_empty() {
            waiting.report_dropped();
        }
        entry
    }

    /// Waits until everything has been written, or nothing has for a while.
    pub fn finish(&self) {
        let mut waiting = self.lock();
        while waiting.has_writer && (waiting.is_writing || !waiting.entries.is_empty()) {
            let before = waiting.written;
            let waited =
                self.changed.wait_timeout_while(waiting, PATIENCE, |it| it.written == before);
            let (now, result) = waited.unwrap_or_else(PoisonError::into_inner);
            if result.timed_out() {
                return;
            }
            waiting = now;
        }
    }
}

/// Stderr without the standard library's lock, which a write that blocks would hold.
#[cfg(unix)]
pub(super) fn output() -> io::Result<impl Write + Send> {
    use std::os::fd::AsFd;
    io::stderr().as_fd().try_clone_to_owned().map(std::fs::File::from)
}

/// Stderr.
#[cfg(not(unix))]
pub(super) fn output() -> io::Result<impl Write + Send> {
    Ok(io::stderr())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Writes only as often as it may.
    struct GatedSink(Receiver<()>, Sender<Vec<u8>>);

    impl Write for GatedSink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(io::Error::other)?;
            self.1.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn entries_without_room_are_dropped_and_counted() {
        let (queue, (open, opened), (sender, written)) =
            (Arc::new(Queue::new()), channel(), channel());
        assert!(queue.claim_writer() && !queue.claim_writer());
        let writer = queue.clone();
        std::thread::spawn(move || writer.write_to(GatedSink(opened, sender)));
        queue.add(b"first\n".to_vec());
        // It has been taken once there is room for this.
        while queue.lock().length > 0 {
            std::thread::yield_now();
        }
        queue.add(vec![b'x'; LONGEST]);
        for _ in 0..3 {
            queue.add(b"too much\n".to_vec());
        }
        for _ in 0..3 {
            open.send(()).unwrap();
        }
        queue.finish();
        queue.add(b"last\n".to_vec());
        open.send(()).unwrap();
        queue.finish();
        let written: Vec<u8> = written.try_iter().flatten().collect();
        let end = "x3 lines were dropped: nobody has read the log\nlast\n";
        let text = String::from_utf8(written).unwrap();
        assert!(text.starts_with("first\nxxx") && text.ends_with(end), "{}", text.len());
    }
}
