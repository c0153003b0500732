//! CloudWatch's `GetMetricData`, the one call of that service that is needed, signed, sent and retried by the SDK's own machinery: the
//! service's crate would bring a CBOR codec, a compressor and a second HTTP library for it.
//! Section: CloudWatch API Reference, `GetMetricData`, in the Query protocol. Not for: which metrics those are (see `check`).

use super::clients::Caller;
use super::{At, Aws, Error};
use crate::names::Region;
use aws_config::BehaviorVersion;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
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
use aws_types::service_config::ServiceConfigKey;
use jiff::Timestamp;
use serde::Deserialize;

/// The API version, which stands in every request of the Query protocol.
const VERSION: &str = "2010-08-01";
/// The most series that one request may ask for.
pub const MAX_SERIES: usize = 500;
/// Seconds that one value stands for: S3 tells CloudWatch every minute.
const PERIOD: &str = "60";

/// One series of values that is asked for.
#[derive(Debug, Clone)]
pub struct Series {
    /// Such as `ReplicationLatency`, of the namespace `AWS/S3`.
    pub metric: &'static str,
    /// Such as `Maximum` or `Sum`.
    pub statistic: &'static str,
    /// Names and values of the dimensions.
    pub dimensions: Vec<(&'static str, String)>,
}

impl Aws {
    /// Returns the values of each of `series` between two times, the newest first, as CloudWatch in `region` has them for the
    /// account of `account_of`.
    pub async fn metric_data(
        &self,
        account_of: &Region,
        region: &Region,
        between: (Timestamp, Timestamp),
        series: &[Series],
    ) -> Result<Vec<Vec<f64>>, Error> {
        const OPERATION: &str = "cloudwatch:GetMetricData";
        let operation = operation(self.caller(account_of), region);
        let mut values = vec![Vec::new(); series.len()];
        let mut token = None;
        loop {
            let form = form(between, series, token.as_deref());
            let page = operation.invoke(form).await.at("cloudwatch:GetMetricData", region)?;
            for found in page.series.member {
                let at = found.id.strip_prefix('m').and_then(|at| at.parse::<usize>().ok());
                let Some(of_series) = at.and_then(|at| values.get_mut(at)) else {
                    return Err(Error::unreadable(OPERATION, region, "id of a series"));
                };
                of_series.extend(found.values.member);
            }
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(values);
            }
        }
    }
}

/// Writes the request.
fn form(between: (Timestamp, Timestamp), series: &[Series], token: Option<&str>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    let time = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    form.append_pair("Action", "GetMetricData").append_pair("Version", VERSION);
    form.append_pair("StartTime", &time(between.0)).append_pair("EndTime", &time(between.1));
    form.append_pair("ScanBy", "TimestampDescending");
    if let Some(token) = token {
        form.append_pair("NextToken", token);
    }
    for (at, it) in series.iter().enumerate() {
        let query = format!("MetricDataQueries.member.{}", at + 1);
        let stat = format!("{query}.MetricStat");
        form.append_pair(&format!("{query}.Id"), &format!("m{at}"));
        form.append_pair(&format!("{stat}.Metric.Namespace"), "AWS/S3");
        form.append_pair(&format!("{stat}.Metric.MetricName"), it.metric);
        for (at, (name, value)) in it.dimensions.iter().enumerate() {
            let dimension = format!("{stat}.Metric.Dimensions.member.{}", at + 1);
            form.append_pair(&format!("{dimension}.Name"), name);
            form.append_pair(&format!("{dimension}.Value"), value);
        }
        form.append_pair(&format!("{stat}.Period"), PERIOD);
        form.append_pair(&format!("{stat}.Stat"), it.statistic);
    }
    form.finish()
}

#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(rename = "GetMetricDataResult")]
    result: Page,
}

#[derive(Debug, Deserialize)]
struct Page {
    #[serde(rename = "MetricDataResults", default)]
    series: List<Found>,
    #[serde(rename = "NextToken")]
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Found {
    #[serde(rename = "Id")]
    id: String,
    #[serde(rename = "Values", default)]
    values: List<f64>,
}

#[derive(Debug, Deserialize)]
struct List<T> {
    #[serde(default = "Vec::new")]
    member: Vec<T>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { member: Vec::new() }
    }
}

/// What CloudWatch said instead of an answer.
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

fn read(response: &HttpResponse) -> Result<Page, OrchestratorError<Refused>> {
    let text = String::from_utf8_lossy(response.body().bytes().unwrap_or_default()).into_owned();
    if response.status().is_success() {
        let answer: Answer = quick_xml::de::from_str(&text).map_err(OrchestratorError::other)?;
        return Ok(answer.result);
    }
    let mut meta = ErrorMetadata::builder();
    if let Ok(Refusal { error }) = quick_xml::de::from_str(&text) {
        meta = meta.code(error.code).message(error.message.unwrap_or_default());
    }
    Err(OrchestratorError::operation(Refused(meta.build())))
}

fn write(form: String) -> HttpRequest {
    let mut request = HttpRequest::new(SdkBody::from(form));
    // Both are valid: what is not valid about them would be so in every run.
    let _ = request.set_method("POST");
    let _ = request.set_uri("/");
    request.headers_mut().insert("content-type", "application/x-www-form-urlencoded");
    request
}

/// Returns the endpoint: the one that was given, the one of the environment or the profile, else AWS's own.
fn endpoint(caller: &Caller, region: &Region) -> String {
    let key = ServiceConfigKey::builder()
        .service_id("CloudWatch")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build();
    let own = caller.config.service_config().zip(key.ok());
    let own = own.and_then(|(config, key)| config.load_config(key));
    let given = own.or_else(|| caller.config.endpoint_url().map(str::to_owned));
    let suffix = region.partition().dns_suffix();
    given.unwrap_or_else(|| format!("https://monitoring.{region}.{suffix}"))
}

fn operation(caller: &Caller, region: &Region) -> Operation<String, Page, Refused> {
    let mut layer = Layer::new("CloudWatch");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    let signing = SigV4OperationSigningConfig {
        region: Some(aws_config::Region::new(region.to_string()).into()),
        name: Some(SigningName::from_static("monitoring")),
        ..SigV4OperationSigningConfig::default()
    };
    layer.store_put(signing);
    let schemes = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
    let mut components = RuntimeComponentsBuilder::new("CloudWatch")
        .with_auth_scheme(SigV4AuthScheme::new())
        .with_auth_scheme_option_resolver(Some(schemes))
        .with_interceptor(caller.calls.clone());
    if let Some(credentials) = caller.config.credentials_provider() {
        components = components.with_identity_resolver(SCHEME_ID, credentials);
    }
    if let Some(cache) = caller.config.identity_cache() {
        components = components.with_identity_cache(Some(cache));
    }
    let plugin =
        StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components);
    let mut operation = Operation::builder()
        .service_name("CloudWatch")
        .operation_name("GetMetricData")
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(&endpoint(caller, region))
        .retry_classifier(TransientErrorClassifier::<Refused>::new())
        .retry_classifier(HttpStatusCodeClassifier::default())
        .retry_classifier(AwsErrorCodeClassifier::<Refused>::new())
        .runtime_plugin(plugin)
        .serializer(|form: String| Ok(write(form)))
        .deserializer(read);
    if let Some(client) = caller.config.http_client() {
        operation = operation.http_client(client);
    }
    if let Some(retries) = caller.config.retry_config() {
        operation = operation.standard_retry(retries);
    }
    if let Some(timeouts) = caller.config.timeout_config() {
        operation = operation.timeout_config(timeouts.clone());
    }
    operation.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_aws_is_read() {
        let text = "<GetMetricDataResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\">
            <GetMetricDataResult><Messages/><MetricDataResults>
            <member><Id>m0</Id><Label>x</Label><StatusCode>Complete</StatusCode>
            <Timestamps><member>2026-01-01T00:01:00Z</member><member>2026-01-01T00:00:00Z</member></Timestamps>
            <Values><member>2.5</member><member>1.0E7</member></Values></member>
            <member><Id>m1</Id><Timestamps/><Values/></member>
            </MetricDataResults></GetMetricDataResult>
            <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetMetricDataResponse>";
        let answer: Answer = quick_xml::de::from_str(text).unwrap();
        let series = answer.result.series.member;
        assert_eq!(series[0].values.member, [2.5, 1e7]);
        assert!(series[1].values.member.is_empty() && answer.result.next_token.is_none());
    }
}
