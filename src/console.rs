//! The console: pages for the browser, which use nothing but `/api` and `/_emulator`. Its files are
//! in `console/` and are part of the binary; a debug build reads them from there with each request.

use std::fmt::Write;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::http::problem::Problem;

#[derive(RustEmbed)]
#[folder = "console/"]
struct Assets;

/// Only files of this origin, no inline scripts or styles, and no frames.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; object-src 'none'";

/// The pages, which `console/core/routes.js` tells apart, and the files that they load.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let page = get(async |headers: HeaderMap| answer("index.html", &headers));
    Router::new()
        .route("/", page.clone())
        .route("/program/{*page}", page.clone())
        .route("/emulator", page)
        .route("/console/{*file}", get(get_file))
}

async fn get_file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    answer(&name, &headers)
}

fn answer(name: &str, request: &HeaderMap) -> Response {
    let Some(file) = Assets::get(name) else {
        return Problem::not_found("The file").into_response();
    };
    let tag = entity_tag(&file);
    let headers = [
        (header::CONTENT_TYPE, content_type(name)),
        (header::ETAG, &tag),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    let known = request.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    if known.is_some_and(|tags| tags.split(',').any(|known| known.trim() == tag)) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, file.data).into_response()
}

fn entity_tag(file: &EmbeddedFile) -> String {
    let digest = &file.metadata.sha256_hash()[..16];
    let mut tag = String::from("\"");
    for byte in digest {
        // Writing to a string can't fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag + "\""
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.') {
        Some((_, "html")) => "text/html; charset=utf-8",
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}
