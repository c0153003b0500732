//! Explains what holds a version that S3 does not delete: Object Lock's retention, a legal hold, an
//! event hold, or a missing permission. Each is reported with its meaning and its end (S3 User
//! Guide, "Locking objects with Object Lock").
//! Not for: deleting versions (see `purge`).

use super::purge::{Refused, Stuck};
use crate::aws::{At, Aws};
use crate::events::Kind;
use crate::failure::{self, Failure};
use crate::manifest::BucketPlace;
use crate::plan::{Kept, Why};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{ObjectLockEventHold, ObjectLockLegalHoldStatus, ObjectLockMode};
use futures::stream::{self, StreamExt};
use std::collections::BTreeMap;

/// The reason why S3 does not delete a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    Compliance,
    Legal,
    Event,
    Governance,
    /// Not Object Lock, as far as crrctl can read.
    Refused,
}

impl Cause {
    fn name(self) -> &'static str {
        match self {
            Self::Compliance => "under COMPLIANCE retention",
            Self::Legal => "under a legal hold",
            Self::Event => "under an event hold",
            Self::Governance => "under GOVERNANCE retention",
            Self::Refused => "refused for another reason",
        }
    }

    fn way_out(self) -> &'static str {
        match self {
            Self::Compliance => {
                "COMPLIANCE: nobody can delete these versions before their date, the root user neither; the bucket and its key stay until then"
            }
            Self::Legal => {
                "legal hold: take it off with `aws s3api put-object-legal-hold --legal-hold Status=OFF`; it has no end by itself"
            }
            Self::Event => {
                "event hold: retention begins when the hold is released, and only then has an end"
            }
            Self::Governance => {
                "GOVERNANCE: `crrctl destroy --bypass-governance` deletes these versions, with `s3:BypassGovernanceRetention`"
            }
            Self::Refused => "the caller needs `s3:DeleteObjectVersion` on every object",
        }
    }
}

/// Reads `some` of the `count` refused versions, and reports what holds each.
pub(super) async fn explain(
    aws: &Aws,
    side: &BucketPlace,
    count: usize,
    some: &[Refused],
) -> Stuck {
    let looks = stream::iter(some.to_vec()).map(async |refused| {
        let (hold, why) = look(aws, side, &refused).await;
        (refused, hold, why)
    });
    let looks: Vec<_> = looks.buffered(8).collect().await;
    let mut kinds: BTreeMap<Cause, usize> = BTreeMap::new();
    let mut held = Vec::new();
    for (refused, hold, why) in looks {
        *kinds.entry(hold).or_default() += 1;
        let arn = side.bucket.object_arn(side.region.partition(), &refused.key);
        let why = format!("version {}: {why}", refused.version_id);
        held.push(Kept { kind: Kind::Object, arn, why, because: Why::Refused });
    }
    Stuck { failure: failure(side, count, some, &kinds), held }
}

fn failure(
    side: &BucketPlace,
    count: usize,
    some: &[Refused],
    kinds: &BTreeMap<Cause, usize>,
) -> Failure {
    let told: Vec<String> =
        kinds.iter().map(|(hold, count)| format!("{count} {}", hold.name())).collect();
    let looked =
        if some.len() < count { format!("; of the first {}", some.len()) } else { String::new() };
    let message = format!(
        "{count} versions in `{}` can't be deleted{looked}: {}",
        side.bucket,
        told.join(", ")
    );
    let only_denied = kinds.keys().all(|hold| *hold == Cause::Refused);
    let denied = only_denied && some.iter().all(|refused| refused.code == "AccessDenied");
    let kind = if denied { failure::Kind::Denied } else { failure::Kind::LeftBehind };
    let mut failure = Failure::new(kind, "objects-held", message).in_region(&side.region);
    failure.aws_code = some.first().map(|refused| refused.code.clone());
    let words = some.first().filter(|_| denied).map(|refused| refused.message.as_str());
    failure.denied.extend(words.map(|words| crate::aws::denied(words, "s3:DeleteObjects")));
    kinds.keys().fold(failure, |failure, hold| failure.hint(hold.way_out()))
}

async fn look(aws: &Aws, side: &BucketPlace, refused: &Refused) -> (Cause, String) {
    let head = aws.s3(&side.region).head_object().bucket(side.bucket.as_str());
    let head = head.key(&refused.key).version_id(&refused.version_id);
    let said = || format!("{}: {}", refused.code, refused.message);
    match head.send().await.at("s3:HeadObject", &side.region) {
        Ok(output) => hold(&output).unwrap_or_else(|| (Cause::Refused, said())),
        // The hold can't be read. S3's error for the deletion is known.
        Err(error) => {
            (Cause::Refused, format!("{} (what holds it can't be read: {})", said(), error.code))
        }
    }
}

/// Returns the strongest hold of a version, and its description.
fn hold(head: &HeadObjectOutput) -> Option<(Cause, String)> {
    let until = head
        .object_lock_retain_until_date()
        .and_then(|date| jiff::Timestamp::from_second(date.secs()).ok())
        .map_or_else(|| "a date that S3 does not tell".to_owned(), |date| date.to_string());
    let awaits_event = head.object_lock_event_hold() == Some(&ObjectLockEventHold::On);
    match head.object_lock_mode() {
        // The retention date moves as long as the event hold is on, so it is not reported.
        Some(ObjectLockMode::Compliance) if awaits_event => {
            let why = "an event hold in COMPLIANCE mode: nobody can delete it before the hold is released and its duration is over";
            return Some((Cause::Event, why.to_owned()));
        }
        Some(ObjectLockMode::Compliance) => {
            let why = format!("COMPLIANCE retention until {until}: nobody can delete it before");
            return Some((Cause::Compliance, why));
        }
        _ if head.object_lock_legal_hold_status() == Some(&ObjectLockLegalHoldStatus::On) => {
            return Some((Cause::Legal, "a legal hold, until it is taken off".to_owned()));
        }
        mode => mode?,
    };
    let until = if awaits_event { "an event hold is released".to_owned() } else { until };
    let why = format!("GOVERNANCE retention until {until}: `--bypass-governance` deletes it");
    Some((Cause::Governance, why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::DateTime;

    #[test]
    fn the_strongest_hold_is_told() {
        let until = DateTime::from_secs(4_070_908_800);
        let lock = |mode: Option<ObjectLockMode>| {
            let date = mode.as_ref().map(|_| until);
            HeadObjectOutput::builder()
                .set_object_lock_mode(mode)
                .set_object_lock_retain_until_date(date)
        };
        let held = lock(Some(ObjectLockMode::Governance))
            .object_lock_legal_hold_status(ObjectLockLegalHoldStatus::On);
        let event = |mode| lock(Some(mode)).object_lock_event_hold(ObjectLockEventHold::On);
        for (head, kind, text) in [
            (
                lock(Some(ObjectLockMode::Compliance)),
                Cause::Compliance,
                "until 2099-01-01T00:00:00Z",
            ),
            (lock(Some(ObjectLockMode::Governance)), Cause::Governance, "--bypass-governance"),
            (held, Cause::Legal, "until it is taken off"),
            (event(ObjectLockMode::Compliance), Cause::Event, "before the hold is released"),
            (
                event(ObjectLockMode::Governance),
                Cause::Governance,
                "GOVERNANCE retention until an event hold is released: `--bypass-governance`",
            ),
        ] {
            let (found, why) = hold(&head.build()).unwrap();
            assert_eq!(found, kind);
            assert!(why.contains(text), "{why}");
        }
        assert_eq!(hold(&lock(None).build()), None);
    }
}
