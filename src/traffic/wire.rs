//! Connections that can be made to fail like a network. Only the streams below hyper can do that:
//! hyper would always send a correct HTTP message.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::response::Response;
use bytes::{Buf, Bytes};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use utoipa::ToSchema;
use uuid::Uuid;

/// How a connection fails instead of returning a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WireFault {
    /// It is reset.
    ConnectionResetByPeer,
    /// It is closed before any byte is sent.
    EmptyResponse,
    /// The head of a valid response is sent, then an invalid chunk; then the connection is closed.
    MalformedResponseChunk,
    /// Random bytes are sent; then the connection is closed.
    RandomDataThenClose,
}

/// The head of a valid chunked answer, and then something that is not a chunk.
const MALFORMED_CHUNK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
    transfer-encoding: chunked\r\n\r\nThis is no chunk.\r\n";

impl WireFault {
    /// Returns the bytes that are sent before the connection fails.
    fn final_bytes(self) -> Bytes {
        match self {
            Self::ConnectionResetByPeer | Self::EmptyResponse => Bytes::new(),
            Self::MalformedResponseChunk => Bytes::from_static(MALFORMED_CHUNK),
            Self::RandomDataThenClose => {
                let random = [(); 4].map(|()| Uuid::new_v4().into_bytes());
                Bytes::from(random.concat())
            }
        }
    }
}

/// The handle of a connection, by which a request can make it fail.
#[derive(Clone, Debug, Default)]
pub struct WireConnection {
    fault: Arc<OnceLock<WireFault>>,
    /// The socket that everything goes through.
    socket: Resetting,
}

/// Whether a socket is to be reset when it is closed.
#[derive(Clone, Debug, Default)]
pub struct Resetting(Arc<AtomicBool>);

impl WireConnection {
    /// Returns the handle of a connection that goes through a socket.
    #[must_use]
    pub fn through(socket: Resetting) -> Self {
        Self { fault: Arc::default(), socket }
    }

    /// Lets the connection fail with its next write. The first fault that is set stays.
    pub fn fail(&self, fault: WireFault) {
        if self.fault.set(fault).is_ok() && fault == WireFault::ConnectionResetByPeer {
            self.socket.0.store(true, Ordering::Relaxed);
        }
    }

    /// Returns an answer in the middle of which the connection is reset.
    #[must_use]
    pub fn resetting_mid_body(self, answer: Response) -> Response {
        let (parts, body) = answer.into_parts();
        let length = parts.headers.get(axum::http::header::CONTENT_LENGTH);
        let length: usize =
            length.and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(0);
        let state = (body.into_data_stream(), length / 2, self);
        let half = stream::unfold(state, |(mut body, left, connection)| async move {
            if left > 0
                && let Some(Ok(mut chunk)) = body.next().await
            {
                chunk.truncate(left);
                let left = left - chunk.len();
                return Some((Ok(chunk), (body, left, connection)));
            }
            // hyper flushes what it has when the body is pending: so the first half is really sent
            // before the reset.
            tokio::task::yield_now().await;
            connection.fail(WireFault::ConnectionResetByPeer);
            Some((Err(reset()), (body, 0, connection)))
        });
        Response::from_parts(parts, Body::from_stream(half))
    }
}

fn reset() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

/// The socket of a connection, which is reset when it is closed if its handle says so. It is below
/// TLS: a reset is one of the network, not of what is sent over it.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    resetting: Resetting,
}

impl Socket {
    /// Wraps a stream. Returns the socket and its handle.
    #[must_use]
    pub fn new(stream: TcpStream) -> (Self, Resetting) {
        let resetting = Resetting::default();
        (Self { stream, resetting: resetting.clone() }, resetting)
    }

    /// Sends what is written at once. If that can't be set, small answers take longer.
    pub fn set_nodelay(&self) {
        let _ = self.stream.set_nodelay(true);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.resetting.0.load(Ordering::Relaxed) {
            // With a linger time of zero, closing sends RST instead of FIN. If this fails, the
            // connection is gone already.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, buffer)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
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

/// A stream that HTTP goes over, which fails when its handle says so. It is above TLS: clients see
/// the same bytes as without TLS.
#[derive(Debug)]
pub struct FailingStream<S> {
    stream: S,
    connection: WireConnection,
    /// The rest of the final bytes, once the connection fails.
    unsent: Option<Bytes>,
}

impl<S: AsyncWrite + Unpin> FailingStream<S> {
    /// Wraps a stream.
    #[must_use]
    pub fn new(stream: S, connection: WireConnection) -> Self {
        Self { stream, connection, unsent: None }
    }

    /// Fails instead of writing.
    fn poll_fail(
        &mut self,
        context: &mut Context<'_>,
        fault: WireFault,
    ) -> Poll<io::Result<usize>> {
        let unsent = self.unsent.get_or_insert_with(|| fault.final_bytes());
        while !unsent.is_empty() {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(context, unsent))?;
            unsent.advance(sent);
        }
        if fault != WireFault::ConnectionResetByPeer {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        }
        Poll::Ready(Err(reset()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for FailingStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FailingStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.connection.fault.get().copied() {
            None => Pin::new(&mut self.stream).poll_write(context, buffer),
            Some(fault) => self.poll_fail(context, fault),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.connection.fault.get().copied() {
            None => Pin::new(&mut self.stream).poll_write_vectored(context, buffers),
            Some(fault) => self.poll_fail(context, fault),
        }
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
