//! Virtual-hosted requests: the bucket that a request names in its host, and the bucket and key of
//! any request (S3 User Guide, "Virtual hosting of general purpose buckets").
//! Not for: the services other than S3, whose requests do not depend on the host.

use http::request::Parts;
use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// The host names under which the sandbox serves S3. A name before one of them is a bucket.
#[derive(Debug, Clone)]
pub(super) struct Hosts(Vec<String>);

/// The bucket and the key that a request names, and where it names the bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) bucket: String,
    pub(super) key: String,
    /// Whether the bucket is in the host name (virtual-hosted style) instead of the path.
    pub(super) in_host: bool,
}

impl Hosts {
    /// Creates the list of host names: `localhost`, and `further` names.
    pub(super) fn new(further: &[String]) -> Self {
        let further = further.iter().map(|name| name.to_ascii_lowercase());
        Self(std::iter::once("localhost".to_owned()).chain(further).collect())
    }

    /// Returns the bucket in a `Host` header. A bucket may be followed by `s3`, or by `s3` and a
    /// Region, as in AWS's own host names. Names such as `bucket.127.0.0.1.nip.io` count too.
    fn bucket(&self, host: &str) -> Option<String> {
        let host = host.to_ascii_lowercase();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => &host,
        };
        let within = |base: &String| name.strip_suffix(base.as_str())?.strip_suffix('.');
        let labels = self.0.iter().find_map(within).or_else(|| {
            name.split_once(".127.0.0.1.").map(|(labels, _)| labels).filter(|l| !l.is_empty())
        })?;
        let bucket = match labels.rsplit_once(".s3.") {
            Some((bucket, _region)) => bucket,
            None => labels.strip_suffix(".s3").unwrap_or(labels),
        };
        let is_service = bucket == "s3" || bucket.starts_with("s3.");
        (!is_service).then(|| bucket.to_owned())
    }

    /// Returns the bucket and the key of a request.
    pub(super) fn target(&self, parts: &Parts) -> Target {
        let host = parts.headers.get(http::header::HOST).and_then(|value| value.to_str().ok());
        let path = parts.uri.path();
        let path = path.strip_prefix('/').unwrap_or(path);
        if let Some(bucket) = host.and_then(|host| self.bucket(host)) {
            return Target { bucket, key: decoded(path), in_host: true };
        }
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        Target { bucket: decoded(bucket), key: decoded(key), in_host: false }
    }
}

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let parsed = VirtualHost::new(host);
        Ok(match self.bucket(host) {
            Some(bucket) => parsed.with_bucket(bucket),
            None => parsed,
        })
    }
}

/// Decodes a percent-encoded text.
pub(super) fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_in_the_host_or_in_the_path() {
        let hosts = Hosts::new(&["S3.example.com".to_owned()]);
        for (host, bucket) in [
            ("localhost:4700", None),
            ("127.0.0.1:4700", None),
            ("127.0.0.1.nip.io", None),
            ("[::1]:4700", None),
            ("sandbox", None),
            ("s3.localhost", None),
            ("s3.us-west-2.localhost", None),
            ("s3.example.com", None),
            ("orders.localhost:4700", Some("orders")),
            ("Orders.LOCALHOST", Some("orders")),
            ("orders.s3.localhost", Some("orders")),
            ("logs.orders.s3.us-west-2.localhost:4700", Some("logs.orders")),
            ("orders.s3.example.com", Some("orders")),
            ("orders.127.0.0.1.nip.io:4700", Some("orders")),
        ] {
            assert_eq!(hosts.bucket(host).as_deref(), bucket, "{host}");
        }
        let target = |host: &str, path: &str| {
            let request = http::Request::get(path).header("host", host).body(()).unwrap();
            let Target { bucket, key, in_host } = hosts.target(&request.into_parts().0);
            format!("{bucket} {key} {in_host}")
        };
        assert_eq!(target("localhost", "/orders/a%20b/c?versions"), "orders a b/c false");
        assert_eq!(target("orders.localhost", "/a%20b/c"), "orders a b/c true");
        assert_eq!(target("orders.localhost", "/"), "orders  true");
        assert_eq!(target("localhost", "/"), "  false");
    }
}
