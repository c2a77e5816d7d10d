//! The body of a request, as `git` reads it: without compression, in pieces.

use std::io::{self, Write};

use axum::body::{Body, BodyDataStream};
use axum::http::HeaderValue;
use bytes::Bytes;
use flate2::write::GzDecoder;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, stream};

use super::refusal::GitRefusal;
use crate::git::GitService;

/// How much is decompressed at once, in bytes. It becomes at most a thousand times as much.
const PIECE: usize = 1024;

/// The most that a compressed body may become, in bytes. Clients compress requests of clones and
/// fetches, which are much smaller, and no packs.
const LARGEST: usize = 64 * 1024 * 1024;

/// The largest that the commands of a push may be, in bytes: enough for a hundred thousand refs.
const LARGEST_COMMANDS: usize = 16 * 1024 * 1024;

/// Returns the pieces of a body with an encoding.
pub fn decoded(
    body: Body,
    encoding: Option<&HeaderValue>,
) -> Result<BoxStream<'static, io::Result<Bytes>>, GitRefusal> {
    let body = body.into_data_stream();
    match encoding.map(HeaderValue::as_bytes) {
        None | Some(b"identity") => Ok(body.map(|piece| piece.map_err(io::Error::other)).boxed()),
        Some(b"gzip" | b"x-gzip") => Ok(stream::try_unfold(Unzipping::new(body), next).boxed()),
        Some(_) => Err(GitRefusal::encoding()),
    }
}

/// Ends a body with an error where it becomes larger than a client of the service needs. `git`
/// itself limits only the packs of pushes.
pub fn limited(
    body: BoxStream<'static, io::Result<Bytes>>,
    service: GitService,
) -> BoxStream<'static, io::Result<Bytes>> {
    let mut limit = Limit::of(service);
    body.map(move |piece| piece.and_then(|piece| limit.count(&piece).map(|()| piece))).boxed()
}

/// What is left of the limit of a body.
enum Limit {
    /// Of the whole body.
    Whole { left: usize },
    /// Of the commands that come before a pack, as lines that begin with their length.
    Commands { left: usize, length: Vec<u8>, skip: usize },
    /// A pack follows.
    None,
}

impl Limit {
    fn of(service: GitService) -> Self {
        match service {
            GitService::UploadPack => Self::Whole { left: LARGEST },
            GitService::ReceivePack => {
                Self::Commands { left: LARGEST_COMMANDS, length: Vec::with_capacity(4), skip: 0 }
            }
        }
    }

    /// Counts a piece of the body.
    fn count(&mut self, piece: &[u8]) -> io::Result<()> {
        let too_large = || io::Error::other("the body becomes too large");
        match self {
            Self::None => Ok(()),
            Self::Whole { left } => {
                *left = left.checked_sub(piece.len()).ok_or_else(too_large)?;
                Ok(())
            }
            Self::Commands { left, length, skip } => {
                let Some(used) = read_lines(piece, length, skip)? else {
                    *left = left.checked_sub(piece.len()).ok_or_else(too_large)?;
                    return Ok(());
                };
                left.checked_sub(used).ok_or_else(too_large)?;
                *self = Self::None;
                Ok(())
            }
        }
    }
}

/// Reads lines that begin with their length, up to the one that ends the commands. Returns how many
/// bytes these are, or `None` if they go on in the next piece. `length` and `skip` are what an
/// earlier piece has left: digits of a length, and how much of a line is missing.
fn read_lines(piece: &[u8], length: &mut Vec<u8>, skip: &mut usize) -> io::Result<Option<usize>> {
    let mut at = 0;
    while at < piece.len() {
        let skipped = (*skip).min(piece.len() - at);
        (at, *skip) = (at + skipped, *skip - skipped);
        let digits = (4 - length.len()).min(piece.len() - at);
        length.extend(&piece[at..at + digits]);
        at += digits;
        if length.len() < 4 || *skip > 0 {
            continue;
        }
        let digits = std::str::from_utf8(length).ok();
        match digits.and_then(|digits| usize::from_str_radix(digits, 16).ok()) {
            Some(0) => return Ok(Some(at)),
            Some(line @ 4..) => *skip = line - 4,
            _ => return Err(io::Error::other("a command has no valid length")),
        }
        length.clear();
    }
    Ok(None)
}

/// A compressed body.
struct Unzipping {
    body: BodyDataStream,
    /// What has been received and not decompressed yet.
    received: Bytes,
    decoder: GzDecoder<Vec<u8>>,
    length: usize,
    is_over: bool,
}

impl Unzipping {
    fn new(body: BodyDataStream) -> Self {
        let decoder = GzDecoder::new(Vec::new());
        Self { body, received: Bytes::new(), decoder, length: 0, is_over: false }
    }
}

async fn next(mut unzipping: Unzipping) -> io::Result<Option<(Bytes, Unzipping)>> {
    while !unzipping.is_over {
        if unzipping.received.is_empty() {
            if let Some(received) = unzipping.body.next().await {
                unzipping.received = received.map_err(io::Error::other)?;
            } else {
                unzipping.decoder.try_finish()?;
                unzipping.is_over = true;
            }
        }
        let end = unzipping.received.len().min(PIECE);
        let piece = unzipping.received.split_to(end);
        unzipping.decoder.write_all(&piece)?;
        let bytes = std::mem::take(unzipping.decoder.get_mut());
        unzipping.length += bytes.len();
        if unzipping.length > LARGEST {
            return Err(io::Error::other("the body becomes too large"));
        }
        if !bytes.is_empty() {
            return Ok(Some((bytes.into(), unzipping)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use futures_util::TryStreamExt;

    use super::*;

    fn zipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    async fn pieces(body: Vec<u8>) -> io::Result<Vec<Bytes>> {
        let gzip = HeaderValue::from_static("gzip");
        decoded(body.into(), Some(&gzip)).unwrap().try_collect().await
    }

    #[tokio::test]
    async fn a_compressed_body_becomes_what_it_was() {
        let bytes: Vec<u8> = (0_u32..100_000).flat_map(u32::to_le_bytes).collect();
        assert_eq!(pieces(zipped(&bytes)).await.unwrap().concat(), bytes);
        assert_eq!(pieces(zipped(b"")).await.unwrap(), Vec::<Bytes>::new());
    }

    #[tokio::test]
    async fn a_broken_or_cut_body_is_an_error() {
        let whole = zipped(&[7; 10_000]);
        assert!(pieces(whole[..whole.len() - 9].to_vec()).await.is_err());
        assert!(pieces(b"no gzip at all".to_vec()).await.is_err());
    }

    #[tokio::test]
    async fn a_bomb_is_stopped_and_comes_in_small_pieces() {
        let bomb = zipped(&vec![0; 2 * LARGEST]);
        let gzip = HeaderValue::from_static("gzip");
        let mut body = decoded(bomb.into(), Some(&gzip)).unwrap();
        let mut length = 0;
        let ended = loop {
            match body.next().await.unwrap() {
                Ok(piece) => {
                    assert!(piece.len() <= 2 * 1024 * 1024, "{}", piece.len());
                    length += piece.len();
                }
                Err(error) => break error,
            }
        };
        assert!(length <= LARGEST, "{ended}");
    }

    /// How much of a body that comes in pieces of a length passes, and whether all of it does.
    async fn passed(body: &[u8], length: usize, service: GitService) -> (usize, bool) {
        let pieces: Vec<_> = body.chunks(length).map(|it| Ok(Bytes::copy_from_slice(it))).collect();
        let mut limited = limited(stream::iter(pieces).boxed(), service);
        let mut passed = 0;
        while let Some(piece) = limited.next().await {
            let Ok(piece) = piece else { return (passed, false) };
            passed += piece.len();
        }
        (passed, true)
    }

    #[tokio::test]
    async fn commands_of_a_push_are_limited_and_its_pack_is_not() {
        let line = format!("{:04x}{}", 104, "x".repeat(100));
        let pack = vec![b'f'; 2 * LARGEST_COMMANDS];
        let push = [line.repeat(3).as_bytes(), b"0000", &pack].concat();
        for length in [1, 3, 7, 1000, push.len()] {
            let body = if length < 1000 { &push[..100_000] } else { &push };
            assert_eq!(passed(body, length, GitService::ReceivePack).await, (body.len(), true));
        }
        let endless = line.repeat(2 * LARGEST_COMMANDS / line.len());
        let (length, is_whole) = passed(endless.as_bytes(), 1000, GitService::ReceivePack).await;
        assert!(!is_whole && length <= LARGEST_COMMANDS, "{length}");
        for wrong in ["0001", "zzzz", "-001"] {
            assert!(!passed(wrong.as_bytes(), 4, GitService::ReceivePack).await.1, "{wrong}");
        }
    }

    #[tokio::test]
    async fn the_request_of_a_clone_is_limited() {
        let body = vec![b'0'; LARGEST + 1];
        let (length, is_whole) = passed(&body, 1_000_000, GitService::UploadPack).await;
        assert!(!is_whole && length <= LARGEST, "{length}");
        assert!(passed(&body[1..], 1_000_000, GitService::UploadPack).await.1);
    }

    #[test]
    fn other_encodings_are_refused() {
        let brotli = HeaderValue::from_static("br");
        assert!(decoded(Body::empty(), Some(&brotli)).is_err());
    }
}
