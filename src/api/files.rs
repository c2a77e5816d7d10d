//! The files that the API redirects to. Their addresses carry tokens of their own: who has the
//! address may read the file.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::stream;
use hmac::{Hmac, Mac};
use http_range_header::parse_range_header;
use sha2::Sha256;
use std::convert::Infallible;
use std::sync::Arc;

use super::Api;
use crate::domain::execution::log::{self, Log};
use crate::domain::id::{ExecutionId, PipelineId, PipelineKey, ProgramId};
use crate::http::problem::Problem;

/// How much of a file is in memory at a time, in bytes.
const CHUNK: usize = 64 * 1024;

/// How many bytes of a token are its signature.
const SIGNATURE: usize = 16;

/// Names a log file of a step.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(from = "Parts", into = "Parts")]
pub struct FileName {
    /// The pipeline.
    pub pipeline: PipelineKey,
    /// The execution.
    pub execution_id: ExecutionId,
    /// The position of the step.
    pub position: usize,
    /// Which of the step's files; none for its log.
    pub file: Option<String>,
}

/// Program, pipeline, execution, position, file.
#[derive(serde::Serialize, serde::Deserialize)]
struct Parts(ProgramId, PipelineId, ExecutionId, usize, Option<String>);

impl From<Parts> for FileName {
    fn from(Parts(program_id, pipeline_id, execution_id, position, file): Parts) -> Self {
        let pipeline = PipelineKey { program_id, pipeline_id };
        Self { pipeline, execution_id, position, file }
    }
}

impl From<FileName> for Parts {
    fn from(FileName { pipeline, execution_id, position, file }: FileName) -> Self {
        Self(pipeline.program_id, pipeline.pipeline_id, execution_id, position, file)
    }
}

/// Makes tokens that nobody can guess, and reads them; nothing is stored.
#[derive(Clone)]
pub struct FileTokens(Hmac<Sha256>);

impl FileTokens {
    /// With this key.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        // A key of any length will do.
        Self(Hmac::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&[0; 64].into())))
    }

    /// The token of a file.
    #[must_use]
    pub fn sign(&self, name: &FileName) -> String {
        let mut token = serde_json::to_vec(name).unwrap_or_default();
        let signature = self.0.clone().chain_update(&token).finalize().into_bytes();
        token.extend_from_slice(&signature[..SIGNATURE]);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The file of a token; none if it was not made here.
    #[must_use]
    pub fn read(&self, token: &str) -> Option<FileName> {
        let token = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (name, signature) = token.split_at_checked(token.len().checked_sub(SIGNATURE)?)?;
        self.0.clone().chain_update(name).verify_truncated_left(signature).ok()?;
        serde_json::from_slice(name).ok()
    }
}

/// Downloads a file, or the part of it that `Range` asks for.
#[utoipa::path(get, path = "/files/{token}", operation_id = "downloadFile", tag = "Files",
    params(("token" = String, Path, description = "The token that the API gave"),
        ("Range" = Option<String>, Header, description = "A part of the file, in bytes")),
    responses(
        (status = 200, description = "The file", body = String, content_type = "text/plain"),
        (status = 206, description = "The part", body = String, content_type = "text/plain",
            headers(("content-range" = String, description = "Which part of how many bytes"))),
        (status = 416, description = "There is nothing new yet",
            headers(("content-range" = String, description = "How many bytes there are")))))]
pub async fn download_file(
    State(api): State<Api>,
    token: Result<Path<String>, axum::extract::rejection::PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let not_found = || Problem::not_found("The file");
    let Path(token) = token.map_err(|_| not_found())?;
    let name = api.file_tokens.read(&token).ok_or_else(not_found)?;
    let found = api.engine.find_execution(name.pipeline, name.execution_id).await?;
    let snapshot = found.ok_or_else(not_found)?;
    let log = log::log(&snapshot.execution, name.position, name.file.as_deref(), snapshot.now)
        .ok_or_else(not_found)?;
    Ok(answer(log, headers.get(header::RANGE)))
}

fn answer(log: Log, range: Option<&HeaderValue>) -> Response {
    let total = log.len();
    let parsed = range.and_then(|range| parse_range_header(range.to_str().ok()?).ok());
    // A range that can't be read, or several, are answered by the whole file (RFC 9110).
    let (status, start, end) = match parsed.filter(|ranges| ranges.len() == 1) {
        None => (StatusCode::OK, 0, total),
        Some(ranges) => {
            let Ok(satisfiable) = ranges.validate(total) else {
                let content_range = [(header::CONTENT_RANGE, format!("bytes */{total}"))];
                return (StatusCode::RANGE_NOT_SATISFIABLE, content_range).into_response();
            };
            let range = satisfiable.first().cloned().unwrap_or(0..=total.saturating_sub(1));
            (StatusCode::PARTIAL_CONTENT, *range.start(), range.end() + 1)
        }
    };
    let mut response = (
        status,
        [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
            (header::CONTENT_LENGTH, (end - start).to_string()),
            (header::ACCEPT_RANGES, "bytes".to_owned()),
        ],
        Body::from_stream(read(log, start, end)),
    )
        .into_response();
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(value) = HeaderValue::try_from(format!("bytes {start}-{}/{total}", end - 1))
    {
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    response
}

/// The bytes from `start` to `end`, a chunk at a time.
fn read(log: Log, start: u64, end: u64) -> impl stream::Stream<Item = Result<Vec<u8>, Infallible>> {
    let log = Arc::new(log);
    stream::unfold(start, move |at| {
        let log = log.clone();
        async move {
            let chunk = log.read(at, end, CHUNK);
            let next = at + chunk.len() as u64;
            (!chunk.is_empty()).then_some((Ok(chunk), next))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tokens_that_were_made_here_are_read() {
        let tokens = FileTokens::new(b"key");
        let name = FileName {
            pipeline: PipelineKey {
                program_id: ProgramId::new(4),
                pipeline_id: PipelineId::new(1),
            },
            execution_id: ExecutionId::new(953_671),
            position: 2,
            file: Some("sonarLogFile".into()),
        };
        let token = tokens.sign(&name);
        assert_eq!(tokens.read(&token), Some(name));
        assert_eq!(FileTokens::new(b"other").read(&token), None);
        for forged in ["", "AAAA", &token[1..], &format!("{token}A"), "%", "🦀"] {
            assert_eq!(tokens.read(forged), None, "{forged}");
        }
    }
}
