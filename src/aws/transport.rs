//! The HTTP client: proxies and trusted certificates, from where the AWS CLI takes them.
//! Sources: AWS CLI User Guide, "Using an HTTP proxy for the AWS CLI" and "Environment variables to
//! configure the AWS CLI" (`AWS_CA_BUNDLE`).
//! Not for: the endpoints (see `clients`).

mod obstacle;
mod route;
mod telling;

pub(super) use obstacle::{NETWORK, Unanswered, is_too_long};
pub use obstacle::{Obstacle, Way};

use crate::failure::{Failure, Kind};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use http::Uri;
use route::Proxies;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::Path;
use std::time::Duration;

const VARIABLE: &str = "AWS_CA_BUNDLE";

/// How long connecting may take, by way of a proxy and with TLS included.
pub(super) const CONNECTING: Duration = Duration::from_secs(5);

/// Certificates that are trusted in place of the system's, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaBundle {
    pem: Vec<u8>,
    /// The file, and who names it.
    place: String,
}

impl CaBundle {
    /// Reads the file that `AWS_CA_BUNDLE` names, otherwise the one of the profile (`ca_bundle`).
    ///
    /// # Errors
    /// The file can't be read, or holds no certificate.
    pub fn configured(of_profile: Option<&Path>) -> Result<Option<Self>, Failure> {
        let named = std::env::var_os(VARIABLE).filter(|path| !path.is_empty());
        match (named, of_profile) {
            (Some(path), _) => Self::read(VARIABLE, Path::new(&path)).map(Some),
            (None, Some(path)) => Self::read("`ca_bundle` of the profile", path).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn read(place: &str, path: &Path) -> Result<Self, Failure> {
        let refused = |why: String| {
            let message = format!("{place}: `{}` {why}", path.display());
            Failure::new(Kind::Manifest, "ca-bundle", message)
                .hint("name a file with the certificates of the authority in PEM, or unset it")
        };
        let pem =
            std::fs::read(path).map_err(|error| refused(format!("can't be read: {error}")))?;
        let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
        let certificates = certificates.map_err(|error| refused(format!("is no PEM: {error}")))?;
        let mut store = RootCertStore::empty();
        for certificate in certificates {
            let added = store.add(certificate);
            added.map_err(|error| refused(format!("has a certificate that is none: {error}")))?;
        }
        if store.is_empty() {
            return Err(refused("holds no certificate".to_owned()));
        }
        Ok(Self { pem, place: format!("`{}` ({})", path.display(), place) })
    }
}

/// Returns a client that goes through the proxies of the environment (`HTTPS_PROXY`, `HTTP_PROXY`,
/// `ALL_PROXY`, `NO_PROXY`), and trusts `bundle`, or the system's certificates.
pub(super) fn https(bundle: Option<&CaBundle>) -> SharedHttpClient {
    let trusted = match bundle {
        Some(bundle) => TrustStore::empty().with_pem_certificate(bundle.pem.clone()),
        None => TrustStore::default(),
    };
    let client = Builder::new().build_with_connector_fn(move |settings, components| {
        // Its builder refuses nothing that is set here.
        let context = TlsContext::builder().with_trust_store(trusted.clone()).build();
        let mut connector = Connector::builder()
            .proxy_config(ProxyConfig::from_env())
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring));
        if let Ok(context) = context {
            connector = connector.tls_context(context);
        }
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    });
    let proxies = Proxies::read(|name| std::env::var(name).ok());
    telling::telling(client, Some(proxies), bundle.map(|it| it.place.clone()))
}

/// Returns a client for an emulator over plain HTTP, without proxies.
pub(super) fn plain() -> SharedHttpClient {
    telling::telling(Builder::new().build_http(), None, None)
}

/// Returns scheme, host and port of a URL.
fn origin(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or("https");
    let port = uri.port_u16().unwrap_or(if scheme == "http" { 80 } else { 443 });
    format!("{scheme}://{}:{port}", uri.host().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_without_a_certificate_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (text, why) in
            [("", "holds no certificate"), (broken, "has a certificate that is none")]
        {
            std::fs::write(file.path(), text).unwrap();
            let refused = CaBundle::read(VARIABLE, file.path()).unwrap_err();
            assert!(refused.message.contains(why), "{}", refused.message);
            assert_eq!(refused.kind.exit_code(), 3);
        }
        let missing = CaBundle::read(VARIABLE, Path::new("/nowhere")).unwrap_err();
        assert!(missing.message.contains("can't be read"), "{}", missing.message);
    }
}
