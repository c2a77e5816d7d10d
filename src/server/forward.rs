//! Requests with an absolute URL, which a proxy sends on: over TLS if the URL says `https`, as some
//! old clients expect.

use axum::body::Body;
use axum::http::uri::{PathAndQuery, Scheme};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header};
use axum::response::Response;
use hyper::client::conn::http1;
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use tokio::sync::OwnedSemaphorePermit;

use super::connection::Stream;
use super::outward::{Outward, refusal};
use crate::http::problem::Problem;

/// The headers that are about one connection only.
const HOP_BY_HOP: [HeaderName; 7] = [
    header::CONNECTION,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

impl Outward {
    /// Sends a request to the server of a URI, and returns its answer. The connection keeps the slot
    /// until it is closed.
    pub async fn forward(
        &self,
        uri: &Uri,
        mut request: Request<Body>,
        slot: OwnedSemaphorePermit,
    ) -> Result<Response, Problem> {
        let (stream, proxy) = self.stream_to(uri).await?;
        remove_hop_by_hop(request.headers_mut());
        if let Some(host) = uri.authority().and_then(|it| HeaderValue::from_str(it.as_str()).ok()) {
            request.headers_mut().insert(header::HOST, host);
        }
        *request.uri_mut() = if proxy.is_some() { uri.clone() } else { path_of(uri) };
        if let Some(credentials) = proxy.as_ref().and_then(Intercept::basic_auth) {
            request.headers_mut().insert(header::PROXY_AUTHORIZATION, credentials.clone());
        }
        let failed = |error: hyper::Error| refusal(uri, &error);
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
        // It ends with the answer.
        tokio::spawn(async move {
            let _slot = slot;
            connection.await
        });
        let mut answer = sender.send_request(request).await.map_err(failed)?;
        remove_hop_by_hop(answer.headers_mut());
        Ok(answer.map(Body::new))
    }

    async fn stream_to(&self, uri: &Uri) -> Result<(Box<dyn Stream>, Option<Intercept>), Problem> {
        if uri.scheme() != Some(&Scheme::HTTPS) {
            let (stream, proxy) = self.plain(uri).await?;
            return Ok((Box::new(stream), proxy));
        }
        let stream = self.tunnel(uri).await?;
        let tls = self.tls().await.map_err(|error| refusal(uri, &*error))?;
        let host = uri.host().unwrap_or_default();
        let stream = tls.connect(host, stream).await.map_err(|error| refusal(uri, &error))?;
        Ok((Box::new(stream), None))
    }
}

fn path_of(uri: &Uri) -> Uri {
    uri.path_and_query().map_or("/", PathAndQuery::as_str).parse().unwrap_or_default()
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let connection = headers.get_all(header::CONNECTION).iter();
    let named: Vec<HeaderName> = connection
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
}
