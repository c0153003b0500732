//! URLs of endpoints.
//! Not for: which service is called at which endpoint (see `manifest`).

use super::checked_name;
use std::sync::Arc;

/// The URL of an endpoint, such as `https://bucket.vpce-1a2b-3c4d.s3.us-east-1.vpce.amazonaws.com`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointUrl(Arc<str>);

checked_name!(EndpointUrl, "endpoint", check);

fn check(text: &str) -> Result<(), &'static str> {
    let uri: http::Uri = text.parse().map_err(|_| "it looks like `http://127.0.0.1:4700`")?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none_or(str::is_empty) {
        return Err("it looks like `http://127.0.0.1:4700`");
    }
    if uri.authority().is_some_and(|it| it.as_str().contains('@')) {
        return Err("a user or a password can't stand in it");
    }
    if uri.query().is_some() {
        return Err("it ends before the `?`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_checked() {
        for good in ["http://localhost:4700", "https://a.vpce.amazonaws.com/", "http://[::1]:1"] {
            assert!(EndpointUrl::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "localhost:4700",
            "s3.amazonaws.com",
            "ftp://a",
            "http://",
            "http://a:b@c",
            "http://a?b",
        ] {
            assert!(EndpointUrl::new(bad).is_err(), "{bad}");
        }
    }
}
