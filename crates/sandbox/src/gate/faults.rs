//! Trouble on demand: which requests are to go wrong, and how. Not for: making them go wrong (see `server` and `s3`).

use crate::wire::FaultKind;
use crate::world::clock::parse_duration;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};

/// The services that a fault can name.
const SERVICES: [&str; 7] = ["*", "cloudwatch", "iam", "kms", "s3", "s3control", "sts"];

/// How a fault is spelled.
pub(crate) const SPELLING: &str = "SERVICE:OPERATION:KIND[:after=N][:times=N][:attempt=N]";

/// A fault as `--fault` spells it, see [`SPELLING`]: it passes `after` requests by, then strikes `times` of them. With `attempt` it
/// means, and counts, only the requests that are the N-th try of a call as the SDKs say in `amz-sdk-request`.
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

/// Faults in force, with how often each was met.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    in_force: Mutex<InForce>,
    /// Told when others are put in their place.
    replaced: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct InForce {
    specs: Vec<(FaultSpec, u64)>,
    /// Rings when the first of them has struck and the request is over; each set has its own, so that none hears of another's.
    first: Arc<Notify>,
}

impl Faults {
    /// Puts faults in force.
    pub(crate) fn new(specs: Vec<FaultSpec>) -> Self {
        let faults = Self::default();
        faults.set(specs);
        faults
    }

    /// Puts faults in force, in place of all that were.
    pub(crate) fn set(&self, specs: Vec<FaultSpec>) {
        let specs = specs.into_iter().map(|spec| (spec, 0)).collect();
        *self.lock() = InForce { specs, first: Arc::default() };
        self.replaced.send_replace(());
    }

    fn lock(&self) -> MutexGuard<'_, InForce> {
        self.in_force.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears that a request which `trouble` struck is over, but for an answer that never comes.
    pub(crate) fn over(&self, trouble: &FaultKind) {
        let faults = self.lock();
        if faults.specs.first().is_some_and(|(spec, _)| &spec.kind == trouble) {
            faults.first.notify_one();
        }
    }

    /// Returns what completes once the faults that are in force now no longer are.
    pub(crate) fn lifted(&self) -> impl Future<Output = ()> + use<> {
        let mut replaced = self.replaced.subscribe();
        // The sender lives as long as the sandbox.
        async move { drop(replaced.changed().await) }
    }

    /// Waits until the first fault has struck and the request is over.
    pub(crate) async fn injected(&self) {
        let first = Arc::clone(&self.lock().first);
        first.notified().await;
    }

    /// Counts a request against every fault that means it, and returns the first that strikes.
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

/// Returns the code and status with which a service says that it is asked too often.
pub(crate) fn throttled(service: &str) -> (&'static str, u16, &'static str) {
    match service {
        "s3" | "s3control" => ("SlowDown", 503, "Please reduce your request rate."),
        "kms" => ("ThrottlingException", 400, "Rate exceeded"),
        _ => ("Throttling", 400, "Rate exceeded"),
    }
}

/// Returns the status that usually comes with a code.
pub(crate) fn status_of(code: &str) -> u16 {
    match code {
        "InternalError" | "InternalFailure" | "KMSInternalException" | "ServiceFailure" => 500,
        "ServiceUnavailable" | "SlowDown" => 503,
        "AccessDenied" | "InvalidClientTokenId" | "SignatureDoesNotMatch" => 403,
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
            ("ec2:Run:reset", "one of *, cloudwatch, iam, kms"),
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
