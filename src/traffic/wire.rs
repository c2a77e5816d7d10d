//! Connections that can be made to fail like a network. Only the socket can do that: hyper would
//! always send a correct HTTP message.

use std::io;
use std::pin::Pin;
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
pub struct WireConnection(Arc<OnceLock<WireFault>>);

impl WireConnection {
    /// Lets the connection fail with its next write. The first fault that is set stays.
    pub fn fail(&self, fault: WireFault) {
        let _ = self.0.set(fault);
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

/// The socket of a connection, which fails when its handle says so.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    connection: WireConnection,
    /// The rest of the final bytes, once the connection fails.
    unsent: Option<Bytes>,
}

impl Socket {
    /// Wraps a stream. Returns the socket and its handle.
    #[must_use]
    pub fn new(stream: TcpStream) -> (Self, WireConnection) {
        let connection = WireConnection::default();
        (Self { stream, connection: connection.clone(), unsent: None }, connection)
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

impl Drop for Socket {
    fn drop(&mut self) {
        if self.connection.0.get() == Some(&WireFault::ConnectionResetByPeer) {
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
        match self.connection.0.get().copied() {
            None => Pin::new(&mut self.stream).poll_write(context, buffer),
            Some(fault) => self.poll_fail(context, fault),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.connection.0.get().copied() {
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
