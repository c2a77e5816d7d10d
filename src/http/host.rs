//! The check of the `Host` header. A server on loopback answers only to its own names: otherwise a
//! web page could reach it by a name of its own that resolves to loopback (DNS rebinding).

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::uri::Authority;
use axum::http::{Extensions, HeaderMap, StatusCode, Uri, Version, header};
use url::{Origin, Url};

use super::arrival::Arrival;
use super::forwarded::Forwarded;
use super::problem::Problem;
use super::real_names;

/// The allowed hosts, and the base of absolute addresses.
#[derive(Clone, Debug)]
pub struct Hosts(Arc<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    public_url: Option<String>,
    public_origin: Option<Origin>,
    listen_url: String,
    /// None: all.
    allowed: Option<Vec<String>>,
    /// Whether the emulator answers under the real names.
    has_real_names: bool,
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
        let has_real_names = false;
        Self(Arc::new(Inner { public_url, public_origin, listen_url, allowed, has_real_names }))
    }

    /// Returns the same hosts, and the real names of Adobe's services.
    #[must_use]
    pub fn with_real_names(mut self) -> Self {
        Arc::make_mut(&mut self.0).has_real_names = true;
        self
    }

    /// Returns the base of absolute addresses in the answer to a request. Under a real name it is
    /// that of the API, whatever the public URL: such a client knows no other.
    #[must_use]
    pub fn base_url(&self, extensions: &Extensions, headers: &HeaderMap) -> String {
        let called = Called::of(extensions, headers);
        let is_real = |host: &str| name_of(host).is_some_and(|name| real_names::is_real(&name));
        match (called.host, &self.0.public_url) {
            (Some(host), _) if self.0.has_real_names && is_real(&host) => {
                real_names::API_URL.to_owned()
            }
            (_, Some(url)) => url.clone(),
            (Some(host), None) => format!("{}://{host}", called.scheme),
            (None, None) => self.0.listen_url.clone(),
        }
    }

    /// Returns the base of absolute addresses in events, which have no request with a `Host`.
    #[must_use]
    pub fn own_url(&self) -> &str {
        match &self.0.public_url {
            Some(url) => url,
            None if self.0.has_real_names => real_names::API_URL,
            None => &self.0.listen_url,
        }
    }

    /// Returns whether an `Origin` header names the emulator itself: the host that the request is
    /// for, or the public URL.
    pub(super) fn is_own_origin(
        &self,
        origin: &str,
        extensions: &Extensions,
        headers: &HeaderMap,
    ) -> bool {
        let Some(origin) = origin_of(origin) else { return false };
        if self.0.public_origin.as_ref() == Some(&origin) {
            return true;
        }
        if headers.get_all(header::HOST).iter().count() != 1 {
            return false;
        }
        let Called { scheme, host } = Called::of(extensions, headers);
        host.and_then(|host| origin_of(&format!("{scheme}://{host}"))) == Some(origin)
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
            || self.0.has_real_names && real_names::is_real(&name)
    }
}

/// What a client called: the scheme and host of its URL, as far as is known.
struct Called {
    scheme: &'static str,
    host: Option<String>,
}

impl Called {
    fn of(extensions: &Extensions, headers: &HeaderMap) -> Self {
        let arrival = extensions.get().copied().unwrap_or_else(Arrival::default);
        let forwarded =
            if arrival.is_forwarder { Forwarded::of(headers) } else { Forwarded::default() };
        let is_https = forwarded.is_https.unwrap_or(arrival.is_https);
        let is_host = |host: &str| name_of(host).is_some();
        let own = || headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = forwarded.host.filter(|host| is_host(host));
        let host = host.or_else(|| own().filter(|host| is_host(host)).map(str::to_owned));
        Self { scheme: if is_https { "https" } else { "http" }, host }
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
        let mut extensions = Extensions::new();
        let local = hosts("127.0.0.1", None);
        assert_eq!(local.base_url(&extensions, &headers), "http://127.0.0.1:4600");
        headers.insert(header::HOST, "localhost:1".parse().unwrap());
        assert_eq!(local.base_url(&extensions, &headers), "http://localhost:1");
        let public = hosts("127.0.0.1", Some("https://cm.example.com/"));
        assert_eq!(public.base_url(&extensions, &headers), "https://cm.example.com");
        extensions.insert(Arrival { is_https: true, is_forwarder: false });
        assert_eq!(local.base_url(&extensions, &headers), "https://localhost:1");
    }

    #[test]
    fn under_the_real_names_absolute_addresses_are_those_of_the_api() {
        let mut headers = HeaderMap::new();
        let extensions = Extensions::new();
        for name in ["cloudmanager.adobe.io", "IMS-na1.adobelogin.com:443"] {
            headers.insert(header::HOST, name.parse().unwrap());
            let plain = hosts("127.0.0.1", Some("https://cm.example.com"));
            assert!(!plain.allows(name));
            assert_eq!(plain.own_url(), "https://cm.example.com");
            assert_eq!(plain.base_url(&extensions, &headers), "https://cm.example.com");
            let real = plain.with_real_names();
            assert!(real.allows(name) && !real.allows("adobe.io"));
            assert_eq!(real.base_url(&extensions, &headers), "https://cloudmanager.adobe.io");
            let real = hosts("127.0.0.1", None).with_real_names();
            assert_eq!(real.own_url(), "https://cloudmanager.adobe.io");
        }
    }

    #[test]
    fn only_a_forwarder_may_say_what_was_called() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "emulator:4600".parse().unwrap());
        headers.insert("x-forwarded-proto", "https".parse().unwrap());
        headers.insert("x-forwarded-host", "cm.example.com".parse().unwrap());
        let hosts = hosts("127.0.0.1", None);
        for (is_forwarder, url, origin) in [
            (true, "https://cm.example.com", "https://cm.example.com"),
            (false, "http://emulator:4600", "http://emulator:4600"),
        ] {
            let mut extensions = Extensions::new();
            extensions.insert(Arrival { is_https: false, is_forwarder });
            assert_eq!(hosts.base_url(&extensions, &headers), url);
            assert!(hosts.is_own_origin(origin, &extensions, &headers));
            assert!(!hosts.is_own_origin("http://cm.example.com", &extensions, &headers));
        }
    }
}
