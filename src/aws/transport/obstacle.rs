//! What is in the way of a request: its kind, from the types of the errors, and what to try.
//! Not for: errors that AWS returns (see `error`).

use super::route::Proxy;
use aws_smithy_runtime_api::box_error::BoxError;
use rustls::CertificateError;
use std::error::Error as StdError;

/// Where a request went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Scheme, host and port.
    pub(super) url: String,
    pub(super) proxy: Option<Proxy>,
    /// The file of certificates that is trusted in place of the system's, and who names it.
    pub(super) trusted: Option<String>,
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.proxy {
            None => f.write_str(&self.url),
            Some(proxy) => write!(f, "{} by the proxy {proxy}", self.url),
        }
    }
}

/// What is in the way of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    pub(super) way: Way,
    pub(super) kind: ObstacleKind,
}

/// A kind of obstacle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ObstacleKind {
    /// The certificate is signed by an authority that is not trusted.
    UnknownAuthority,
    /// The certificate is for other host names.
    OtherName,
    /// The certificate is out of date, or not valid yet.
    OutOfDate,
    /// The certificate can't be used for another reason.
    BadCertificate,
    /// TLS fails.
    Tls,
    /// The proxy can't be reached.
    ProxyUnreachable,
    /// The proxy lets nothing through, or wants a password.
    ProxyRefuses,
    /// The variable of this name holds no URL of an HTTP proxy.
    ProxyUnusable(&'static str),
    /// Nothing came in time.
    Silence,
    /// Something that is not AWS answered, with this status.
    NotAws(u16),
    /// Anything else: the name is unknown, nothing listens, the connection broke.
    Unreachable,
}

impl ObstacleKind {
    /// Returns the kind of a failure to connect or to send.
    /// `is_late` tells whether connecting took too long.
    pub(super) fn of(error: &(dyn StdError + 'static), is_by_proxy: bool, is_late: bool) -> Self {
        let chain = Chain(Some(error)).collect::<Vec<_>>();
        let tls = chain.iter().find_map(|it| it.downcast_ref::<rustls::Error>());
        match tls {
            Some(rustls::Error::InvalidCertificate(certificate)) => return certified(certificate),
            Some(_) => return Self::Tls,
            None => {}
        }
        let is_connecting = chain
            .iter()
            .filter_map(|it| it.downcast_ref::<hyper_util::client::legacy::Error>())
            .any(hyper_util::client::legacy::Error::is_connect);
        if !is_by_proxy || !is_connecting {
            return Self::Unreachable;
        }
        // A tunnel that a proxy refuses has no error of the system below it.
        if is_late || chain.iter().any(|it| it.is::<std::io::Error>()) {
            Self::ProxyUnreachable
        } else {
            Self::ProxyRefuses
        }
    }

    /// Returns whether sending the request again is of no use.
    pub(super) fn is_final(self, was_answered: bool) -> bool {
        match self {
            Self::UnknownAuthority
            | Self::OtherName
            | Self::OutOfDate
            | Self::BadCertificate
            | Self::ProxyUnusable(_) => true,
            Self::ProxyRefuses | Self::Tls => !was_answered,
            Self::ProxyUnreachable | Self::Silence | Self::NotAws(_) | Self::Unreachable => false,
        }
    }
}

fn certified(error: &CertificateError) -> ObstacleKind {
    match error {
        CertificateError::UnknownIssuer => ObstacleKind::UnknownAuthority,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            ObstacleKind::OtherName
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => ObstacleKind::OutOfDate,
        _ => ObstacleKind::BadCertificate,
    }
}

/// An error and its causes. The cause of an error of the system may be what it carries.
struct Chain<'a>(Option<&'a (dyn StdError + 'static)>);

impl<'a> Iterator for Chain<'a> {
    type Item = &'a (dyn StdError + 'static);

    fn next(&mut self) -> Option<Self::Item> {
        let error = self.0?;
        let carried = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        self.0 = match carried {
            Some(carried) => Some(carried),
            None => error.source(),
        };
        Some(error)
    }
}

/// A request that no answer came to.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(in crate::aws) struct Unanswered {
    pub(in crate::aws) message: String,
    pub(in crate::aws) obstacle: Obstacle,
    #[source]
    cause: Option<BoxError>,
}

impl Unanswered {
    pub(super) fn new(obstacle: Obstacle, why: &str, cause: Option<BoxError>) -> Self {
        let way = &obstacle.way;
        let message = match obstacle.kind {
            ObstacleKind::Silence => format!("{way} gives no answer {why}"),
            ObstacleKind::ProxyUnusable(variable) => {
                format!("can't connect to {way}: {variable} holds no URL of an HTTP proxy")
            }
            _ => format!("can't connect to {way}: {why}"),
        };
        Self { message, obstacle, cause }
    }

    /// Returns the innermost cause of an error, as text.
    pub(super) fn innermost(error: &(dyn StdError + 'static)) -> String {
        Chain(Some(error)).last().map_or_else(String::new, ToString::to_string)
    }

    /// Finds the error in the causes of another.
    pub(in crate::aws) fn find<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        Chain(Some(error)).find_map(|it| it.downcast_ref())
    }
}

/// Returns whether an answer was longer than is read of it.
pub(in crate::aws) fn is_too_long(error: &(dyn StdError + 'static)) -> bool {
    Chain(Some(error)).any(<dyn StdError>::is::<http_body_util::LengthLimitError>)
}

impl Obstacle {
    /// Returns the obstacle of an answer that is not AWS's.
    pub(in crate::aws) fn not_aws(way: Way, status: u16) -> Self {
        Self { way, kind: ObstacleKind::NotAws(status) }
    }

    /// Returns whether an answer took too long.
    pub(in crate::aws) fn is_silence(&self) -> bool {
        self.kind == ObstacleKind::Silence
    }

    /// Returns what to try.
    pub(in crate::aws) fn hints(&self) -> Vec<String> {
        let host = self.way.url.rsplit_once(':').map_or(self.way.url.as_str(), |(host, _)| host);
        let host = host.split_once("://").map_or(host, |(_, host)| host);
        let variable = self.way.proxy.as_ref().map_or("HTTPS_PROXY", |proxy| proxy.variable);
        let hint = match self.kind {
            ObstacleKind::UnknownAuthority => match &self.way.trusted {
                Some(file) => format!(
                    "only the authorities in {file} are trusted: add the certificate of the one that signed for {host}"
                ),
                None => format!(
                    "this system does not trust the authority that signed for {host}: name a file with its certificate in AWS_CA_BUNDLE, or as `ca_bundle` of the profile"
                ),
            },
            ObstacleKind::OtherName => format!(
                "the certificate there is not for {host}: check the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL)"
            ),
            ObstacleKind::OutOfDate => {
                "the certificate is out of date by this machine's clock: check the clock, then the certificate".to_owned()
            }
            ObstacleKind::BadCertificate => format!(
                "the certificate of {host} is refused: the caller of the endpoint, or a proxy that opens TLS, has to give it another"
            ),
            ObstacleKind::Tls => {
                "what answers there may speak no TLS: check scheme and port of the endpoint".to_owned()
            }
            ObstacleKind::ProxyUnreachable => format!(
                "check the proxy in {variable}; a host that is reached without it belongs in NO_PROXY"
            ),
            ObstacleKind::ProxyRefuses | ObstacleKind::NotAws(407) => format!(
                "the proxy refuses: it has to allow {host}, and where it wants a user and a password, they stand before its host in {variable} (`USER:PASSWORD@HOST:PORT`); a host that is reached without it belongs in NO_PROXY"
            ),
            ObstacleKind::ProxyUnusable(variable) => format!(
                "{variable} looks like `http://HOST:PORT`; a SOCKS proxy can't be used; a host that is reached without one belongs in NO_PROXY"
            ),
            ObstacleKind::NotAws(_) => {
                "a proxy, a log-in page of the network, or a wrong endpoint answers in AWS's place: open the URL in a browser".to_owned()
            }
            ObstacleKind::Silence | ObstacleKind::Unreachable => NETWORK.to_owned(),
        };
        let is_alone = self.way.proxy.is_none()
            && matches!(self.kind, ObstacleKind::Silence | ObstacleKind::Unreachable);
        let proxy = "where only a proxy leads out, name it in HTTPS_PROXY (HTTP_PROXY for http://)";
        std::iter::once(hint).chain(is_alone.then(|| proxy.to_owned())).collect()
    }
}

/// What to try where nothing more is known.
pub(in crate::aws) const NETWORK: &str =
    "check the network, the Region's name and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL)";
