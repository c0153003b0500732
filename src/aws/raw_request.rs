//! Calls to services whose SDK crate crrctl does not link, because it needs too little of it. The
//! runtime of the SDK signs, sends and retries the requests.
//! Not for: the content of requests and responses (see `cloudwatch`).

use super::clients::{Caller, retries};
use super::replay::Answered;
use super::{At, Error};
use crate::names::{Partition, Region};
use crate::recording::encode::Written;
use aws_config::BehaviorVersion;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_runtime::client::orchestrator::operation::{Operation, OperationBuilder};
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use aws_types::SigningName;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

/// An AWS service.
pub(super) struct Service {
    /// The service id, such as `CloudWatch`. `AWS_ENDPOINT_URL_CLOUDWATCH` and `services` in the
    /// profile use it.
    pub(super) id: &'static str,
    /// The service name in the signature.
    pub(super) signing_name: &'static str,
    /// The endpoint that the manifest names.
    pub(super) given: Option<String>,
    /// AWS's endpoint of the service.
    pub(super) endpoint: String,
}

/// One request.
#[derive(Debug, Clone)]
struct Request {
    /// The HTTP method, such as `POST`.
    method: &'static str,
    /// Path and query, encoded.
    target: String,
    /// Headers in addition to those that signing adds.
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// A request in an AWS JSON protocol.
#[derive(Debug, Clone, Copy)]
pub(super) struct Json<'a> {
    /// The version of the protocol, such as `1.1`.
    pub(super) version: &'static str,
    /// The header `X-Amz-Target`.
    pub(super) target: &'a str,
    pub(super) body: &'a Value,
}

/// A request in the AWS Query protocol.
pub(super) struct Form(String);

impl Form {
    /// Begins the request of an operation. `version` is that of the service's API.
    pub(super) fn of(operation: &str, version: &str) -> Self {
        let mut form = Self(String::new());
        form.set("Action", operation).set("Version", version);
        form
    }

    /// Adds a member.
    pub(super) fn set(&mut self, name: &str, value: &str) -> &mut Self {
        let mut form = form_urlencoded::Serializer::new(std::mem::take(&mut self.0));
        self.0 = form.append_pair(name, value).finish();
        self
    }

    /// Adds a list.
    pub(super) fn list(&mut self, name: &str, values: &[String]) -> &mut Self {
        for (at, value) in values.iter().enumerate() {
            self.set(&format!("{name}.member.{}", at + 1), value);
        }
        self
    }

    /// Adds a list of pairs, whose members have these names.
    pub(super) fn pairs(
        &mut self,
        name: &str,
        (key, value): (&str, &str),
        pairs: &BTreeMap<String, String>,
    ) -> &mut Self {
        for (at, (one, other)) in pairs.iter().enumerate() {
            let member = format!("{name}.member.{}", at + 1);
            self.set(&format!("{member}.{key}"), one).set(&format!("{member}.{value}"), other);
        }
        self
    }
}

/// Returns the endpoint in `region` of a service whose hosts are called `name` (the endpoint rules
/// in the SDKs: FIPS hosts have a name of their own, except in the partition `aws-us-gov`, whose
/// usual hosts are FIPS hosts).
pub(super) fn host(name: &str, region: &Region, config: &aws_config::SdkConfig) -> String {
    let (is_fips, is_dual_stack) =
        (config.use_fips() == Some(true), config.use_dual_stack() == Some(true));
    let partition = region.partition();
    let suffix = if is_dual_stack { dual_stack(partition) } else { partition.dns_suffix() };
    let is_named_so = is_fips && (is_dual_stack || partition != Partition::AwsUsGov);
    let fips = if is_named_so { "-fips" } else { "" };
    format!("https://{name}{fips}.{region}.{suffix}")
}

/// Returns the suffix of the hosts with IPv4 and IPv6 (`partitions.json` of the SDKs).
fn dual_stack(partition: Partition) -> &'static str {
    match partition {
        Partition::Aws | Partition::AwsUsGov => "api.aws",
        Partition::AwsCn => "api.amazonwebservices.com.cn",
        Partition::AwsEusc => "api.amazonwebservices.eu",
        Partition::AwsIso => "api.aws.ic.gov",
        Partition::AwsIsoB => "api.aws.scloud",
        Partition::AwsIsoE => "api.cloud-aws.adc-e.uk",
        Partition::AwsIsoF => "api.aws.hci.ic.gov",
    }
}

impl Caller {
    /// Sends a request in an AWS JSON protocol and parses its response.
    ///
    /// # Errors
    /// Those of [`Self::send_form`].
    pub(super) async fn send_json<T: DeserializeOwned>(
        &self,
        region: &Region,
        service: &Service,
        operation: &'static str,
        Json { version, target, body }: Json<'_>,
    ) -> Result<T, Error> {
        let request = Request {
            method: "POST",
            target: "/".to_owned(),
            headers: vec![
                ("content-type", format!("application/x-amz-json-{version}")),
                ("x-amz-target", target.to_owned()),
            ],
            body: body.to_string(),
        };
        let text = self.text(region, service, operation, request).await?;
        serde_json::from_str(&text).map_err(|_| Error::unreadable(operation, region, "JSON"))
    }

    /// Sends a request in the AWS Query protocol and parses the XML of its response. `operation` is the
    /// name in the form that policies use, such as `cloudwatch:GetMetricData`.
    ///
    /// # Errors
    /// The service returns an error, can't be reached, or returns a response that can't be parsed.
    pub(super) async fn send_form<T: DeserializeOwned>(
        &self,
        region: &Region,
        service: &Service,
        operation: &'static str,
        Form(body): Form,
    ) -> Result<T, Error> {
        let request = Request {
            method: "POST",
            target: "/".to_owned(),
            headers: vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
            body,
        };
        let text = self.text(region, service, operation, request).await?;
        quick_xml::de::from_str(&text).map_err(|_| Error::unreadable(operation, region, "XML"))
    }

    /// Sends a request and returns the text of its response.
    async fn text(
        &self,
        region: &Region,
        service: &Service,
        operation: &'static str,
        request: Request,
    ) -> Result<String, Error> {
        let mut call = self.operation(region, service, operation);
        if let Some(retries) = self.config.retry_config() {
            call = call.standard_retry(retries);
        }
        let text = call.serializer(write).deserializer(read).build().invoke(request).await;
        text.at(operation, region)
    }

    /// Sends a request once and returns its answer as it came. Paths are encoded as S3 wants them, and
    /// refusals are answers too.
    ///
    /// # Errors
    /// There is no answer; the text says why.
    pub(super) async fn answer(
        &self,
        region: &Region,
        service: &Service,
        request: Written,
    ) -> Result<Answered, String> {
        let call = self.operation(region, service, "replay").no_retry();
        let call = call.serializer(rewritten).deserializer(as_it_came).build();
        call.invoke(request).await.map_err(|error| format!("{error:?}"))
    }

    fn operation(
        &self,
        region: &Region,
        service: &Service,
        operation: &'static str,
    ) -> OperationBuilder {
        let mut layer = Layer::new(service.id);
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(retries());
        let mut signing_options = SigningOptions::default();
        signing_options.content_sha256_header = true;
        if service.signing_name == "s3" {
            signing_options.double_uri_encode = false;
            signing_options.normalize_uri_path = false;
        }
        layer.store_put(SigV4OperationSigningConfig {
            region: Some(aws_config::Region::new(region.to_string()).into()),
            name: Some(SigningName::from_static(service.signing_name)),
            signing_options,
            ..SigV4OperationSigningConfig::default()
        });
        let schemes = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
        let mut components = RuntimeComponentsBuilder::new(service.id)
            .with_auth_scheme(SigV4AuthScheme::new())
            .with_auth_scheme_option_resolver(Some(schemes))
            .with_interceptor(self.calls.clone())
            .with_interceptor(self.throttle(region))
            .with_interceptor(self.watcher(region));
        if let Some(credentials) = self.config.credentials_provider() {
            components = components.with_identity_resolver(SCHEME_ID, credentials);
        }
        if let Some(cache) = self.config.identity_cache() {
            components = components.with_identity_cache(Some(cache));
        }
        let plugin = StaticRuntimePlugin::new()
            .with_config(layer.freeze())
            .with_runtime_components(components);
        let name = operation.split_once(':').map_or(operation, |(_, name)| name);
        let mut operation = Operation::builder()
            .service_name(service.id)
            .operation_name(name)
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&self.endpoint(service))
            .retry_classifier(TransientErrorClassifier::<Refused>::new())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(AwsErrorCodeClassifier::<Refused>::new())
            .runtime_plugin(plugin);
        if let Some(client) = self.config.http_client() {
            operation = operation.http_client(client);
        }
        if let Some(timeouts) = self.config.timeout_config() {
            operation = operation.timeout_config(timeouts.clone());
        }
        operation
    }

    /// Returns the endpoint that the manifest names, else that of the environment or the profile, else
    /// that of the SDK configuration, else AWS's own endpoint.
    fn endpoint(&self, service: &Service) -> String {
        let given = service.given.clone().or_else(|| self.configured_endpoint(service.id));
        let given = given.or_else(|| self.config.endpoint_url().map(str::to_owned));
        given.unwrap_or_else(|| service.endpoint.clone())
    }
}

fn write(request: Request) -> Result<HttpRequest, aws_smithy_runtime_api::box_error::BoxError> {
    let mut written = HttpRequest::new(SdkBody::from(request.body));
    written.set_method(request.method)?;
    written.set_uri(request.target)?;
    for (name, value) in request.headers {
        written.headers_mut().try_insert(name, value)?;
    }
    Ok(written)
}

fn rewritten(request: Written) -> Result<HttpRequest, aws_smithy_runtime_api::box_error::BoxError> {
    let Written { method, target, headers, body } = request;
    let mut written = write(Request { method, target, headers: Vec::new(), body })?;
    for (name, value) in headers {
        written.headers_mut().try_insert(name, value)?;
    }
    Ok(written)
}

#[expect(clippy::unnecessary_wraps, reason = "the form of a deserializer")]
fn as_it_came(response: &HttpResponse) -> Result<Answered, OrchestratorError<Refused>> {
    let headers = response.headers().iter();
    Ok(Answered {
        status: response.status().as_u16(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: response.body().bytes().unwrap_or_default().to_vec(),
    })
}

/// The error that a service returned.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}", .0.code().unwrap_or("no code"), .0.message().unwrap_or("no message"))]
struct Refused(ErrorMetadata);

impl ProvideErrorMetadata for Refused {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

#[derive(Debug, Deserialize)]
struct Refusal {
    #[serde(rename = "Error")]
    error: Said,
}

#[derive(Debug, Deserialize)]
struct Said {
    #[serde(rename = "Code")]
    code: String,
    #[serde(rename = "Message")]
    message: Option<String>,
}

#[derive(Debug, Deserialize)]
struct RefusalInJson {
    #[serde(rename = "__type")]
    code: String,
    #[serde(alias = "Message")]
    message: Option<String>,
}

fn read(response: &HttpResponse) -> Result<String, OrchestratorError<Refused>> {
    let text = String::from_utf8_lossy(response.body().bytes().unwrap_or_default()).into_owned();
    if response.status().is_success() {
        return Ok(text);
    }
    let mut meta = ErrorMetadata::builder();
    if let Ok(Refusal { error }) = quick_xml::de::from_str(&text) {
        meta = meta.code(error.code).message(error.message.unwrap_or_default());
    } else if let Ok(refused) = serde_json::from_str::<RefusalInJson>(&text) {
        // The code may have a namespace before it (Smithy, "AWS JSON 1.1 protocol").
        let code = refused.code.rsplit('#').next().unwrap_or_default().to_owned();
        meta = meta.code(code).message(refused.message.unwrap_or_default());
    }
    Err(OrchestratorError::operation(Refused(meta.build())))
}

/// A list in AWS's XML.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct List<T> {
    #[serde(default = "Vec::new")]
    pub(super) member: Vec<T>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { member: Vec::new() }
    }
}
