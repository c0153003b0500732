//! An HTTP client that tells where a request without an answer was going, and what is in the way. A
//! host that has never answered is not waited for long.
//! Not for: retries in general (see `clients::configuration`).

use super::obstacle::{Obstacle, ObstacleKind, Unanswered, Way};
use super::route::{Proxies, Route};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use http::Uri;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long after the first request to a host its first answer may come, connecting included.
const FIRST_ANSWER: Duration = Duration::from_secs(8);
/// How long at least a request waits for a host that has never answered.
const AT_LEAST: Duration = Duration::from_secs(2);
/// How long after the first request to a host requests are sent again while it has never answered. A
/// pause may take 4 s, and connecting 5 s.
const AGAIN: Duration = Duration::from_secs(2);
/// How long an answer may take otherwise. An attempt, with the body of its answer, may take a minute.
const ANSWER: Duration = Duration::from_secs(58);

/// What is known of a host.
#[derive(Debug, Clone, Copy)]
struct Host {
    /// When it was first asked.
    asked: Instant,
    was_answered: bool,
}

impl Host {
    fn patience(self) -> Duration {
        if self.was_answered {
            ANSWER
        } else {
            FIRST_ANSWER.saturating_sub(self.asked.elapsed()).max(AT_LEAST)
        }
    }

    fn is_asked_again(self) -> bool {
        self.was_answered || self.asked.elapsed() < AGAIN
    }
}

/// The hosts of a client's requests.
#[derive(Debug, Default)]
struct Hosts(Mutex<BTreeMap<String, Host>>);

impl Hosts {
    fn get(&self, uri: &Uri) -> Host {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Host { asked: Instant::now(), was_answered: false };
        *hosts.entry(domain(uri)).or_insert_with(new)
    }

    fn answered(&self, uri: &Uri) {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get_mut(&domain(uri)) {
            host.was_answered = true;
        }
    }
}

/// Returns the host and port, without the first label of a name with many: buckets of a Region, and
/// its services, answer together.
fn domain(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    let is_address = host.starts_with('[') || host.ends_with(|c: char| c.is_ascii_digit());
    let rest = host.split_once('.').map(|(_, rest)| rest).filter(|rest| rest.contains('.'));
    let host = rest.filter(|_| !is_address).unwrap_or(host);
    format!("{host}:{}", uri.port_u16().unwrap_or_default())
}

/// What all connectors of a client share.
#[derive(Debug)]
struct Shared {
    /// `None` if the environment's proxies are not used.
    proxies: Option<Proxies>,
    trusted: Option<String>,
    hosts: Hosts,
}

impl Shared {
    fn way(&self, uri: &Uri) -> (Way, Option<&'static str>) {
        let route = self.proxies.as_ref().map_or(Route::Direct, |proxies| proxies.route(uri));
        let (proxy, unusable) = match route {
            Route::Direct => (None, None),
            Route::By(proxy) => (Some(proxy), None),
            Route::Unusable(variable) => (None, Some(variable)),
        };
        (Way { url: super::origin(uri), proxy, trusted: self.trusted.clone() }, unusable)
    }
}

/// The client.
#[derive(Debug)]
struct Telling {
    inner: SharedHttpClient,
    shared: Arc<Shared>,
}

/// Makes `inner` tell where its requests were going. `proxies` are those that it uses, `trusted` is
/// the file of certificates that it trusts in place of the system's.
pub(super) fn telling(
    inner: SharedHttpClient,
    proxies: Option<Proxies>,
    trusted: Option<String>,
) -> SharedHttpClient {
    let shared = Shared { proxies, trusted, hosts: Hosts::default() };
    SharedHttpClient::new(Telling { inner, shared: Arc::new(shared) })
}

impl HttpClient for Telling {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Connector { inner, shared: Arc::clone(&self.shared) })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    shared: Arc<Shared>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Ok(uri) = request.uri().parse::<Uri>() else { return self.inner.call(request) };
        let (way, unusable) = self.shared.way(&uri);
        if let Some(variable) = unusable {
            let obstacle = Obstacle { way, kind: ObstacleKind::ProxyUnusable(variable) };
            let unanswered = Unanswered::new(obstacle, "", None);
            return HttpConnectorFuture::ready(Err(ConnectorError::other(unanswered.into(), None)));
        }
        let (shared, host) = (Arc::clone(&self.shared), self.shared.hosts.get(&uri));
        let (patience, answer) = (host.patience(), self.inner.call(request));
        HttpConnectorFuture::new(async move {
            match tokio::time::timeout(patience, answer).await {
                Ok(Ok(mut response)) => {
                    shared.hosts.answered(&uri);
                    response.add_extension(way);
                    Ok(response)
                }
                Ok(Err(error)) => Err(told(error, way, shared.hosts.get(&uri))),
                Err(_) => {
                    let obstacle = Obstacle { way, kind: ObstacleKind::Silence };
                    let why = format!("within {:.0} s", patience.as_secs_f64());
                    let unanswered = Unanswered::new(obstacle, &why, None).into();
                    Err(if shared.hosts.get(&uri).is_asked_again() {
                        ConnectorError::timeout(unanswered)
                    } else {
                        ConnectorError::other(unanswered, None)
                    })
                }
            }
        })
    }
}

/// Adds the way to an error. The SDK sends a request again by the kind of its error.
fn told(error: ConnectorError, way: Way, host: Host) -> ConnectorError {
    let connection = error.connection_metadata().cloned();
    let (is_timeout, is_io, is_user) = (error.is_timeout(), error.is_io(), error.is_user());
    let (other, cause) = (error.as_other(), error.into_source());
    let kind = ObstacleKind::of(cause.as_ref(), way.proxy.is_some(), is_timeout);
    let why = if is_timeout {
        format!("no connection within {} s", super::CONNECTING.as_secs())
    } else {
        Unanswered::innermost(cause.as_ref())
    };
    let unanswered = Unanswered::new(Obstacle { way, kind }, &why, Some(cause)).into();
    let error = if !host.is_asked_again() || kind.is_final(host.was_answered) {
        ConnectorError::other(unanswered, None)
    } else if is_timeout {
        ConnectorError::timeout(unanswered)
    } else if is_io {
        ConnectorError::io(unanswered)
    } else if is_user {
        ConnectorError::user(unanswered)
    } else {
        ConnectorError::other(unanswered, other)
    };
    match connection {
        Some(connection) => error.with_connection(connection),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_a_region_answer_together() {
        let domain = |uri: &'static str| domain(&Uri::from_static(uri));
        assert_eq!(
            domain("https://a.s3.us-east-1.amazonaws.com/k"),
            domain("https://b.s3.us-east-1.amazonaws.com")
        );
        assert_ne!(
            domain("https://kms.us-east-1.amazonaws.com"),
            domain("https://kms.us-west-2.amazonaws.com")
        );
        assert_eq!(domain("http://10.0.0.1:81"), "10.0.0.1:81");
        assert_eq!(domain("http://[::1]:81"), "[::1]:81");
        assert_eq!(domain("http://minio.lan:81"), "minio.lan:81");
    }

    #[test]
    fn a_host_that_never_answered_is_not_waited_for_long() {
        let silent = |secs| {
            let asked = Instant::now().checked_sub(Duration::from_secs(secs)).unwrap();
            Host { asked, was_answered: false }
        };
        assert!(silent(0).is_asked_again() && !silent(3).is_asked_again());
        assert!(silent(0).patience() > Duration::from_secs(7));
        assert_eq!(silent(7).patience(), AT_LEAST);
        let answered = Host { was_answered: true, ..silent(100) };
        assert!(answered.is_asked_again() && answered.patience() == ANSWER);
    }
}
