//! Errors of failed AWS calls: what AWS returned, and the class of the failure.
//! Not for: deciding whether to retry (see `lag`).

mod class;
mod denied;
mod told;

pub use class::is_of_account;
pub use denied::{action, denied};

use super::calls::LARGEST_ANSWER;
use super::transport::{NETWORK, Obstacle, Unanswered, Way, is_too_long};
use crate::failure::{Failure, Kind};
use crate::joined::Beside;
use crate::names::Region;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::error::operation::BuildError;

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation} in {region} failed: {code}: {message}")]
pub struct Error {
    /// The operation, such as `s3:PutBucketVersioning`.
    pub operation: &'static str,
    /// The Region that was called.
    pub region: Region,
    /// AWS's error code. A HEAD response has no body, so its code is derived from the status. The
    /// code is `ConnectionFailed` if there was no response.
    pub code: String,
    /// AWS's message.
    pub message: String,
    /// The HTTP status, if there was a response.
    pub status: Option<u16>,
    /// AWS's request id.
    pub request_id: Option<String>,
    /// The class of the failure.
    pub class: Class,
    /// What is in the way, if AWS did not answer.
    pub obstacle: Option<Obstacle>,
    /// The calls that were denied beside this one, which was denied too.
    pub also_denied: Vec<Error>,
}

impl Beside for Error {
    fn beside(mut self, mut other: Self) -> Self {
        if self.class == Class::Denied && other.class == Class::Denied {
            let more = std::mem::take(&mut other.also_denied);
            self.also_denied.push(other);
            self.also_denied.extend(more);
        }
        self
    }
}

/// The class of a failed call, whatever the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The resource does not exist.
    Absent,
    /// Permission is missing.
    Denied,
    /// There are no usable credentials.
    Credentials,
    /// The call was never sent because the run is shutting down. The kind is that of the run's
    /// failure.
    NotBegun(Kind),
    /// Anything else.
    Other,
}

impl Error {
    /// Returns whether the object, and not the caller, may be the cause of a failed read. S3
    /// returns 400 if the request lacks the key of an SSE-C object or names a malformed version id,
    /// and 405 for a delete marker that is named by its version id. The answer to a HEAD has no
    /// code, so that there 400 may mean expired credentials too.
    pub fn may_be_the_objects(&self) -> bool {
        let is_status = matches!(self.status, Some(400 | 405));
        match self.operation {
            "s3:HeadObject" => is_status,
            "s3:GetObject" => is_status && self.class == Class::Other,
            _ => false,
        }
    }

    /// Returns the error of a call that was not sent because the run is ending with the failure
    /// `ending`.
    pub fn not_begun(operation: &'static str, region: &Region, ending: &Failure) -> Self {
        Self {
            operation,
            region: region.clone(),
            code: ending.code.clone(),
            message: ending.message.clone(),
            status: None,
            request_id: None,
            class: Class::NotBegun(ending.kind),
            obstacle: None,
            also_denied: Vec::new(),
        }
    }

    /// Returns the error of a response that can't be parsed. Such a response never means that a
    /// resource is absent.
    pub fn unreadable(operation: &'static str, region: &Region, what: &str) -> Self {
        Self {
            operation,
            region: region.clone(),
            code: "AnswerUnreadable".to_owned(),
            message: format!("the answer's {what} can't be read"),
            status: None,
            request_id: None,
            class: Class::Other,
            obstacle: None,
            also_denied: Vec::new(),
        }
    }

    /// Returns whether the endpoint gave no response.
    pub fn is_unreachable(&self) -> bool {
        matches!(self.code.as_str(), "ConnectionFailed" | "TimedOut" | NOT_FROM_AWS)
    }

    /// Returns whether the bucket lies in another Region than the one that was called (S3 API Reference,
    /// "Error responses").
    pub fn is_elsewhere(&self) -> bool {
        self.status == Some(301)
            || ["AuthorizationHeaderMalformed", "IllegalLocationConstraintException"]
                .contains(&self.code.as_str())
    }

    /// Returns whether the requested resource does not exist.
    pub fn is_absent(&self) -> bool {
        self.class == Class::Absent
    }

    /// Returns whether the error code is `code`.
    pub fn is(&self, code: &str) -> bool {
        self.code == code
    }
}

/// Converts an SDK error to [`Error`] and adds the operation and the Region.
pub trait At<T> {
    /// Adds to a failure that `operation` was called in `region`.
    fn at(self, operation: &'static str, region: &Region) -> Result<T, Error>;
}

impl<T, E> At<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    fn at(self, operation: &'static str, region: &Region) -> Result<T, Error> {
        self.map_err(|error| describe(&error, operation, region))
    }
}

/// All required values of a request are set, so a request that can't be built is a bug.
impl<T> At<T> for Result<T, BuildError> {
    fn at(self, operation: &'static str, region: &Region) -> Result<T, Error> {
        self.map_err(|error| Error {
            operation,
            region: region.clone(),
            code: "NotSent".to_owned(),
            message: format!("{error}: this is a bug in crrctl"),
            status: None,
            request_id: None,
            class: Class::Other,
            obstacle: None,
            also_denied: Vec::new(),
        })
    }
}

fn describe<E>(error: &SdkError<E, HttpResponse>, operation: &'static str, region: &Region) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    if let SdkError::DispatchFailure(failure) = error
        && let Some(refused) = failure.as_connector_error().and_then(refused_role)
    {
        return describe(refused, "sts:AssumeRole", region);
    }
    let response = error.raw_response();
    let status = response.map(|response| response.status().as_u16());
    let service = error.as_service_error().map(ProvideErrorMetadata::meta);
    let request_id =
        response.and_then(|response| request_id(response.headers())).map(str::to_owned);
    let named = service.and_then(|meta| meta.code());
    // The answer to a HEAD has no body, and stand-ins for S3 leave the request id out of it.
    let is_of_aws = named.is_some() || request_id.is_some() || operation.starts_with("s3:Head");
    let unanswered = unanswered(error);
    let code = match (named, unanswered) {
        (Some(code), _) => code,
        (None, _) if !is_of_aws && status.is_some() => NOT_FROM_AWS,
        (None, Some(unanswered)) if unanswered.obstacle.is_silence() => "TimedOut",
        (None, Some(_)) => "ConnectionFailed",
        (None, None) => unnamed(error, status),
    };
    let code = code.to_owned();
    let way = response.and_then(|response| response.extension::<Way>());
    let message = match service.and_then(|meta| meta.message()) {
        Some(message) => message.to_owned(),
        None if code == NOT_FROM_AWS => {
            let place = way.map_or_else(|| "AWS".to_owned(), ToString::to_string);
            let status = status.unwrap_or_default();
            format!("something else answered in place of {place}, with status {status}")
        }
        None if unanswered.is_some() => {
            unanswered.map_or_else(String::new, |it| it.message.clone())
        }
        None if is_too_long(error) => {
            format!(
                "the answer is longer than {} MiB, and no answer of AWS is",
                LARGEST_ANSWER >> 20
            )
        }
        None if error.as_service_error().is_some() => "AWS gave no reason".to_owned(),
        None => told::causes(error),
    };
    let class =
        if code == NOT_FROM_AWS { Class::Other } else { class::classify(operation, &code, status) };
    let obstacle = match unanswered {
        Some(unanswered) => Some(unanswered.obstacle.clone()),
        None if code == NOT_FROM_AWS => {
            way.map(|way| Obstacle::not_aws(way.clone(), status.unwrap_or_default()))
        }
        None => None,
    };
    let (region, also_denied) = (region.clone(), Vec::new());
    Error { operation, region, code, message, status, request_id, class, obstacle, also_denied }
}

/// Returns the failure to reach the endpoint of the request itself. Where credentials can't be had, a
/// failure to reach another endpoint is only a part of the reason.
fn unanswered<E>(error: &SdkError<E, HttpResponse>) -> Option<&Unanswered> {
    let SdkError::DispatchFailure(failure) = error else { return None };
    let error = failure.as_connector_error()?;
    if told::is_about_credentials(Some(error)) { None } else { Unanswered::find(error) }
}

/// The code of an answer that has neither AWS's code nor its request id: a proxy, a captive portal, or
/// an endpoint that is none.
const NOT_FROM_AWS: &str = "NotFromAws";

/// Returns the request id of a response. The header depends on the protocol.
pub(super) fn request_id(headers: &Headers) -> Option<&str> {
    headers.get("x-amz-request-id").or_else(|| headers.get("x-amzn-requestid"))
}

/// Returns a code for a failure without a code from AWS.
fn unnamed<E>(error: &SdkError<E, HttpResponse>, status: Option<u16>) -> &'static str {
    match (error, status) {
        (_, Some(301)) => "PermanentRedirect",
        // A HEAD response has no body with a code. Requests for crrctl's own objects are well
        // formed, so 400 means expired credentials; what the user names is asked for with a body
        // (see `may_be_the_objects`).
        (_, Some(400)) => "ExpiredToken",
        (_, Some(403)) => "AccessDenied",
        (_, Some(404)) => "NotFound",
        (SdkError::DispatchFailure(failure), _)
            if told::is_about_credentials(failure.as_connector_error().map(|it| it as _)) =>
        {
            "NoCredentials"
        }
        (SdkError::TimeoutError(_), _) => "TimedOut",
        (SdkError::DispatchFailure(_), _) => "ConnectionFailed",
        (SdkError::ConstructionFailure(_), _) => "NotSent",
        (SdkError::ResponseError(_), _) => "AnswerUnreadable",
        _ => "Unknown",
    }
}

/// Returns the error of `AssumeRole`, if the credentials come from a role that can't be assumed.
fn refused_role(
    error: &(impl std::error::Error + 'static),
) -> Option<&SdkError<AssumeRoleError, HttpResponse>> {
    let mut next = Some(error as &(dyn std::error::Error + 'static));
    while let Some(error) = next {
        if let Some(refused) = error.downcast_ref() {
            return Some(refused);
        }
        next = error.source();
    }
    None
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = match error.class {
            Class::NotBegun(kind) => {
                return Self::new(kind, error.code, error.message).in_region(&error.region);
            }
            Class::Denied => Kind::Denied,
            Class::Credentials => Kind::Credentials,
            Class::Other if error.is_unreachable() => Kind::Unreachable,
            Class::Absent | Class::Other => Kind::Unexpected,
        };
        let mut failure =
            Self::new(kind, error.code.clone(), error.to_string()).in_region(&error.region);
        failure.aws_code = Some(error.code);
        failure.request_id = error.request_id;
        failure.not_found_by = (error.class == Class::Absent).then_some(error.operation);
        let is_by_policy = kind == Kind::Denied && !class::is_of_account(&failure.code);
        if is_by_policy {
            failure = failure.needing(vec![denied(&error.message, error.operation)]);
        }
        match kind {
            Kind::Unreachable => {
                let hints = error.obstacle.map_or_else(|| vec![NETWORK.to_owned()], |it| it.hints());
                hints.into_iter().fold(failure, Failure::hint)
            }
            Kind::Credentials => failure
                .hint("log in, or choose other credentials with `--profile` or AWS_PROFILE; the clock must be right too"),
            Kind::Denied => {
                error.also_denied.into_iter().map(Self::from).fold(failure, Self::beside)
            }
            _ => failure,
        }
    }
}
