//! The way of a request: directly, or by a proxy of the environment.
//! Sources: AWS CLI User Guide, "Using an HTTP proxy for the AWS CLI"; curl's `NO_PROXY`.
//! Not for: connecting (see `transport`).

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

/// How a host is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// Without a proxy.
    Direct,
    /// By a proxy.
    By(Proxy),
    /// The variable of this name holds no URL of an HTTP proxy.
    Unusable(&'static str),
}

/// A proxy, without its credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proxy {
    /// Scheme, host and port.
    url: String,
    /// The variable that names it.
    pub(super) variable: &'static str,
}

impl std::fmt::Display for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.url, self.variable)
    }
}

/// The proxies of the environment.
#[derive(Debug)]
pub(super) struct Proxies {
    used: Matcher,
    /// Matches whatever `NO_PROXY` does not name.
    outside: Matcher,
    https: Option<&'static str>,
    http: Option<&'static str>,
}

impl Proxies {
    /// Reads `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in capitals or not, by `get`.
    pub(super) fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let find = |names: [&'static str; 2]| {
            let value = |name| get(name).filter(|value| !value.is_empty());
            names.into_iter().find_map(|name| Some((name, value(name)?)))
        };
        let all = find(["ALL_PROXY", "all_proxy"]);
        let https = find(["HTTPS_PROXY", "https_proxy"]).or_else(|| all.clone());
        let http = find(["HTTP_PROXY", "http_proxy"]).or(all);
        let no = find(["NO_PROXY", "no_proxy"]).map(|(_, value)| value).unwrap_or_default();
        let value =
            |it: &Option<(&str, String)>| it.as_ref().map_or_else(String::new, |it| it.1.clone());
        Self {
            used: Matcher::builder().https(value(&https)).http(value(&http)).no(no.clone()).build(),
            outside: Matcher::builder().all("http://proxy").no(no).build(),
            https: https.map(|it| it.0),
            http: http.map(|it| it.0),
        }
    }

    /// Returns how `uri` is reached.
    pub(super) fn route(&self, uri: &Uri) -> Route {
        let variable = if uri.scheme_str() == Some("http") { self.http } else { self.https };
        let Some(variable) = variable.filter(|_| self.outside.intercept(uri).is_some()) else {
            return Route::Direct;
        };
        // A proxy of another kind would be spoken to in HTTP.
        match self.used.intercept(uri) {
            Some(proxy) if matches!(proxy.uri().scheme_str(), Some("http" | "https")) => {
                Route::By(Proxy { url: super::origin(proxy.uri()), variable })
            }
            _ => Route::Unusable(variable),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(variables: &[(&str, &str)], uri: &'static str) -> Route {
        let get = |name: &str| {
            variables.iter().find(|it| it.0 == name).map(|(_, value)| (*value).to_owned())
        };
        Proxies::read(get).route(&Uri::from_static(uri))
    }

    #[test]
    fn a_proxy_is_named_without_its_credentials() {
        let kms = "https://kms.us-east-1.amazonaws.com/";
        for (value, url) in [
            ("http://ann:se%40cret@proxy:3128/", "http://proxy:3128"),
            ("proxy:3128", "http://proxy:3128"),
            ("https://proxy", "https://proxy:443"),
        ] {
            let Route::By(proxy) = route(&[("HTTPS_PROXY", value)], kms) else { panic!("{value}") };
            assert_eq!(proxy.to_string(), format!("{url} (HTTPS_PROXY)"));
        }
    }

    #[test]
    fn each_scheme_has_its_proxy_and_some_hosts_have_none() {
        let (kms, local) = ("https://kms.us-east-1.amazonaws.com/", "http://127.0.0.1:4700/");
        let all = [("all_proxy", "a:1"), ("HTTP_PROXY", "h:2"), ("no_proxy", ".amazonaws.com")];
        assert_eq!(route(&all, kms), Route::Direct);
        let by = |url: &str, variable| Route::By(Proxy { url: url.to_owned(), variable });
        assert_eq!(route(&all, local), by("http://h:2", "HTTP_PROXY"));
        assert_eq!(route(&all[..2], kms), by("http://a:1", "all_proxy"));
        assert_eq!(
            route(&[("HTTPS_PROXY", ""), ("ALL_PROXY", "a:1")], kms),
            by("http://a:1", "ALL_PROXY")
        );
        assert_eq!(route(&[], kms), Route::Direct);
    }

    #[test]
    fn what_is_no_http_proxy_is_never_passed_over() {
        let kms = "https://kms.us-east-1.amazonaws.com/";
        for value in ["socks5://proxy:1080", "ftp://proxy", "http//ann:secret@proxy", "http://"] {
            assert_eq!(
                route(&[("ALL_PROXY", value)], kms),
                Route::Unusable("ALL_PROXY"),
                "{value}"
            );
            let spared = [("ALL_PROXY", value), ("NO_PROXY", "*")];
            assert_eq!(route(&spared, kms), Route::Direct, "{value}");
        }
    }
}
