//! Calls to an emulator.

use std::time::Duration;

use reqwest::Response;
use serde::de::DeserializeOwned;

use super::CommandError;
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
        // No proxy from the environment leads back to this machine.
        match reqwest::Client::builder().no_proxy().connect_timeout(TIMEOUT).build() {
            Ok(http) => Ok(Self { http, url }),
            Err(error) => Err(CommandError::NoAnswer { url, reason: with_causes(&error) }),
        }
    }

    /// Reads a resource.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CommandError> {
        let request = self.http.get(format!("{}{path}", self.url)).timeout(TIMEOUT);
        let answer = self.check(request.send().await).await?;
        let body = answer.bytes().await.map_err(|error| self.failed(&error))?;
        let unreadable = |error: serde_json::Error| CommandError::NoAnswer {
            url: self.url.clone(),
            reason: error.to_string(),
        };
        serde_json::from_slice(&body).map_err(unreadable)
    }

    /// Begins to read a stream, without a time limit.
    pub async fn stream(&self, path: &str) -> Result<Response, CommandError> {
        self.check(self.http.get(format!("{}{path}", self.url)).send().await).await
    }

    async fn check(&self, answer: reqwest::Result<Response>) -> Result<Response, CommandError> {
        let answer = answer.map_err(|error| self.failed(&error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body: String = answer.text().await.unwrap_or_default().chars().take(SHOWN).collect();
        let reason = format!("{status} {}", body.trim());
        Err(CommandError::NoAnswer { url: self.url.clone(), reason })
    }

    fn failed(&self, error: &reqwest::Error) -> CommandError {
        CommandError::NoAnswer { url: self.url.clone(), reason: with_causes(error) }
    }
}
