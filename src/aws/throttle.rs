//! Retries throttled requests until the run ends, with any number of attempts. Also slows down such
//! calls for the whole run, because other programs of the account share its quotas.
//! Not for: broken connections and service errors, which the SDK retries a few times.

use super::calls::Calls;
use super::pace::Pace;
use crate::names::Region;
use crate::stop::Stop;
use aws_runtime::retries::classifiers::THROTTLING_ERRORS;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata};
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use aws_smithy_types::retry::RetryConfig;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The longest pause before a throttled request is retried. Request quotas count per second.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// The interceptor of one client.
#[derive(Debug)]
pub(super) struct Throttle {
    pub(super) pace: Arc<Pace>,
    pub(super) calls: Calls,
    pub(super) region: Region,
    /// The stop signal of the run. Once the run is ending, a request has only its usual attempts.
    pub(super) stop: Arc<OnceLock<Stop>>,
}

/// The number of attempts of a request that is not throttled.
#[derive(Debug, Clone, Copy)]
struct Attempts(u32);

impl Storable for Attempts {
    type Storer = StoreReplace<Self>;
}

impl Intercept for Throttle {
    fn name(&self) -> &'static str {
        "crrctl throttle"
    }

    /// Grants a throttled request its usual number of attempts again.
    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let is_head = context.request().is_some_and(|request| request.method() == "HEAD");
        let is_throttled = context.response().is_some_and(|answer| is_throttled(answer, is_head));
        if !is_throttled || self.stop.get().is_some_and(Stop::is_ending) {
            return Ok(());
        }
        if let Some(metadata) = config.load::<Metadata>() {
            self.pace.throttled(self.calls.account(), metadata.name(), &self.region);
        }
        let Some(retries) = config.load::<RetryConfig>().cloned() else { return Ok(()) };
        let usual =
            config.load::<Attempts>().map_or(retries.max_attempts(), |Attempts(usual)| *usual);
        let made = config.load::<RequestAttempts>().map_or(1, RequestAttempts::attempts);
        let retries =
            retries.with_max_attempts(made.saturating_add(usual)).with_max_backoff(LONGEST_PAUSE);
        config.interceptor_state().store_put(Attempts(usual)).store_put(retries);
        Ok(())
    }
}

/// Returns whether the response means that requests come too fast. `LimitExceededException` does
/// not: KMS returns it for too many keys, and a retry does not help. The response to a HEAD has no
/// body with a code: 503 is S3's status for `SlowDown` (S3 API Reference, "Error responses").
fn is_throttled(response: &HttpResponse, is_head: bool) -> bool {
    let status = response.status();
    if status.is_success() {
        return false;
    }
    is_head && status.as_u16() == 503
        || code(response).is_some_and(|code| {
            code != "LimitExceededException" && THROTTLING_ERRORS.contains(&code.as_str())
        })
}

/// Parses the error code of a response. Its format depends on the protocol.
fn code(response: &HttpResponse) -> Option<String> {
    let body = std::str::from_utf8(response.body().bytes()?).ok()?;
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(body) {
        let name = json.get("__type")?.as_str()?;
        return Some(name.rsplit('#').next().unwrap_or(name).to_owned());
    }
    let (_, rest) = body.split_once("<Code>")?;
    Some(rest.split_once("</Code>")?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::body::SdkBody;

    fn answered(status: u16, body: &str) -> bool {
        let status = status.try_into().unwrap();
        is_throttled(&HttpResponse::new(status, SdkBody::from(body)), false)
    }

    #[test]
    fn what_comes_too_fast_is_told_from_what_there_is_too_much_of() {
        assert!(answered(400, r#"{"__type":"com.amazonaws.kms#ThrottlingException"}"#));
        assert!(answered(400, r#"{"__type":"ThrottlingException","message":"m"}"#));
        assert!(answered(503, "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code></Error>"));
        assert!(answered(
            400,
            "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>"
        ));
        assert!(!answered(400, r#"{"__type":"LimitExceededException"}"#));
        assert!(!answered(503, "<Error><Code>ServiceUnavailable</Code></Error>"));
        assert!(!answered(200, "<Code>SlowDown</Code>"));
        assert!(!answered(503, ""));
        let slow_down = HttpResponse::new(503.try_into().unwrap(), SdkBody::empty());
        assert!(is_throttled(&slow_down, true), "the answer to a HEAD has no body");
    }
}
