//! Polls an object's replication status, often at first and then less often: a short replication is
//! detected at once, and a long one costs few calls.
//! Not for: polling an object outside a pair (see `wait`).

use super::upload::Uploaded;
use super::{MANY, Prober, Status, Target};
use crate::aws::At;
use crate::aws::settle::pause;
use crate::events::{Event, millis};
use crate::failure::Failure;
use crate::names::Arn;
use crate::units::format_duration;
use aws_sdk_s3::types::ReplicationStatus;
use std::time::Duration;

/// The result of polling.
#[derive(Debug, Clone)]
pub(super) struct Polled {
    pub(super) status: Status,
    /// Why S3 was not polled: the response to the upload shows that the object can't replicate as
    /// required.
    pub(super) unfit: Option<Unfit>,
    /// Milliseconds from the end of the upload to the poll that returned the status.
    pub(super) elapsed_ms: u64,
}

/// What the response to an upload shows where the object can't replicate as required.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unfit {
    NoVersion,
    /// The keys that the object is encrypted under, and should be; `None` for no KMS key.
    Key(Option<String>, Option<Arn>),
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoVersion => f.write_str("versioning of the source is not on"),
            Self::Key(seen, wanted) => {
                let seen = seen.as_deref().unwrap_or("no KMS key");
                let wanted = wanted.as_ref().map_or("no KMS key", Arn::as_str);
                write!(f, "it is encrypted under {seen}, not under {wanted}")
            }
        }
    }
}

impl Polled {
    /// Returns why another object may prove what this one does not.
    pub(super) fn why_another(&self) -> &'static str {
        match (self.status, &self.unfit) {
            (Status::Failed, _) => {
                "FAILED is final for an object, and what was just made may not be usable yet"
            }
            (_, Some(Unfit::NoVersion)) => "no version id: versioning may not have taken effect",
            (_, Some(Unfit::Key(..))) => "another key: the encryption may not have spread",
            (_, None) => "no replication status: the configuration may not have spread",
        }
    }
}

/// An eligible object has a status from the start; this many polls without a status prove that it
/// has none.
const LOOKS_WITHOUT_STATUS: u32 = 3;

/// The shortest pause between two polls.
const SHORTEST: Duration = Duration::from_millis(50);

/// Returns the pause after `elapsed`: one twenty-fifth of it, so that a status is read at most 5 %
/// late, including the time of the poll.
pub(super) fn next_pause(elapsed: Duration) -> Duration {
    (elapsed / 25).clamp(SHORTEST, Duration::from_secs(30))
}

impl Prober {
    /// Polls `object` until it is COMPLETED or FAILED, has no status, or the time is over.
    pub(super) async fn poll(&self, object: &Uploaded, target: &Target) -> Result<Polled, Failure> {
        if let Some(unfit) = self.unfit(object) {
            // The bucket's encryption or versioning has not spread, so the object proves nothing.
            return Ok(Polled { status: Status::None, unfit: Some(unfit), elapsed_ms: 0 });
        }
        if self.settings.count >= MANY {
            // No object replicates at once: of many, the first poll would be a call for nothing.
            pause(&self.stop, SHORTEST).await;
        }
        let (mut without, mut said) = (0, None);
        loop {
            let status = self.look(object).await?;
            let elapsed = object.at.elapsed();
            if said != Some(status) {
                said = Some(status);
                self.events.say(&Event::ProbeStatus {
                    rule: target.names(),
                    key: object.key.clone(),
                    status: status.as_str().to_owned(),
                    elapsed_ms: millis(elapsed),
                });
            }
            if status == Status::None {
                without += 1;
            } else {
                self.eligible.show();
                without = 0;
            }
            let is_late = elapsed >= self.settings.at_most || self.stop.is_too_late();
            let is_over = match status {
                Status::Completed | Status::Failed => true,
                Status::Pending => is_late,
                Status::None => is_late || without >= LOOKS_WITHOUT_STATUS,
            };
            if is_over {
                return Ok(Polled { status, unfit: None, elapsed_ms: millis(elapsed) });
            }
            if self.stop.is_ending() {
                return Err(self.stop.failure());
            }
            if status == Status::Pending {
                let what = format!("the replication of `{}`", object.key);
                self.tell_wait(status.as_str(), &what, elapsed);
            }
            pause(&self.stop, next_pause(elapsed)).await;
        }
    }

    /// Tells what is waited for and how long still, unless it has only begun.
    pub(super) fn tell_wait(&self, now: &str, what: &str, elapsed: Duration) {
        if elapsed < SHORT {
            return;
        }
        let left = format_duration(self.settings.at_most.saturating_sub(elapsed));
        let reason = format!("{now}: waiting for {what} for up to {left} more");
        let (step, waited_ms) = (self.step(), millis(elapsed));
        self.events.say(&Event::StepWait { step, reason, waited_ms });
    }

    fn unfit(&self, object: &Uploaded) -> Option<Unfit> {
        if object.version_id == UNVERSIONED {
            return Some(Unfit::NoVersion);
        }
        let wanted = self.key(&self.topology.source);
        let is_wanted = object.kms_key.as_deref() == wanted.as_ref().map(Arn::as_str);
        (!is_wanted).then(|| Unfit::Key(object.kms_key.clone(), wanted))
    }

    async fn look(&self, object: &Uploaded) -> Result<Status, Failure> {
        let source = &self.topology.source;
        let s3 = self.aws.s3(&source.region);
        let head = s3
            .head_object()
            .bucket(source.bucket.as_str())
            .key(&object.key)
            .version_id(&object.version_id);
        match head.send().await.at("s3:HeadObject", &source.region) {
            Ok(output) => Ok(status(output.replication_status())),
            Err(error) if error.is_absent() && object.at.elapsed() < VISIBLE_WITHIN => {
                Ok(Status::Pending)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// A wait that is not told.
const SHORT: Duration = Duration::from_secs(5);

/// Requests for objects of a bucket whose versioning was just enabled may intermittently return 404
/// (S3 API Reference, `PutBucketVersioning`).
const VISIBLE_WITHIN: Duration = Duration::from_mins(1);

/// The version id of an object in a bucket without versioning.
const UNVERSIONED: &str = "null";

/// Converts S3's status. S3's model has both `COMPLETE` and `COMPLETED`; they are the same status.
pub(super) fn status(header: Option<&ReplicationStatus>) -> Status {
    match header {
        Some(ReplicationStatus::Complete | ReplicationStatus::Completed) => Status::Completed,
        Some(ReplicationStatus::Failed) => Status::Failed,
        Some(ReplicationStatus::Pending) => Status::Pending,
        _ => Status::None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Status, next_pause, status};
    use aws_sdk_s3::types::ReplicationStatus;
    use std::time::Duration;

    #[test]
    fn complete_and_completed_both_count() {
        for (header, expected) in [
            ("COMPLETE", Status::Completed),
            ("COMPLETED", Status::Completed),
            ("FAILED", Status::Failed),
            ("PENDING", Status::Pending),
            ("REPLICA", Status::None),
        ] {
            assert_eq!(status(Some(&ReplicationStatus::from(header))), expected, "{header}");
        }
        assert_eq!(status(None), Status::None);
    }

    /// Returns the number of polls for a replication of `seconds`, and how late the last one is.
    fn looks(seconds: u64) -> (u32, Duration) {
        let (end, mut now, mut looks) = (Duration::from_secs(seconds), Duration::ZERO, 1);
        while now < end {
            now += next_pause(now);
            looks += 1;
        }
        (looks, now.saturating_sub(end))
    }

    #[test]
    fn short_replications_are_seen_at_once_and_long_ones_cost_few_calls() {
        for (seconds, most) in [(1, 25), (60, 125), (900, 195)] {
            let (looks, late) = looks(seconds);
            assert!(looks <= most, "{seconds} s: {looks} looks");
            let bound = (Duration::from_secs(seconds) / 20).max(Duration::from_millis(150));
            assert!(late <= bound, "{seconds} s: {late:?} late");
        }
    }
}
