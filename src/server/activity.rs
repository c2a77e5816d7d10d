//! Tracks what a connection waits for: a handler or the caller. Tracking must be cheap, because
//! every read and write does it; so it is only flags and a counter.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::traffic::wire::FailingStream;

/// The activity of a connection. The flags are read for time-outs only, where a stale value costs
/// nothing but another look; so `Relaxed` is enough.
#[derive(Debug, Default)]
pub(super) struct ConnectionActivity {
    /// How often there was progress.
    progress_count: AtomicU64,
    /// A handler has a request and has not answered yet.
    is_answering: AtomicBool,
    /// The handler waits for more of the request's body.
    wants_body: AtomicBool,
    /// The caller has not read what was written.
    is_unread: AtomicBool,
    /// A part of a request's head has arrived.
    has_head_begun: AtomicBool,
    /// The end of a request's body has not arrived.
    has_body: AtomicBool,
    /// An answer is being sent in pieces.
    is_streaming: AtomicBool,
    /// The caller sends nothing more: it has closed its side, or left.
    has_ended: AtomicBool,
    /// Wakes the reader of a connection whose caller has ended, once the answer is sent.
    reader: AtomicWaker,
}

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitsFor {
    /// A handler's answer.
    Handler,
    /// A handler's answer, for a caller who has closed its side, or left.
    HandlerForEnded,
    /// The next request, or more of an answer that comes in pieces.
    Request,
    /// The rest of a request's head.
    Head,
    /// More of a request's body.
    Body,
    /// The caller, who must read.
    Reader,
}

impl ConnectionActivity {
    /// Returns how often there was progress so far.
    pub fn progress_count(&self) -> u64 {
        self.progress_count.load(Ordering::Relaxed)
    }

    /// Returns what the connection waits for.
    pub fn waiting(&self) -> WaitsFor {
        let is = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        // A handler that waits for the caller is not at work: so the caller's part comes first.
        if is(&self.is_unread) {
            WaitsFor::Reader
        } else if is(&self.wants_body) {
            WaitsFor::Body
        } else if is(&self.is_answering) {
            if is(&self.has_ended) { WaitsFor::HandlerForEnded } else { WaitsFor::Handler }
        } else if is(&self.has_head_begun) {
            WaitsFor::Head
        } else {
            WaitsFor::Request
        }
    }

    /// Notes that a handler has begun. It is at work until the returned guard is dropped.
    pub fn handle(&self) -> Answering<'_> {
        self.has_head_begun.store(false, Ordering::Relaxed);
        self.is_answering.store(true, Ordering::Relaxed);
        self.note_progress();
        Answering(self)
    }

    /// Returns whether a response is pending for a completely received request. The client may then
    /// close its side of the connection and still receive the response.
    fn has_pending_response(&self) -> bool {
        let is = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        let is_under_way = is(&self.is_answering) || is(&self.is_streaming) || is(&self.is_unread);
        is_under_way && !is(&self.has_body)
    }

    fn wake_reader(&self) {
        if self.has_ended.load(Ordering::Relaxed) {
            self.reader.wake();
        }
    }

    fn note_progress(&self) {
        self.progress_count.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that bytes have arrived. Bytes of an incomplete head are no progress: otherwise a
    /// caller could hold a connection by sending one byte now and then (slowloris).
    fn note_read(&self) {
        if !self.is_answering.load(Ordering::Relaxed) {
            self.has_head_begun.store(true, Ordering::Relaxed);
        }
    }

    fn note_write(&self, written: &Poll<io::Result<usize>>) {
        self.is_unread.store(written.is_pending(), Ordering::Relaxed);
        if written.is_ready() {
            self.note_progress();
            self.wake_reader();
        }
    }

    fn note_body(&self, is_pending: bool) {
        self.wants_body.store(is_pending, Ordering::Relaxed);
        if !is_pending {
            self.note_progress();
        }
    }
}

/// A handler at work.
pub(super) struct Answering<'a>(&'a ConnectionActivity);

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.0.is_answering.store(false, Ordering::Relaxed);
        self.0.note_progress();
        self.0.wake_reader();
    }
}

/// The stream of a connection, which notes reads and writes.
pub(super) struct WatchedStream<S> {
    stream: FailingStream<S>,
    activity: Arc<ConnectionActivity>,
}

impl<S> WatchedStream<S> {
    pub fn new(stream: FailingStream<S>, activity: Arc<ConnectionActivity>) -> Self {
        Self { stream, activity }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WatchedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let is_end = matches!(read, Poll::Ready(Ok(()))) && buffer.filled().len() == before;
        if is_end && self.activity.has_pending_response() {
            // hyper would drop the request. It finds the end when the answer is sent.
            self.activity.has_ended.store(true, Ordering::Relaxed);
            self.activity.reader.register(context.waker());
            return Poll::Pending;
        }
        if read.is_ready() {
            self.activity.note_read();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WatchedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, buffer);
        self.activity.note_write(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.activity.note_write(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The body of a request, which notes whether the handler waits for it.
pub(super) struct WatchedBody {
    body: Incoming,
    activity: Arc<ConnectionActivity>,
}

impl WatchedBody {
    pub fn new(body: Incoming, activity: Arc<ConnectionActivity>) -> Self {
        activity.has_body.store(true, Ordering::Relaxed);
        Self { body, activity }
    }
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        self.activity.note_body(frame.is_pending());
        if self.body.is_end_stream() || matches!(frame, Poll::Ready(None)) {
            self.activity.has_body.store(false, Ordering::Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        self.activity.note_body(false);
    }
}

/// The body of an answer that comes in pieces, which notes when all is sent.
pub(super) struct WatchedAnswer {
    body: axum::body::Body,
    activity: Arc<ConnectionActivity>,
}

impl WatchedAnswer {
    pub fn new(body: axum::body::Body, activity: Arc<ConnectionActivity>) -> Self {
        activity.is_streaming.store(true, Ordering::Relaxed);
        Self { body, activity }
    }
}

impl Body for WatchedAnswer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for WatchedAnswer {
    fn drop(&mut self) {
        self.activity.is_streaming.store(false, Ordering::Relaxed);
        self.activity.wake_reader();
    }
}
