//! The check of the origin: only web pages of the emulator's own origin may change something. A
//! browser lets any page send requests to a server on this machine, so the server must refuse them.

use axum::http::{Extensions, HeaderMap, HeaderName, Method, StatusCode, header};

use super::host::Hosts;
use super::problem::Problem;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The prefix of the paths of git repositories.
const GIT: &str = "/git/";

/// Refuses requests of foreign web pages that could change something. Other reads are allowed:
/// browsers don't show the answers to pages of other origins.
pub fn check_origin(
    hosts: &Hosts,
    (method, path): (&Method, &str),
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Result<(), Problem> {
    // To ask for the refs before a push runs `git`, and makes an empty repository on disk.
    if method.is_safe() && !path.starts_with(GIT) {
        return Ok(());
    }
    let Some(name) = find_foreign_header(hosts, extensions, headers) else { return Ok(()) };
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "Cross-origin request",
        format!(
            "The header {name} shows that a web page of another origin sent this request; such \
             pages can't change anything. Call from the emulator's own origin, send no Origin \
             header, or start the emulator with the page's origin as --public-url."
        ),
    ))
}

/// Returns the header that shows that a request comes from a page of another origin. Only browsers
/// send these headers, so other clients are not affected.
fn find_foreign_header(
    hosts: &Hosts,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Option<&'static str> {
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
    if sites.any(|site| site != "same-origin" && site != "none") {
        return Some("Sec-Fetch-Site");
    }
    let is_own = |origin: &str| hosts.is_own_origin(origin, extensions, headers);
    let mut origins = headers.get_all(header::ORIGIN).iter();
    origins.any(|origin| !origin.to_str().is_ok_and(is_own)).then_some("Origin")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn found(public_url: Option<&str>, headers: &[(HeaderName, &[u8])]) -> Option<&'static str> {
        let url = public_url.map(str::to_owned);
        let ip = "127.0.0.1".parse().unwrap();
        let hosts = Hosts::new(ip, "http://127.0.0.1:4600".into(), url, &[]);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        find_foreign_header(&hosts, &Extensions::new(), &map)
    }

    #[test]
    fn an_origin_is_the_emulator_s_own_if_scheme_host_and_port_are() {
        for (host, origin, is_own) in [
            ("localhost:4600", "http://localhost:4600", true),
            ("LocalHost:4600", "HTTP://LOCALHOST:4600", true),
            ("localhost:80", "http://localhost", true),
            ("localhost", "http://localhost:80", true),
            ("[::1]:4600", "http://[::1]:4600", true),
            ("[0:0::1]:4600", "http://[::1]:4600", true),
            ("[::1]", "http://[::1]", true),
            ("localhost:4600", "http://localhost", false),
            ("localhost:4600", "http://localhost:3000", false),
            ("localhost:4600", "https://localhost:4600", false),
            ("localhost:4600", "http://127.0.0.1:4600", false),
            ("localhost:4600", "http://evil.example", false),
            ("localhost:4600", "http://localhost:4600.evil.example", false),
            ("localhost:4600", "http://localhost:4600 http://evil.example", false),
            ("localhost:4600", "localhost:4600", false),
            ("localhost:4600", "null", false),
            ("localhost:4600", "", false),
            ("localhost:4600", "file://", false),
            ("localhost:4600", "data:text/html,x", false),
            ("localhost:443", "https://localhost", false),
            ("evil.example@localhost:4600", "http://localhost:4600", false),
        ] {
            let headers = [(header::HOST, host.as_bytes()), (header::ORIGIN, origin.as_bytes())];
            assert_eq!(found(None, &headers).is_none(), is_own, "{host} {origin}");
        }
    }

    #[test]
    fn the_origin_of_the_public_url_is_the_emulator_s_own_too() {
        let public_url = Some("https://cm.example.com/base/");
        for (host, origin, is_own) in [
            ("cm.example.com", "https://cm.example.com", true),
            ("127.0.0.1:4600", "https://CM.example.com:443", true),
            ("127.0.0.1:4600", "http://127.0.0.1:4600", true),
            ("127.0.0.1:4600", "https://example.com", false),
            ("127.0.0.1:4600", "https://cm.example.com:444", false),
            ("127.0.0.1:4600", "http://cm.example.com", false),
        ] {
            let headers = [(header::HOST, host.as_bytes()), (header::ORIGIN, origin.as_bytes())];
            assert_eq!(found(public_url, &headers).is_none(), is_own, "{host} {origin}");
        }
    }

    #[test]
    fn every_value_of_a_header_counts() {
        const HOST: (HeaderName, &[u8]) = (header::HOST, b"localhost");
        let own: &[u8] = b"http://localhost";
        let origin = |value: &'static [u8]| (header::ORIGIN, value);
        let site = |value: &'static [u8]| (SEC_FETCH_SITE, value);
        assert_eq!(found(None, &[]), None);
        assert_eq!(found(None, &[HOST, origin(own), origin(own)]), None);
        assert_eq!(found(None, &[HOST, origin(own), origin(b"null")]), Some("Origin"));
        assert_eq!(found(None, &[HOST, origin(b"http://local\xfehost")]), Some("Origin"));
        assert_eq!(found(None, &[HOST, HOST, origin(own)]), Some("Origin"));
        assert_eq!(found(None, &[origin(own)]), Some("Origin"));
        assert_eq!(found(None, &[HOST, origin(own), site(b"same-origin")]), None);
        assert_eq!(found(None, &[site(b"none")]), None);
        for value in [&b"cross-site"[..], b"same-site", b"", b"SAME-ORIGIN", b"\xff"] {
            assert_eq!(found(None, &[HOST, origin(own), site(value)]), Some("Sec-Fetch-Site"));
            let both = [site(b"same-origin"), site(value)];
            assert_eq!(found(None, &both), Some("Sec-Fetch-Site"));
        }
    }
}
