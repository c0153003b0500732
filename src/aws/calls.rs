//! Interceptor of every SDK request: counts the request, logs the response and bounds its size, and
//! sets the expected bucket owner of S3 requests.
//! Not for: retrying (see `settle` and `throttle`).

use crate::names::AccountId;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextMut, BeforeDeserializationInterceptorContextRef,
    BeforeTransmitInterceptorContextMut, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use aws_smithy_types::date_time::Format;
use http_body_util::Limited;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

/// The number of requests sent. Each attempt of a retried call counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct CallCount {
    /// Requests that only read.
    pub reads: u64,
    /// Requests that change something.
    pub writes: u64,
}

impl CallCount {
    /// Returns the number of all requests.
    pub fn total(self) -> u64 {
        self.reads + self.writes
    }
}

/// The interceptor. Its clones share the counters and the account of the credentials.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    reads: Arc<AtomicU64>,
    writes: Arc<AtomicU64>,
    /// The duration of the fastest request in microseconds; 0 before the first.
    fastest: Arc<AtomicU64>,
    /// How far the clock of AWS is ahead of this machine's, in seconds, by the last response.
    ahead: Arc<AtomicI64>,
    account: Arc<OnceLock<AccountId>>,
}

/// The time at which a request was sent.
#[derive(Debug)]
struct Sent(Instant);

impl Storable for Sent {
    type Storer = StoreReplace<Self>;
}

impl Calls {
    /// Returns an interceptor for the credentials of another account. It shares the counters, but
    /// not the account.
    pub(super) fn beside(&self) -> Self {
        let (reads, writes) = (Arc::clone(&self.reads), Arc::clone(&self.writes));
        let (fastest, ahead) = (Arc::clone(&self.fastest), Arc::clone(&self.ahead));
        Self { reads, writes, fastest, ahead, account: Arc::default() }
    }

    /// Returns the number of requests sent so far.
    pub fn count(&self) -> CallCount {
        CallCount {
            reads: self.reads.load(Ordering::Relaxed),
            writes: self.writes.load(Ordering::Relaxed),
        }
    }

    /// Returns the duration of the fastest request so far.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        let micros = self.fastest.load(Ordering::Relaxed);
        (micros > 0).then(|| Duration::from_micros(micros))
    }

    /// Returns the time by the clock of AWS, which S3 compares retention periods with.
    pub(super) fn now(&self) -> DateTime {
        let ahead = self.ahead.load(Ordering::Relaxed);
        DateTime::from_secs(DateTime::from(SystemTime::now()).secs() + ahead)
    }

    fn dated(&self, date: Option<&str>) {
        let date = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        if let Some(date) = date {
            let ahead = date.secs() - DateTime::from(SystemTime::now()).secs();
            self.ahead.store(ahead, Ordering::Relaxed);
        }
    }

    fn took(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
        let shorter = |so_far: u64| (so_far == 0 || micros < so_far).then_some(micros);
        let _ = self.fastest.fetch_update(Ordering::Relaxed, Ordering::Relaxed, shorter);
    }

    /// Returns the account that the credentials belong to, once it is known.
    pub(super) fn account(&self) -> Option<&AccountId> {
        self.account.get()
    }

    /// Sets `account` as the expected bucket owner of every later S3 request.
    pub(super) fn expect_owner(&self, account: &AccountId) {
        self.account.get_or_init(|| account.clone());
    }
}

/// How much of an answer is read, in bytes. The longest of AWS are lists of 1,000 versions, with keys of
/// up to 1,024 bytes in URL encoding (S3 API Reference, `ListObjectVersions`).
pub(super) const LARGEST_ANSWER: usize = 16 << 20;
/// The operation whose answer is an object, which is read piece by piece, and that of a replay, which may have one.
const OF_ANY_SIZE: [&str; 2] = ["GetObject", "replay"];

/// Operations without the header `x-amz-expected-bucket-owner` (S3 API Reference, `CreateBucket`
/// and `ListBuckets`).
const WITHOUT_OWNER: [&str; 2] = ["CreateBucket", "ListBuckets"];

impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "crrctl calls"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(metadata) = config.load::<Metadata>() else { return Ok(()) };
        let Some(account) = self.account.get() else { return Ok(()) };
        if metadata.service() == "S3" && !WITHOUT_OWNER.contains(&metadata.name()) {
            context
                .request_mut()
                .headers_mut()
                .insert("x-amz-expected-bucket-owner", account.to_string());
        }
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(metadata) = config.load::<Metadata>() else { return Ok(()) };
        let is_read = ["Get", "Head", "List", "Describe"]
            .iter()
            .any(|verb| metadata.name().starts_with(verb));
        let counter = if is_read { &self.reads } else { &self.writes };
        counter.fetch_add(1, Ordering::Relaxed);
        config.interceptor_state().store_put(Sent(Instant::now()));
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if config.load::<Metadata>().is_some_and(|it| !OF_ANY_SIZE.contains(&it.name())) {
            let body = context.response_mut().take_body();
            *context.response_mut().body_mut() =
                SdkBody::from_body_1_x(Limited::new(body, LARGEST_ANSWER));
        }
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(metadata) = config.load::<Metadata>() else { return Ok(()) };
        if let Some(Sent(sent)) = config.load::<Sent>() {
            self.took(sent.elapsed());
        }
        let response = context.response();
        self.dated(response.headers().get("date"));
        let request_id = super::error::request_id(response.headers()).unwrap_or("-");
        let (service, operation, status) =
            (metadata.service(), metadata.name(), response.status().as_u16());
        tracing::info!("{service} {operation} answered {status}, request id {request_id}");
        Ok(())
    }
}
