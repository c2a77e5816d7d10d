//! The check of the `Host` header. A server on loopback answers only to its own names: otherwise a
//! web page could reach it by a name of its own that resolves to loopback (DNS rebinding).

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, Version, header};
use url::{Origin, Url};

use super::problem::Problem;

/// The allowed hosts, and the base of absolute addresses.
#[derive(Clone, Debug)]
pub struct Hosts(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    public_url: Option<String>,
    public_origin: Option<Origin>,
    listen_url: String,
    /// None: all.
    allowed: Option<Vec<String>>,
}

impl Hosts {
    /// For a server that listens on `ip` at `listen_url`.
    #[must_use]
    pub fn new(
        ip: IpAddr,
        listen_url: String,
        public_url: Option<String>,
        allow_hosts: &[String],
    ) -> Self {
        let public_url = public_url.map(|url| url.trim_end_matches('/').to_owned());
        let allowed = ip.to_canonical().is_loopback().then(|| {
            let public: Option<Uri> = public_url.as_deref().and_then(|url| url.parse().ok());
            let public_host = public.as_ref().and_then(Uri::host).map(str::to_owned);
            allow_hosts.iter().cloned().chain(public_host).map(|name| name.to_lowercase()).collect()
        });
        let public_origin = public_url.as_deref().and_then(origin_of);
        Self(Arc::new(Inner { public_url, public_origin, listen_url, allowed }))
    }

    /// Returns the base of absolute addresses in an answer to a request with these headers.
    #[must_use]
    pub fn base_url(&self, headers: &HeaderMap) -> String {
        if let Some(url) = &self.0.public_url {
            return url.clone();
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        match host.filter(|host| name_of(host).is_some()) {
            Some(host) => format!("http://{host}"),
            None => self.0.listen_url.clone(),
        }
    }

    /// Returns the base of absolute addresses in events, which have no request with a `Host`.
    #[must_use]
    pub fn own_url(&self) -> &str {
        self.0.public_url.as_ref().unwrap_or(&self.0.listen_url)
    }

    /// Returns whether an `Origin` header names the emulator itself: the host that the request is
    /// for, or the public URL.
    pub(super) fn is_own_origin(&self, origin: &str, headers: &HeaderMap) -> bool {
        let Some(origin) = origin_of(origin) else { return false };
        if self.0.public_origin.as_ref() == Some(&origin) {
            return true;
        }
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
        let host = host.to_str().ok().filter(|host| name_of(host).is_some());
        host.and_then(|host| origin_of(&format!("http://{host}"))) == Some(origin)
    }

    fn allows(&self, host: &str) -> bool {
        let Some(allowed) = &self.0.allowed else { return true };
        // Nearly all requests have one of these, which need no parsing.
        if host == "localhost" || self.0.listen_url.strip_prefix("http://") == Some(host) {
            return true;
        }
        let Some(name) = name_of(host) else { return false };
        name == "localhost"
            || name.ends_with(".localhost")
            || name.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
            || allowed.contains(&name)
    }
}

/// Returns the name in a `Host` header: in lower case, without the port, without the brackets of an
/// IPv6 address. None if it is no host with an optional port.
fn name_of(host: &str) -> Option<String> {
    let authority: Authority = host.parse().ok()?;
    let name = authority.host();
    let rest = host.strip_prefix(name)?;
    let well_formed = rest.is_empty() || authority.port_u16().is_some();
    let name = name.trim_start_matches('[').trim_end_matches(']');
    (well_formed && !name.is_empty()).then(|| name.to_lowercase())
}

/// Returns the origin of a URL: scheme, host and port, whether or not the port is written. None for
/// what has no such origin, as `null`.
fn origin_of(url: &str) -> Option<Origin> {
    Url::parse(url).ok().map(|url| url.origin()).filter(Origin::is_tuple)
}

/// Refuses requests whose `Host` is not allowed, and requests without exactly one `Host` header,
/// which HTTP/1.1 requires.
pub fn check_host(hosts: &Hosts, version: Version, headers: &HeaderMap) -> Result<(), Problem> {
    let count = headers.get_all(header::HOST).iter().count();
    if count > 1 || count == 0 && version == Version::HTTP_11 {
        return Err(Problem::bad_request("The request must have one Host header."));
    }
    let foreign = headers.get_all(header::HOST).iter().find_map(|host| {
        let host = host.to_str().unwrap_or_default();
        (!hosts.allows(host)).then_some(host)
    });
    let Some(host) = foreign else { return Ok(()) };
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "Host not allowed",
        format!(
            "Requests to the host {} are refused; start the emulator with --allow-host {} to \
             allow them.",
            host.escape_debug(),
            name_of(host).unwrap_or_default().escape_debug()
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(ip: &str, public_url: Option<&str>) -> Hosts {
        let url = public_url.map(str::to_owned);
        Hosts::new(ip.parse().unwrap(), "http://127.0.0.1:4600".into(), url, &["Emulator".into()])
    }

    #[test]
    fn loopback_answers_only_to_names_that_are_meant_for_it() {
        let hosts = hosts("127.0.0.1", Some("https://cm.example.com/"));
        for host in [
            "localhost",
            "LOCALHOST:4600",
            "127.0.0.1:4600",
            "127.1.2.3",
            "[::1]:4600",
            "cm.localhost",
            "emulator:80",
            "cm.example.com",
        ] {
            assert!(hosts.allows(host), "{host}");
        }
        for host in [
            "[::1].evil.com",
            "127.0.0.1:x@evil.com",
            "evil.com@127.0.0.1",
            "127.0.0.1:99999",
            "evil.com",
            "localhost.evil.com",
            "",
            "10.0.0.1",
            "[::2]",
            "notlocalhost",
        ] {
            assert!(!hosts.allows(host), "{host}");
        }
    }

    #[test]
    fn a_mapped_loopback_address_is_loopback() {
        for ip in ["::ffff:127.0.0.1", "::1", "127.0.0.2"] {
            let hosts = hosts(ip, None);
            assert!(!hosts.allows("evil.com") && hosts.allows("[::ffff:127.0.0.1]:4600"), "{ip}");
        }
    }

    #[test]
    fn other_addresses_answer_to_every_name() {
        assert!(hosts("0.0.0.0", None).allows("anything.example"));
    }

    #[test]
    fn absolute_addresses_begin_with_the_public_url_or_the_host() {
        let mut headers = HeaderMap::new();
        assert_eq!(hosts("127.0.0.1", None).base_url(&headers), "http://127.0.0.1:4600");
        headers.insert(header::HOST, "localhost:1".parse().unwrap());
        assert_eq!(hosts("127.0.0.1", None).base_url(&headers), "http://localhost:1");
        let public = hosts("127.0.0.1", Some("https://cm.example.com/"));
        assert_eq!(public.base_url(&headers), "https://cm.example.com");
    }
}
