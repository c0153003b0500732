//! The faults to inject: which requests fail, and how. Not for: making requests fail (see
//! `gate::inject`, `server` and `s3`).

use crate::wire::FaultKind;
use crate::world::clock::parse_duration;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};

/// The services that a fault can name.
const SERVICES: [&str; 11] = [
    "*",
    "cloudtrail",
    "cloudwatch",
    "iam",
    "kms",
    "s3",
    "s3control",
    "sns",
    "sqs",
    "sts",
    "tagging",
];

/// The syntax of a fault.
pub(crate) const SPELLING: &str = "SERVICE:OPERATION:KIND[:after=N][:times=N][:attempt=N]";

/// A fault in the syntax of `--fault`: `SERVICE:OPERATION:KIND[:after=N][:times=N][:attempt=N]`.
/// The fault skips `after` matching requests, then is injected into `times` requests. With
/// `attempt`, the fault matches and counts only the requests that are the N-th attempt of a call
/// according to `amz-sdk-request`, which the SDKs send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultSpec {
    service: String,
    operation: String,
    kind: FaultKind,
    after: u64,
    times: Option<u64>,
    attempt: Option<u64>,
}

impl FromStr for FaultSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse =
            |why: &str| format!("`{text}` is not a fault: {why}; it is spelled {SPELLING}");
        let mut parts = text.split(':');
        let mut next = |what: &str| {
            let part = parts.next().filter(|part| !part.is_empty());
            part.ok_or_else(|| refuse(&format!("{what} is missing")))
        };
        let (service, operation, kind) =
            (next("the service")?, next("the operation")?, next("the kind")?);
        if !SERVICES.contains(&service) {
            return Err(refuse(&format!("the service is one of {}", SERVICES.join(", "))));
        }
        if operation != "*" && !operation.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(refuse("the operation is a name such as CreateKey, or *"));
        }
        let kind = trouble(kind).map_err(|why| refuse(&why))?;
        let (mut after, mut times, mut attempt) = (0, None, None);
        for part in parts {
            let unknown = || refuse(&format!("`{part}` is none of after=N, times=N, attempt=N"));
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.parse::<u64>().map_err(|_| unknown())?;
            match name {
                "after" => after = value,
                "times" => times = Some(value),
                "attempt" => attempt = Some(value),
                _ => return Err(unknown()),
            }
        }
        let (service, operation) = (service.to_owned(), operation.to_owned());
        Ok(Self { service, operation, kind, after, times, attempt })
    }
}

fn trouble(text: &str) -> Result<FaultKind, String> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    match (name, value) {
        ("throttle", "") => Ok(FaultKind::Throttle),
        ("reset", "") => Ok(FaultKind::Reset),
        ("lost-reply", "") => Ok(FaultKind::LostReply),
        ("hang", "") => Ok(FaultKind::Hang),
        ("error", code) if is_code(code) => Ok(FaultKind::Error(code.to_owned())),
        ("delay", duration) => parse_duration(duration).map(FaultKind::Delay),
        _ => {
            Err("the kind is throttle, error=CODE, reset, lost-reply, hang or delay=DURATION"
                .into())
        }
    }
}

fn is_code(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'_')
}

/// The faults in force, each with the number of requests that it has matched.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    in_force: Mutex<InForce>,
    /// Notified when the faults are replaced.
    replaced: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct InForce {
    specs: Vec<(FaultSpec, u64)>,
    /// Notified when the first fault was injected and its request is complete. Each set of faults
    /// has its own `Notify`, so that a waiter is not notified of a fault in another set.
    first: Arc<Notify>,
}

impl Faults {
    /// Creates a set of faults and puts it in force.
    pub(crate) fn new(specs: Vec<FaultSpec>) -> Self {
        let faults = Self::default();
        faults.set(specs);
        faults
    }

    /// Replaces all faults in force.
    pub(crate) fn set(&self, specs: Vec<FaultSpec>) {
        let specs = specs.into_iter().map(|spec| (spec, 0)).collect();
        *self.lock() = InForce { specs, first: Arc::default() };
        self.replaced.send_replace(());
    }

    fn lock(&self) -> MutexGuard<'_, InForce> {
        self.in_force.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether there is nothing to inject, as in most sandboxes.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().specs.is_empty()
    }

    /// Notifies [`Self::injected`] if `trouble` is the first fault. The request with this fault is
    /// complete, except for a response that never arrives.
    pub(crate) fn over(&self, trouble: &FaultKind) {
        let faults = self.lock();
        if faults.specs.first().is_some_and(|(spec, _)| &spec.kind == trouble) {
            faults.first.notify_one();
        }
    }

    /// Returns a future that completes when the current faults are no longer in force.
    pub(crate) fn lifted(&self) -> impl Future<Output = ()> + use<> {
        let mut replaced = self.replaced.subscribe();
        // The sender lives as long as the sandbox.
        async move { drop(replaced.changed().await) }
    }

    /// Waits until the first fault has been injected and its request is complete.
    pub(crate) async fn injected(&self) {
        let first = Arc::clone(&self.lock().first);
        first.notified().await;
    }

    /// Counts a request against every fault that matches it, and returns the first fault to inject.
    pub(crate) fn inject(&self, service: &str, operation: &str, attempt: u64) -> Option<FaultKind> {
        let mut faults = self.lock();
        let mut injected = None;
        for (spec, met) in &mut faults.specs {
            let means = |name: &str, is: &str| name == "*" || name.eq_ignore_ascii_case(is);
            if !means(&spec.service, service)
                || !means(&spec.operation, operation)
                || spec.attempt.is_some_and(|meant| meant != attempt)
            {
                continue;
            }
            *met += 1;
            let last = spec.times.map_or(u64::MAX, |times| spec.after.saturating_add(times));
            if injected.is_none() && (spec.after < *met && *met <= last) {
                injected = Some(spec.kind.clone());
            }
        }
        injected
    }
}

/// Returns the code, the status and the message of a service's throttling error.
pub(crate) fn throttled(service: &str) -> (&'static str, u16, &'static str) {
    match service {
        "s3" | "s3control" => ("SlowDown", 503, "Please reduce your request rate."),
        "kms" => ("ThrottlingException", 400, "Rate exceeded"),
        _ => ("Throttling", 400, "Rate exceeded"),
    }
}

/// Returns the usual HTTP status of an error code.
pub(crate) fn status_of(code: &str) -> u16 {
    match code {
        "InternalError" | "InternalFailure" | "KMSInternalException" | "ServiceFailure" => 500,
        "ServiceUnavailable" | "SlowDown" => 503,
        // SNS API Reference, "Common Errors": `AuthorizationError`.
        "AccessDenied"
        | "AuthorizationError"
        | "InvalidClientTokenId"
        | "SignatureDoesNotMatch" => 403,
        "OperationAborted" | "ConcurrentModification" | "EntityAlreadyExists" | "LimitExceeded" => {
            409
        }
        code if code.starts_with("NoSuch") => 404,
        _ => 400,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn faults_strike_after_and_as_often_as_they_say() {
        let spec: FaultSpec = "kms:CreateKey:error=Foo:after=1:times=2".parse().unwrap();
        let faults = Faults::new(vec![spec, "*:*:delay=2s:after=3".parse().unwrap()]);
        let strikes: Vec<_> = (0..5).map(|_| faults.inject("kms", "CreateKey", 1)).collect();
        let foo = Some(FaultKind::Error("Foo".into()));
        let delay = Some(FaultKind::Delay(Duration::from_secs(2)));
        assert_eq!(strikes, [None, foo.clone(), foo, delay.clone(), delay.clone()]);
        assert_eq!(faults.inject("s3", "PutObject", 1), delay);
        assert_eq!(Faults::new(vec!["s3:*:reset".parse().unwrap()]).inject("kms", "X", 1), None);
    }

    #[test]
    fn the_tries_of_a_call_are_told_apart() {
        let faults = Faults::new(vec!["*:*:reset:after=1:attempt=1".parse().unwrap()]);
        let strikes: Vec<_> =
            [1, 2, 1, 2, 3, 1].map(|attempt| faults.inject("s3", "X", attempt).is_some()).into();
        assert_eq!(strikes, [false, false, true, false, false, true]);
    }

    #[test]
    fn what_is_no_fault_says_what_is_allowed() {
        for (text, part) in [
            ("", "the service is missing"),
            ("s3", "the operation is missing"),
            ("s3:PutObject", "the kind is missing"),
            ("ec2:Run:reset", "one of *, cloudtrail, cloudwatch, iam, kms"),
            ("s3:Put Object:reset", "such as CreateKey"),
            ("s3:*:explode", "throttle, error=CODE"),
            ("s3:*:error=", "throttle, error=CODE"),
            ("s3:*:delay=5", "not a duration"),
            ("s3:*:reset:after=x", "none of after=N, times=N, attempt=N"),
            ("s3:*:reset:often=1", "none of after=N, times=N, attempt=N"),
        ] {
            let error = text.parse::<FaultSpec>().unwrap_err();
            assert!(error.contains(part) && error.contains("SERVICE:OPERATION:KIND"), "{error}");
        }
    }
}
