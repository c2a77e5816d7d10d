//! The files that the API redirects to. Their URLs contain a token: anyone who has the URL can
//! download the file.

mod content;

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http_range_header::parse_range_header;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::{Api, BaseUrl};
use crate::access::file_token::FileName;
use crate::http::api_path::ApiPath;
use crate::http::problem::Problem;
use crate::store::StoreError;
use content::{File, FileContent};

/// How much of a file is in memory at a time, in bytes.
const CHUNK: usize = 64 * 1024;

/// The location of a file.
#[derive(Debug, Serialize, ToSchema)]
pub struct Redirect {
    /// The absolute URL of the file; it needs no credentials.
    redirect: String,
}

/// The absolute address of a file.
pub(super) fn address(api: &Api, BaseUrl(base): &BaseUrl, name: &FileName) -> String {
    let token = api.file_tokens.sign(name);
    format!("{base}{}", ApiPath::File(&token))
}

/// Returns the URL of a file: as JSON if `Accept` names `application/json`, otherwise as a redirect.
pub(super) fn redirect(
    api: &Api,
    base: &BaseUrl,
    headers: &HeaderMap,
    name: &FileName,
) -> Response {
    let redirect = address(api, base, name);
    if accepts_json(headers) {
        Json(Redirect { redirect }).into_response()
    } else {
        (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, redirect)]).into_response()
    }
}

/// Whether `Accept` names `application/json`. `*/*` does not name it: curl and most HTTP libraries
/// send that by default, and are to follow the redirect.
fn accepts_json(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim())
        .any(|range| range.eq_ignore_ascii_case("application/json"))
}

/// Downloads a file, or the byte range in `Range`.
#[utoipa::path(get, path = "/files/{token}", operation_id = "downloadFile", tag = "Files",
    params(("token" = String, Path, description = "The token from the URL that the API returned"),
        ("Range" = Option<String>, Header, description = "The byte range to return")),
    responses(
        (status = 200, description = "The file", content((String = "text/plain"),
            (String = "application/gzip"), (String = "application/zip"), (String = "text/csv"),
            (Object = "application/json"))),
        (status = 206, description = "The byte range", content((String = "text/plain"),
            (String = "application/gzip"), (String = "application/zip"), (String = "text/csv"),
            (String = "application/json")),
            headers(("content-range" = String, description = "The byte range and the length of the file"))),
        (status = 304, description = "The file has not changed: its etag is in If-None-Match"),
        (status = 416, description = "The range is beyond the end of the file",
            headers(("content-range" = String, description = "The length of the file")))))]
pub async fn download_file(
    State(api): State<Api>,
    token: Result<Path<String>, axum::extract::rejection::PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let not_found = || Problem::not_found("The file");
    let Path(token) = token.map_err(|_| not_found())?;
    let name = api.file_tokens.read(&token).ok_or_else(not_found)?;
    let file = File::find(&api, &name).await?.ok_or_else(not_found)?;
    // Files only grow: their length tells one version from another.
    let total = file.content.len();
    let etag = etag(&token, total);
    let names = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if names(header::IF_NONE_MATCH).is_some_and(|tags| tags == "*" || tags.contains(&etag)) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    let is_current = names(header::IF_RANGE).is_none_or(|tag| tag == etag);
    Ok(answer(file, total, &etag, names(header::RANGE).filter(|_| is_current)))
}

fn etag(token: &str, length: u64) -> String {
    let digits = format!("{:x}", Sha256::digest(format!("{token} {length}")));
    format!("\"{digits:.16}\"")
}

fn answer(file: File, total: u64, etag: &str, range: Option<&str>) -> Response {
    let File { content, media_type, name, is_shown } = file;
    let (status, start, end) = match part(range, total) {
        Part::Whole => (StatusCode::OK, 0, total),
        Part::Bytes(start, end) => (StatusCode::PARTIAL_CONTENT, start, end),
        Part::None => {
            let content_range = [(header::CONTENT_RANGE, format!("bytes */{total}"))];
            return (StatusCode::RANGE_NOT_SATISFIABLE, content_range).into_response();
        }
    };
    let mut response = (
        status,
        [
            (header::CONTENT_TYPE, media_type.to_owned()),
            (header::CONTENT_LENGTH, (end - start).to_string()),
            (header::ACCEPT_RANGES, "bytes".to_owned()),
            (header::ETAG, etag.to_owned()),
        ],
        Body::from_stream(read(content, start, end)),
    )
        .into_response();
    let mut add = |header: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(header, value);
        }
    };
    if status == StatusCode::PARTIAL_CONTENT {
        add(header::CONTENT_RANGE, format!("bytes {start}-{}/{total}", end - 1));
    }
    add(header::CONTENT_DISPOSITION, disposition(&name, is_shown));
    response
}

/// Returns the value of `content-disposition` (RFC 6266). A name with other characters than ASCII is
/// given twice: clients that don't know `filename*` read the first one.
fn disposition(name: &str, is_shown: bool) -> String {
    let kind = if is_shown { "inline" } else { "attachment" };
    if name.is_ascii() {
        return format!("{kind}; filename=\"{name}\"");
    }
    let plain = name.replace(|char: char| !char.is_ascii(), "_");
    let encoded = utf8_percent_encode(name, NON_ALPHANUMERIC);
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

/// Which part of a file is answered.
enum Part {
    Whole,
    /// From a position up to another.
    Bytes(u64, u64),
    /// Nothing of the file is in the range.
    None,
}

/// The part of a file of `total` bytes that `Range` asks for.
fn part(range: Option<&str>, total: u64) -> Part {
    let parsed = range.and_then(|range| parse_range_header(range).ok());
    // A range that can't be read, or several, are answered by the whole file (RFC 9110).
    let Some(ranges) = parsed.filter(|ranges| ranges.len() == 1) else { return Part::Whole };
    let Ok(satisfiable) = ranges.validate(total) else { return Part::None };
    let range = satisfiable.first().cloned().unwrap_or(0..=total.saturating_sub(1));
    Part::Bytes(*range.start(), range.end() + 1)
}

/// The bytes from `start` to `end`, a chunk at a time.
fn read(
    content: FileContent,
    start: u64,
    end: u64,
) -> impl stream::Stream<Item = Result<Vec<u8>, StoreError>> {
    let content = Arc::new(content);
    stream::try_unfold(start, move |at| {
        let content = content.clone();
        async move {
            let chunk = content.read(at, end, CHUNK).await?;
            let next = at + chunk.len() as u64;
            Ok((!chunk.is_empty()).then_some((chunk, next)))
        }
    })
}
