//! Calls to an emulator.

use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use serde::de::DeserializeOwned;

use super::CommandError;
use crate::outgoing;
use crate::store::with_causes;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest part of an unexpected answer that is shown.
const SHOWN: usize = 300;

/// Calls one emulator.
pub(super) struct EmulatorClient {
    http: reqwest::Client,
    url: String,
}

impl EmulatorClient {
    /// Returns a client for the emulator at a URL.
    pub fn new(url: &str) -> Result<Self, CommandError> {
        let url = url.trim_end_matches('/').to_owned();
        // Proxies of the environment are ignored: they can't reach an emulator on this machine.
        let builder = || reqwest::Client::builder().no_proxy().connect_timeout(TIMEOUT);
        match outgoing::build(builder) {
            Ok(http) => Ok(Self { http, url }),
            Err(error) => Err(failure(&url, error)),
        }
    }

    /// Reads a resource.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CommandError> {
        read_json(self.http.get(format!("{}{path}", self.url)), &self.url).await
    }

    /// Begins to read a stream, without a time limit.
    pub async fn stream(&self, path: &str) -> Result<Response, CommandError> {
        answer(self.http.get(format!("{}{path}", self.url)), &self.url).await
    }
}

/// Sends a request to a URL, and reads the JSON of its answer.
pub(super) async fn read_json<T: DeserializeOwned>(
    request: RequestBuilder,
    url: &str,
) -> Result<T, CommandError> {
    let answer = answer(request.timeout(TIMEOUT), url).await?;
    let body = answer.bytes().await.map_err(|error| failure(url, error))?;
    let unreadable = |error: serde_json::Error| CommandError::NoAnswer {
        url: url.to_owned(),
        reason: error.to_string(),
    };
    serde_json::from_slice(&body).map_err(unreadable)
}

/// Sends a request to a URL, and returns its answer if it succeeds.
async fn answer(request: RequestBuilder, url: &str) -> Result<Response, CommandError> {
    let answer = request.send().await.map_err(|error| failure(url, error))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let body: String = answer.text().await.unwrap_or_default().chars().take(SHOWN).collect();
    let reason = format!("{status} {}", body.trim());
    Err(CommandError::NoAnswer { url: url.to_owned(), reason })
}

pub(super) fn failure(url: &str, error: reqwest::Error) -> CommandError {
    let is_unreachable = error.is_connect();
    let (url, reason) = (url.to_owned(), with_causes(&error.without_url()));
    if is_unreachable {
        CommandError::Unreachable { url, reason }
    } else {
        CommandError::NoAnswer { url, reason }
    }
}
