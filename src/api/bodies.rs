//! The in-memory cache of response bodies that show executions, limited in bytes.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde::Serialize;

use super::page::Paging;
use crate::content::deployment::next_change;
use crate::domain::id::{ExecutionId, PipelineKey};
use crate::domain::time::Timestamp;
use crate::engine::read::Snapshot;
use crate::engine::{Engine, Epoch};
use crate::http::problem::Problem;

/// How many bytes are kept.
const CAPACITY: u64 = 32 * 1024 * 1024;

/// What an entry takes beside its body, in bytes, about.
const OVERHEAD: u64 = 200;

/// How many entries are expected.
const EXPECTED: usize = 1024;

/// The bodies that were answered last.
pub struct ResponseCache(Cache<(PipelineKey, Subject), CachedBody, ByBytes>);

/// Which executions of a pipeline a body shows. With the pipeline, this is the key of the cache.
/// The content depends on nothing else but the time and the stored executions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// One execution.
    Execution(ExecutionId),
    /// The unfinished execution.
    Current,
    /// A page of them.
    Page(Paging),
}

/// A body that was just made.
pub struct RenderedBody {
    body: Bytes,
    valid_until: Option<Timestamp>,
}

impl RenderedBody {
    /// Serialises a view of these executions. The body is valid until time changes one of them.
    #[must_use]
    pub fn new(view: &impl Serialize, executions: &[Snapshot]) -> Self {
        let changes = executions.iter().filter_map(|it| next_change(&it.execution, it.now));
        let body = serde_json::to_vec(view).unwrap_or_default().into();
        Self { body, valid_until: changes.min() }
    }
}

#[derive(Clone)]
struct CachedBody {
    epoch: Epoch,
    valid_until: Option<Timestamp>,
    body: Bytes,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<(PipelineKey, Subject), CachedBody> for ByBytes {
    fn weight(&self, _: &(PipelineKey, Subject), entry: &CachedBody) -> u64 {
        OVERHEAD + entry.body.len() as u64
    }
}

impl Default for ResponseCache {
    fn default() -> Self {
        Self(Cache::with_weighter(EXPECTED, CAPACITY, ByBytes))
    }
}

impl ResponseCache {
    /// Returns a response with the cached body, or calls `render` and caches the result. A cached
    /// body is valid until the pipeline's executions are written, or time changes its content.
    pub async fn answer(
        &self,
        engine: &Engine,
        pipeline: PipelineKey,
        subject: Subject,
        render: impl AsyncFnOnce() -> Result<RenderedBody, Problem>,
    ) -> Result<Response, Problem> {
        // The epoch is read before the executions: what changes in between makes the body invalid.
        let epoch = engine.epoch(pipeline);
        let key = (pipeline, subject);
        let kept = self.find(&key, epoch, engine.now());
        let body = if let Some(body) = kept {
            body
        } else {
            let RenderedBody { body, valid_until } = render().await?;
            self.0.insert(key, CachedBody { epoch, valid_until, body: body.clone() });
            body
        };
        let mut answer = Response::new(Body::from(body));
        let json = HeaderValue::from_static("application/json");
        answer.headers_mut().insert(header::CONTENT_TYPE, json);
        Ok(answer)
    }

    fn find(&self, key: &(PipelineKey, Subject), epoch: Epoch, now: Timestamp) -> Option<Bytes> {
        let entry = self.0.get(key)?;
        let valid = entry.epoch == epoch && entry.valid_until.is_none_or(|until| now < until);
        valid.then_some(entry.body)
    }
}
