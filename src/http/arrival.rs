//! How a request came: over which connection, from whom.

/// How a request came. Requests that carry none came without TLS, from a caller who is not trusted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Arrival {
    /// Whether it came over TLS, or was meant to, as a client told the proxy.
    pub is_https: bool,
    /// Whether the caller may say in headers how the request came to him.
    pub is_forwarder: bool,
}
