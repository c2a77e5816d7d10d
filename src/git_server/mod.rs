//! Smart HTTP for git: clone, fetch and push under `/git/<imsTenantId>/<repo>/`.

mod input;
mod refusal;
mod repository;

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::sync::mpsc;
use utoipa::openapi::OpenApi;

use crate::access::Access;
use crate::engine::Engine;
use crate::git::{Advertised, GitService, Protocol, Transfer};
use crate::http::operations::{self, MakeEndpoint, Operations, routes};
use crate::http::query::QueryParameters;
use refusal::GitRefusal;
use repository::NamedRepository;

/// What the handlers need.
#[derive(Clone)]
pub struct GitServer {
    engine: Arc<Engine>,
    access: Access,
}

impl GitServer {
    /// Returns the git server of an engine, for those who are let in.
    #[must_use]
    pub fn new(engine: Arc<Engine>, access: Access) -> Self {
        Self { engine, access }
    }
}

/// The operations under `/git`.
const OPERATIONS: &[MakeEndpoint<GitServer>] =
    &[|| routes!(get_git_refs), || routes!(git_upload_pack), || routes!(git_receive_pack)];

/// Answers the operations, and notes which they are.
pub fn router(operations: &mut Operations) -> Router<GitServer> {
    // Whoever may use a repository may do everything with it.
    operations::serve(OPERATIONS.iter().map(|make| (*make, None)), operations)
}

/// Describes the operations.
#[must_use]
pub fn describe() -> OpenApi {
    operations::describe(OPERATIONS.iter().copied())
}

/// How many pieces of an answer wait for a caller who is slower than `git`.
const WAITING: usize = 4;

/// The header in which a client asks for a version of the protocol.
const GIT_PROTOCOL: &str = "git-protocol";

/// Lists the refs of a repository and what the server can do. Clients call it first.
#[utoipa::path(get, path = "/git/{imsTenantId}/{repo}/info/refs", operation_id = "getGitRefs",
    tag = "Git",
    params(NamedRepository,
        ("service" = String, Query, description = "`git-upload-pack` or `git-receive-pack`",
            pattern = "^git-(upload|receive)-pack$")),
    responses(
        (status = 200, description = "The refs", content(
            (String = "application/x-git-upload-pack-advertisement"),
            (String = "application/x-git-receive-pack-advertisement"))),
        GitRefusal))]
async fn get_git_refs(
    State(server): State<GitServer>,
    named: NamedRepository,
    query: QueryParameters,
    headers: HeaderMap,
) -> Result<Response, GitRefusal> {
    let service = query.get("service").and_then(GitService::find).ok_or_else(GitRefusal::dumb)?;
    let content_type = format!("application/x-{}-advertisement", service.name());
    let repository = server.engine.repository(named.key);
    if service == GitService::ReceivePack {
        repository.make().await?;
        // The heads of an earlier push may not have been stored: `git` would not send that again.
        if let Err(error) = server.engine.read_heads(repository.clone()).await {
            tracing::warn!("the heads of {} can't be stored now: {error}", named.name);
        }
    } else if !named.in_git || !repository.exists().await? {
        let text = format!("ERR The repository {} has no objects: push to it first.", named.name);
        let body = [service_line(service), packet(&text)].concat();
        return Ok(no_cache(&content_type, body.into()));
    } else if let Err(error) = server.engine.make_tags(Some(named.key)).await {
        tracing::warn!("tags can't be made now: {error}");
    }
    let protocol = protocol_of(service, &headers);
    let git = server.engine.git();
    let transfer = git.transfer(&repository, service, protocol, Advertised::Only).await?;
    let line = if protocol == Protocol::Two { Vec::new() } else { service_line(service) };
    let input = stream::empty::<io::Result<Bytes>>();
    server.answer(transfer, input, async { Ok(()) }, &content_type, line).await
}

/// Sends the objects that a clone or a fetch asks for.
#[utoipa::path(post, path = "/git/{imsTenantId}/{repo}/git-upload-pack",
    operation_id = "gitUploadPack", tag = "Git", params(NamedRepository),
    request_body(content = String, content_type = "application/x-git-upload-pack-request"),
    responses(
        (status = 200, description = "The objects", body = String,
            content_type = "application/x-git-upload-pack-result"),
        GitRefusal))]
async fn git_upload_pack(
    State(server): State<GitServer>,
    named: NamedRepository,
    request: Request,
) -> Result<Response, GitRefusal> {
    let repository = server.engine.repository(named.key);
    if !named.in_git || !repository.exists().await? {
        return Err(GitRefusal::no_objects(&named.name));
    }
    server.serve(repository, GitService::UploadPack, request, async { Ok(()) }).await
}

/// Takes what is pushed. The answer ends when the API lists the new heads, and the pipelines that
/// they start have started.
#[utoipa::path(post, path = "/git/{imsTenantId}/{repo}/git-receive-pack",
    operation_id = "gitReceivePack", tag = "Git", params(NamedRepository),
    request_body(content = String, content_type = "application/x-git-receive-pack-request"),
    responses(
        (status = 200, description = "What became of each ref", body = String,
            content_type = "application/x-git-receive-pack-result"),
        GitRefusal))]
async fn git_receive_pack(
    State(server): State<GitServer>,
    named: NamedRepository,
    request: Request,
) -> Result<Response, GitRefusal> {
    let repository = server.engine.repository(named.key);
    repository.make().await?;
    let (engine, pushed) = (server.engine.clone(), repository.clone());
    // Whatever git says has happened, its refs tell.
    let finish = async move { engine.read_heads(pushed).await.map(drop).map_err(io::Error::other) };
    server.serve(repository, GitService::ReceivePack, request, finish).await
}

impl GitServer {
    async fn serve(
        &self,
        repository: crate::git::GitRepository,
        service: GitService,
        request: Request,
        finish: impl Future<Output = io::Result<()>> + Send + 'static,
    ) -> Result<Response, GitRefusal> {
        let (parts, body) = request.into_parts();
        let expected = format!("application/x-{}-request", service.name());
        if parts
            .headers
            .get(header::CONTENT_TYPE)
            .is_none_or(|sent| sent.as_bytes() != expected.as_bytes())
        {
            return Err(GitRefusal::content_type(&expected));
        }
        let input = input::decoded(body, parts.headers.get(header::CONTENT_ENCODING))?;
        let input = input::limited(input, service);
        let protocol = protocol_of(service, &parts.headers);
        let git = self.engine.git();
        let transfer = git.transfer(&repository, service, protocol, Advertised::Before).await?;
        let content_type = format!("application/x-{}-result", service.name());
        self.answer(transfer, input, finish, &content_type, Vec::new()).await
    }

    /// Answers with what `git` writes, after a prefix. The last piece follows what has to be done
    /// at the end, which is done even if the caller leaves.
    async fn answer<E: Send + 'static>(
        &self,
        transfer: Transfer,
        input: impl Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
        finish: impl Future<Output = io::Result<()>> + Send + 'static,
        content_type: &str,
        prefix: Vec<u8>,
    ) -> Result<Response, GitRefusal> {
        let (sender, mut receiver) = mpsc::channel(WAITING);
        let engine = self.engine.clone();
        tokio::spawn(async move {
            let ended = transfer.run(input, &sender, engine.wait_for_stop()).await;
            let finished = finish.await;
            let last = ended.map_err(io::Error::other).and_then(|last| finished.map(|()| last));
            if let Err(error) = &last {
                tracing::warn!("a clone, fetch or push has failed: {error}");
            }
            if let Some(last) = last.transpose() {
                // An error means that the caller has left.
                let _ = sender.send(last).await;
            }
        });
        // Until the first piece is there, the status is open.
        match receiver.recv().await {
            None => Err(GitRefusal::unreadable()),
            Some(Err(error)) => Err(GitRefusal::failed(&error)),
            Some(Ok(first)) => {
                let begin = stream::iter([Ok(Bytes::from(prefix)), Ok(first)]);
                let rest = stream::poll_fn(move |context| receiver.poll_recv(context));
                let body = Body::from_stream(futures_util::StreamExt::chain(begin, rest));
                Ok(no_cache(content_type, body))
            }
        }
    }
}

fn no_cache(content_type: &str, body: Body) -> Response {
    let headers =
        [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-cache, max-age=0")];
    (headers, body).into_response()
}

/// Returns the version of the protocol that a client asks for. There is none but the first for
/// pushes.
fn protocol_of(service: GitService, headers: &HeaderMap) -> Protocol {
    match service {
        GitService::UploadPack => Protocol::of(headers.get(GIT_PROTOCOL).map(AsRef::as_ref)),
        GitService::ReceivePack => Protocol::Zero,
    }
}

/// Returns the first line of an advertisement, and the end of its part.
fn service_line(service: GitService) -> Vec<u8> {
    [packet(&format!("# service={}\n", service.name())), b"0000".to_vec()].concat()
}

/// Returns a text as a packet of git's protocol: its length in four digits, then the text.
fn packet(text: &str) -> Vec<u8> {
    format!("{:04x}{text}", text.len() + 4).into_bytes()
}
