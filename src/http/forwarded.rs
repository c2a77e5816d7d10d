//! What a proxy in front of the emulator says about a request: `Forwarded` (RFC 7239), and the older
//! `X-Forwarded-Proto` and `X-Forwarded-Host`.

use axum::http::{HeaderMap, header};

/// What the client called, according to the proxy nearest to it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Forwarded {
    pub is_https: Option<bool>,
    pub host: Option<String>,
}

impl Forwarded {
    /// Reads the headers. `Forwarded` counts if both kinds are there.
    pub fn of(headers: &HeaderMap) -> Self {
        let first = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?;
            value.split(',').next().map(str::trim).filter(|value| !value.is_empty())
        };
        let Some(element) = first(header::FORWARDED.as_str()) else {
            return Self {
                is_https: first("x-forwarded-proto").and_then(is_https),
                host: first("x-forwarded-host").map(str::to_owned),
            };
        };
        let mut forwarded = Self::default();
        for pair in element.split(';') {
            let Some((name, value)) = pair.split_once('=') else { continue };
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "proto" => forwarded.is_https = is_https(value),
                "host" => forwarded.host = Some(value.to_owned()),
                _ => {}
            }
        }
        forwarded
    }
}

fn is_https(scheme: &str) -> Option<bool> {
    match scheme.to_ascii_lowercase().as_str() {
        "https" => Some(true),
        "http" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_headers_are_read() {
        for (name, value, is_https, host) in [
            (
                "forwarded",
                "for=1.2.3.4;Proto=HTTPS;host=\"a:8443\", host=b",
                Some(true),
                Some("a:8443"),
            ),
            ("forwarded", "host=a", None, Some("a")),
            ("forwarded", "nonsense", None, None),
            ("x-forwarded-proto", "https, http", Some(true), None),
            ("x-forwarded-proto", "ftp", None, None),
            ("x-forwarded-host", "a, b", None, Some("a")),
            ("x-forwarded-for", "1.2.3.4", None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            let host = host.map(str::to_owned);
            assert_eq!(Forwarded::of(&headers), Forwarded { is_https, host }, "{name}: {value}");
        }
    }
}
