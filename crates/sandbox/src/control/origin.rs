//! The names under which the control endpoints answer: those of the loopback interface, in `Host`
//! and in `Origin`. A page of another site in a browser can send requests to any address, also under
//! a name of its own that points to loopback; such requests have another `Host` or an `Origin`. The
//! address of a client is not checked: a client elsewhere that reaches the port may give any name.
//! Not for: requests of AWS clients, which are signed.

use http::HeaderMap;
use http::header::{HOST, ORIGIN};
use std::net::{IpAddr, Ipv6Addr};

/// Checks that a request names this machine and does not come from another site.
///
/// # Errors
/// A sentence for people.
pub(super) fn check(headers: &HeaderMap) -> Result<(), String> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(HOST).unwrap_or_default();
    if !is_own_name(host) {
        return Err(format!(
            "the control endpoints answer under the host names 127.0.0.1, localhost and [::1], not \
             under `{host}`"
        ));
    }
    match text(ORIGIN) {
        None => Ok(()),
        Some(origin) if origin.split_once("://").is_some_and(|(_, host)| is_own_name(host)) => {
            Ok(())
        }
        Some(origin) => Err(format!("the control endpoints do not answer the pages of `{origin}`")),
    }
}

/// Returns whether a host, with or without a port, is a name of this machine's loopback interface.
fn is_own_name(host: &str) -> bool {
    if let Some(rest) = host.strip_prefix('[') {
        let address = rest.split(']').next().unwrap_or_default().parse::<Ipv6Addr>();
        return address.is_ok_and(|address| address.is_loopback());
    }
    let name = host.split(':').next().unwrap_or_default();
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_loopback_are_own() {
        for name in ["localhost", "LocalHost:4700", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:80"]
        {
            assert!(is_own_name(name), "{name}");
        }
        for name in ["", "example.com", "localhost.example.com", "127.0.0.1.example.com", "[::2]:1"]
        {
            assert!(!is_own_name(name), "{name}");
        }
    }
}
