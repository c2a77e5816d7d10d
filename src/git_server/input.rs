//! The body of a request, as `git` reads it: without compression, in pieces.

use std::io::{self, Write};

use axum::body::{Body, BodyDataStream};
use axum::http::HeaderValue;
use bytes::Bytes;
use flate2::write::GzDecoder;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, stream};

use super::refusal::GitRefusal;

/// How much is decompressed at once, in bytes. It becomes at most a thousand times as much.
const PIECE: usize = 1024;

/// The most that a compressed body may become, in bytes. Clients compress requests of clones and
/// fetches, which are much smaller, and no packs.
const LARGEST: usize = 64 * 1024 * 1024;

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

    #[test]
    fn other_encodings_are_refused() {
        let brotli = HeaderValue::from_static("br");
        assert!(decoded(Body::empty(), Some(&brotli)).is_err());
    }
}
