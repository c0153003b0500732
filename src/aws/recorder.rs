//! Interceptor that records every attempt of every request: what was asked, and what was answered.
//! Log-ins are no requests of a client and are not recorded.
//! Not for: what is written of it (see `recording`).

use crate::names::Region;
use crate::recording::{Exchange, Members, Recorder, Said, Service, wire};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use jiff::Timestamp;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// The recorder of a run, and which of its credentials a client has.
#[derive(Debug, Clone)]
pub(super) struct Recording {
    pub(super) recorder: Recorder,
    pub(super) caller: u32,
}

/// The interceptor of the clients of one Region; it does nothing where no run is recorded.
#[derive(Debug, Clone)]
pub(super) struct RecordInterceptor {
    pub(super) recording: Option<Recording>,
    pub(super) region: Region,
}

/// The body of a request, before signing wraps it.
#[derive(Debug)]
struct Data(Value);

impl Storable for Data {
    type Storer = StoreReplace<Self>;
}

/// What an attempt sent, and when.
#[derive(Debug)]
struct Attempt {
    at: Timestamp,
    since: Instant,
    members: Members,
}

/// The attempt that was sent last. It is taken when it ends, so that none after it, which may not be
/// sent, has its request.
#[derive(Debug)]
struct Sent(Mutex<Option<Attempt>>);

impl Storable for Sent {
    type Storer = StoreReplace<Self>;
}

fn call(config: &ConfigBag) -> Option<(Service, &str)> {
    let metadata = config.load::<Metadata>()?;
    Some((Service::of_sdk(metadata.service())?, metadata.name()))
}

fn headers(headers: &Headers) -> Vec<(&str, &str)> {
    headers.iter().collect()
}

impl Intercept for RecordInterceptor {
    fn name(&self) -> &'static str {
        "crrctl recorder"
    }

    fn read_after_serialization(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.recording.is_none() {
            return Ok(());
        }
        let is_data = matches!(call(config), Some((_, "PutObject" | "UploadPart")));
        if let Some(body) = context.request().body().bytes().filter(|_| is_data) {
            config.interceptor_state().store_put(Data(wire::blob(body)));
        }
        Ok(())
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (Some(_), Some((service, operation))) = (&self.recording, call(config)) else {
            return Ok(());
        };
        let request = context.request();
        let (uri, headers) = (request.uri(), headers(request.headers()));
        let data = config.load::<Data>().map(|it| it.0.clone());
        // The body of an object is known already.
        let body = request.body().bytes().filter(|_| data.is_none());
        let mut members = wire::request(service, operation, &wire::Message { uri, headers, body });
        if let Some(data) = data {
            members.insert("Body".to_owned(), data);
        }
        let attempt = Attempt { at: Timestamp::now(), since: Instant::now(), members };
        config.interceptor_state().store_put(Sent(Mutex::new(Some(attempt))));
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (Some(recording), Some((service, operation))) = (&self.recording, call(config)) else {
            return Ok(());
        };
        // An attempt that did not get as far as being sent is no exchange.
        let taken = config
            .load::<Sent>()
            .and_then(|sent| sent.0.lock().unwrap_or_else(PoisonError::into_inner).take());
        let Some(sent) = taken else { return Ok(()) };
        let response = context.response();
        let status = response.map(|it| it.status().as_u16());
        let said = response.map_or_else(Said::default, |response| {
            let body = response.body().bytes();
            let message = wire::Message { uri: "", headers: headers(response.headers()), body };
            wire::answer(service, operation, response.status().as_u16(), &message)
        });
        recording.recorder.exchange(Exchange {
            at: sent.at,
            service,
            operation: operation.to_owned(),
            region: self.region.to_string(),
            caller: recording.caller,
            attempt: config.load::<RequestAttempts>().map_or(1, RequestAttempts::attempts),
            request: sent.members,
            status,
            code: said.code,
            message: said.message,
            answer: said.members,
            request_id: said.request_id,
            duration_ms: u64::try_from(sent.since.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
        Ok(())
    }
}
