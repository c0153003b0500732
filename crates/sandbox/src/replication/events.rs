//! The event of a failed replication, as S3 publishes it to topics and queues.
//! Sources: S3 User Guide, "Receiving replication failure events with Amazon S3 Event
//! Notifications" (with an example) and "Event message structure".
//! Not for: which topics and queues want an event (see `world::buckets::notifications`), or the
//! events of missed thresholds, which the sandbox never has.

use crate::replication::location::Reason;
use crate::world::buckets::notifications::EventDestination;
use crate::world::buckets::{Bucket, Content, bucket_arn};
use crate::world::clock::milliseconds;
use crate::world::replication::{MetadataChange, ReplicationJob, ReplicationWork};
use crate::world::{State, random};
use crrctl_iam::names::Arn;
use serde_json::json;
use std::fmt::Write;
use std::time::SystemTime;

/// The event of a failed replication.
const FAILED: &str = "s3:Replication:OperationFailedReplication";

/// Publishes the event of a failed replication, and returns the ARNs of what it is for. S3 sends
/// it only where the rule has metrics on, and never to `EventBridge`. A topic or queue that S3 may
/// no longer publish to does not get it.
pub(super) fn publish(state: &mut State, job: &ReplicationJob, reason: Reason) -> Vec<String> {
    let source = state.buckets.0.get(&job.bucket).filter(|_| job.target.has_metrics);
    let Some(source) = source else { return Vec::new() };
    let (mut notified, mut sent) = (Vec::new(), Vec::new());
    for destination in source.event_destinations(FAILED, &job.key) {
        let EventDestination::Arn { arn, id } = destination else { continue };
        let parsed = Arn::new(&*arn).ok().filter(|arn| arn.service() != "lambda");
        if parsed.is_some_and(|parsed| state.may_publish((&job.bucket, source), &parsed).is_ok()) {
            let id = id.unwrap_or_default();
            sent.push((arn.clone(), message(source, job, reason, (&id, state.now()))));
        }
        notified.push(arn);
    }
    let now = state.now();
    for (arn, body) in sent {
        if let Some(channel) = state.messaging.0.get_mut(&arn) {
            channel.push(body, now);
        }
    }
    notified
}

/// Returns the message. `id` is that of the entry of the notification configuration.
fn message(
    source: &Bucket,
    job: &ReplicationJob,
    reason: Reason,
    (id, now): (&str, SystemTime),
) -> String {
    let partition = source.region.partition();
    let mut object = json!({
        "key": encoded(&job.key),
        "urlDecodedKey": job.key,
        "size": job.size,
        "versionId": job.version,
        "sequencer": sequencer(now),
    });
    let version = source.version(&job.key, &job.version).map(|version| &version.content);
    if let Some(Content::Object(found)) = version {
        object["eTag"] = json!(found.etag.trim_matches('"'));
    }
    json!({"Records": [{
        "eventVersion": "2.2",
        "eventSource": "aws:s3",
        "awsRegion": source.region,
        "eventTime": milliseconds(now),
        "eventName": FAILED,
        "userIdentity": {"principalId": "s3.amazonaws.com"},
        "requestParameters": {"sourceIPAddress": "s3.amazonaws.com"},
        "responseElements": {
            "x-amz-request-id": uuid::Uuid::new_v4().to_string(),
            "x-amz-id-2": random::letters(76),
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": id,
            "bucket": {
                "name": job.bucket,
                "ownerIdentity": {"principalId": source.owner},
                "arn": bucket_arn(partition, &job.bucket),
            },
            "object": object,
        },
        "replicationEventData": {
            "replicationRuleId": job.target.rule,
            "destinationBucket": bucket_arn(partition, &job.target.bucket),
            "s3Operation": operation(job.task, version),
            "requestTime": milliseconds(job.begun),
            "failureReason": reason,
        },
    }]})
    .to_string()
}

/// The operation that was to be replicated. The guide shows `OBJECT_PUT` alone; the other names are
/// the sandbox's own.
fn operation(task: ReplicationWork, version: Option<&Content>) -> &'static str {
    match (task, version) {
        (ReplicationWork::Whole, Some(Content::DeleteMarker)) => "OBJECT_DELETE",
        (ReplicationWork::Whole, _) => "OBJECT_PUT",
        (ReplicationWork::Change(MetadataChange::Tags), _) => "OBJECT_TAGGING_PUT",
        (ReplicationWork::Change(MetadataChange::Acl), _) => "OBJECT_ACL_PUT",
        (ReplicationWork::Change(MetadataChange::Retention), _) => "OBJECT_RETENTION_PUT",
        (ReplicationWork::Change(MetadataChange::LegalHold), _) => "OBJECT_LEGAL_HOLD_PUT",
    }
}

/// Returns a key as events contain it: URL-encoded, a hyphen too (the guide's example).
fn encoded(key: &str) -> String {
    let mut text = String::new();
    for byte in key.bytes() {
        match byte {
            b' ' => text.push('+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'*' | b'/' => {
                text.push(char::from(byte));
            }
            other => {
                let _ = write!(text, "%{other:02X}");
            }
        }
    }
    text
}

/// Returns a hexadecimal text that increases with the time.
fn sequencer(now: SystemTime) -> String {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("00{:X}", since.as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_encoded_as_in_the_guide() {
        assert_eq!(encoded("replication-test.png"), "replication%2Dtest.png");
        assert_eq!(encoded("in/a b\u{e9}+"), "in/a+b%C3%A9%2B");
    }
}
