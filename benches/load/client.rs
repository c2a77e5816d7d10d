//! A client that takes as little as possible from the server beside it: requests are bytes.

use std::error::Error;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// An answer.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// A connection that is kept.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// Sends a request, and does not read the answer.
    pub async fn begin(&mut self, request: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(request).await
    }

    /// Sends a request and reads the answer, whose length must be told.
    pub async fn send(&mut self, request: &[u8]) -> Result<Answer, Box<dyn Error + Send + Sync>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
            let Some(end) = find(&self.buffer, b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&self.buffer[..end])?;
            let status = head.get(9..12).unwrap_or_default().parse()?;
            let length: usize = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .unwrap_or("0")
                .parse()?;
            let start = end + 4;
            while self.buffer.len() < start + length {
                if self.stream.read_buf(&mut self.buffer).await? == 0 {
                    return Err("the server closed the connection".into());
                }
            }
            return Ok(Answer { status, body: self.buffer[start..start + length].to_vec() });
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// The bytes of a request with good credentials.
pub fn request(method: &str, path: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer t\r\nx-api-key: k\r\n\
         x-gw-ims-org-id: 1234567890ABCDEF12345678@AdobeOrg\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// What a number of connections got done.
pub struct Load {
    pub per_second: f64,
    pub p50: Duration,
    pub p99: Duration,
}

/// Lets each connection send its own request again and again for a while.
pub async fn load(
    address: &str,
    requests: Vec<Vec<u8>>,
    expected: u16,
    time: Duration,
) -> Result<Load, Box<dyn Error>> {
    let mut connections = JoinSet::new();
    let begin = Instant::now();
    for request in requests {
        let mut connection = Connection::open(address).await.map_err(|error| error.to_string())?;
        connections.spawn(async move {
            let mut latencies = Vec::new();
            while begin.elapsed() < time {
                let sent = Instant::now();
                let answer = connection.send(&request).await.map_err(|error| error.to_string())?;
                if answer.status != expected {
                    return Err(format!("{}: {:?}", answer.status, answer.body));
                }
                latencies.push(sent.elapsed());
            }
            Ok(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(done) = connections.join_next().await {
        latencies.extend(done??);
    }
    let seconds = begin.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let at =
        |share: usize| latencies.get(latencies.len() * share / 100).copied().unwrap_or_default();
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52 requests")]
    let per_second = latencies.len() as f64 / seconds;
    Ok(Load { per_second, p50: at(50), p99: at(99) })
}
