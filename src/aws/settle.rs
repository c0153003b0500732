//! The only module that waits for AWS: retries calls during propagation delay, and polls for
//! states.
//! Not for: throttling (see `throttle`) or which errors mean propagation delay (see `lag`).

use super::{Error, lag};
use crate::events::Progress;
use crate::failure::{Failure, Kind};
use crate::stop::Stop;
use crate::units::format_duration;
use std::time::Duration;
use tokio::time::Instant;

/// Repeats the call while its error means propagation delay. After the time limit, the last error
/// is returned. If the run ends first, the failure says so.
pub async fn retry<T, F>(
    stop: &Stop,
    progress: &Progress,
    mut call: impl FnMut() -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Error>>,
{
    let started = Instant::now();
    loop {
        let error = match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let lag = lag::of(&error).filter(|lag| started.elapsed() < lag.budget);
        let Some(lag) = lag else { return Err(error.into()) };
        if stop.is_ending() {
            return Err(stop.failure_while(lag.reason).in_region(&error.region));
        }
        let left = format_duration(lag.budget.saturating_sub(started.elapsed()));
        progress.retrying(&error.code, &format!("{}; retrying for up to {left} more", lag.reason));
        let next = next_pause(started.elapsed(), RETRIES);
        pause(stop, next).await;
    }
}

/// What to wait for, and how long.
#[derive(Debug, Clone)]
pub struct Wait {
    /// Completes the sentence "waiting for …".
    pub what: String,
    /// The shortest pause. Pauses grow with the time waited, up to `at_most_every`.
    pub every: Duration,
    /// The longest pause.
    pub at_most_every: Duration,
    /// The time limit of the whole wait.
    pub at_most: Duration,
    /// How many consecutive reads must show the state, if reads may be stale.
    pub in_a_row: u32,
    /// The hint for the user after the time limit.
    pub hint: String,
}

/// The result of one poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look<T> {
    /// The state is reached.
    There(T),
    /// The state is not reached. The text names the current state.
    NotYet(String),
}

/// Polls until the state is reached. After the time limit, the exit code is 7. A failed poll ends
/// the wait at once.
pub async fn until<T, F>(
    stop: &Stop,
    progress: &Progress,
    wait: &Wait,
    mut look: impl FnMut() -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<Look<T>, Failure>>,
{
    let started = Instant::now();
    let mut seen = 0;
    loop {
        let now = match look().await? {
            Look::There(found) => {
                seen += 1;
                if seen >= wait.in_a_row {
                    return Ok(found);
                }
                "seen once, must be seen again".to_owned()
            }
            Look::NotYet(state) => {
                seen = 0;
                state
            }
        };
        if started.elapsed() >= wait.at_most {
            let message =
                format!("waited {} for {}: {now}", format_duration(wait.at_most), wait.what);
            return Err(Failure::new(Kind::TooLate, "too-late", message).hint(wait.hint.clone()));
        }
        if stop.is_ending() {
            return Err(stop.failure());
        }
        progress.waiting(
            format!(
                "{now}: waiting for {} for up to {} more",
                wait.what,
                format_duration(wait.at_most.saturating_sub(started.elapsed()))
            ),
            started.elapsed(),
        );
        let next = next_pause(started.elapsed(), (wait.every, wait.at_most_every));
        pause(stop, next).await;
    }
}

/// Pauses for `duration`, or until the run is ending.
pub async fn pause(stop: &Stop, duration: Duration) {
    tokio::select! {
        () = tokio::time::sleep(duration) => {}
        () = stop.ending() => {}
    }
}

/// Waits for `duration`. A caller that can be stopped drops this future.
pub async fn wait(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Polls until `is_so` holds for the result, and at most for `within`. Returns the last result. A
/// caller that can be stopped drops this future.
pub async fn shown<T, E, F>(
    within: Duration,
    is_so: impl Fn(&T) -> bool,
    mut look: impl FnMut() -> F,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let started = Instant::now();
    loop {
        let seen = look().await?;
        if is_so(&seen) || started.elapsed() >= within {
            return Ok(seen);
        }
        tokio::time::sleep(next_pause(started.elapsed(), LOOKS)).await;
    }
}

/// The shortest and the longest pause between two tries of a call.
const RETRIES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// The same between two looks of [`shown`].
const LOOKS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

/// Returns the pause after `elapsed`: an eighth of it, so that what AWS takes its time for is seen soon
/// after, at a number of calls that grows slowly.
fn next_pause(elapsed: Duration, (shortest, longest): (Duration, Duration)) -> Duration {
    (elapsed / 8).max(shortest).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Class;
    use crate::events::{Event, Events, Kind as Thing, Sink, StepId};
    use crate::names::Region;
    use crate::stop::Reason;

    struct Silent;
    impl Sink for Silent {
        fn take(&self, _: &Event) {}
    }

    fn aborted() -> Error {
        Error {
            operation: "s3:PutBucketTagging",
            region: Region::new("us-east-1").unwrap(),
            code: "OperationAborted".to_owned(),
            message: "A conflicting conditional operation is currently in progress".to_owned(),
            status: Some(409),
            request_id: None,
            class: Class::Other,
            obstacle: None,
            also_denied: Vec::new(),
        }
    }

    #[derive(Default)]
    struct Told(std::sync::Mutex<Vec<String>>);
    impl Sink for Told {
        fn take(&self, event: &Event) {
            if let Event::StepWait { reason, .. } | Event::StepRetry { reason, .. } = event {
                self.0.lock().unwrap().push(reason.clone());
            }
        }
    }

    /// Each wait and each retry tells for what, and how long still; both end in their time.
    #[tokio::test(start_paused = true)]
    async fn what_is_waited_for_is_told_with_the_time_that_is_left() {
        let told = std::sync::Arc::new(Told::default());
        let step = StepId::new(Thing::BucketTags, "demo-111122223333-us-east-1");
        let progress = Events::to(told.clone()).step(&step);
        let wait = Wait {
            what: "the tags".to_owned(),
            every: Duration::from_secs(20),
            at_most_every: Duration::from_secs(20),
            at_most: Duration::from_mins(1),
            in_a_row: 1,
            hint: "again".to_owned(),
        };
        let look = || async { Ok(Look::<()>::NotYet("none".to_owned())) };
        let late = until(&Stop::default(), &progress, &wait, look).await.unwrap_err();
        assert_eq!((late.kind, late.hints[0].as_str()), (Kind::TooLate, "again"));
        let reasons = std::mem::take(&mut *told.0.lock().unwrap());
        assert_eq!(reasons[0], "none: waiting for the tags for up to 1m more");
        assert!(reasons.len() > 1 && reasons[1] != reasons[0], "{reasons:?}");
        let refused = || async { Err::<(), _>(aborted()) };
        assert!(retry(&Stop::default(), &progress, refused).await.is_err());
        let reasons = told.0.lock().unwrap();
        assert!(reasons[0].ends_with("; retrying for up to 2m more"), "{reasons:?}");
        assert!(!reasons.last().unwrap().ends_with("2m more"), "{reasons:?}");
    }

    /// The signal arrives during a call, or between two calls.
    #[tokio::test(start_paused = true)]
    async fn a_signal_between_two_tries_is_why_the_run_ends() {
        let progress = Events::to(std::sync::Arc::new(Silent))
            .step(&StepId::new(Thing::BucketTags, "demo-111122223333-us-east-1"));
        for in_call in [true, false] {
            let stop = Stop::default();
            let ender = stop.clone();
            let signal = move || ender.end(Reason::Interrupted);
            if !in_call {
                let signal = signal.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    signal();
                });
            }
            let call = || async {
                if in_call {
                    signal();
                }
                Err::<(), _>(aborted())
            };
            let failure = retry(&stop, &progress, call).await.unwrap_err();
            assert_eq!((failure.kind, failure.code.as_str()), (Kind::Interrupted, "interrupted"));
        }
    }
}
