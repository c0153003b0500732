//! Waits for the replication of any object, of any uploader, without a manifest or a pair.
//! Not for: the probes of a pair (see `poll`).

use super::Status;
use super::named::{NamedObject, look_at};
use super::poll::{next_pause, status};
use crate::aws::Aws;
use crate::aws::settle::pause;
use crate::events::{Event, Events, millis};
use crate::failure::{Failure, Kind};
use crate::names::{BucketName, Region};
use crate::steps::find;
use crate::stop::Stop;
use aws_sdk_s3::types::ReplicationStatus;
use serde::Serialize;
use std::time::Duration;
use tokio::time::Instant;

/// An object in any bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[expect(missing_docs, reason = "the contract names the fields")]
pub struct Object {
    #[cfg_attr(test, schemars(with = "String"))]
    pub bucket: BucketName,
    pub key: String,
    pub version_id: Option<String>,
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub region: Option<Region>,
}

/// The result of a wait.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the contract names the fields")]
pub struct Waited {
    pub object: Object,
    /// `PENDING`, `COMPLETED`, `FAILED`, `REPLICA`, or `NONE`.
    pub status: &'static str,
    pub elapsed_ms: u64,
}

/// An object without a status may be one whose upload has not propagated; this many polls without a
/// status prove that it has none.
const LOOKS_WITHOUT_STATUS: u32 = 3;

/// Polls `object` until its replication ends or the run is ending. Without a version id, waits for
/// the version that is current at the first poll.
pub async fn wait(
    aws: &Aws,
    mut object: Object,
    at_most: Duration,
    events: &Events,
    stop: &Stop,
) -> (Option<Waited>, Option<Failure>) {
    let region = match &object.region {
        Some(region) => region.clone(),
        None => match find::bucket_region(aws, &object.bucket).await {
            Ok(region) => region,
            Err(failure) => return (None, Some(failure)),
        },
    };
    object.region = Some(region.clone());
    let started = Instant::now();
    let (mut without, mut said) = (0, "");
    loop {
        let named = NamedObject {
            bucket: &object.bucket,
            key: &object.key,
            version_id: object.version_id.as_deref(),
        };
        let output = match look_at(aws, &region, named).await {
            Ok(output) => output,
            Err(why) => return (None, Some(why.into())),
        };
        if object.version_id.is_none() {
            object.version_id = output.version_id().map(str::to_owned);
        }
        let is_replica = output.replication_status() == Some(&ReplicationStatus::Replica);
        let seen = status(output.replication_status());
        let word = if is_replica { "REPLICA" } else { seen.as_str() };
        let elapsed = started.elapsed();
        if said != word {
            said = word;
            events.say(&Event::ProbeStatus {
                rule: String::new(),
                key: object.key.clone(),
                status: word.to_owned(),
                elapsed_ms: millis(elapsed),
            });
        }
        without = if seen == Status::None && !is_replica { without + 1 } else { 0 };
        let is_late = elapsed >= at_most || stop.is_too_late();
        let is_over = match seen {
            _ if is_replica => true,
            Status::Completed | Status::Failed => true,
            Status::Pending => is_late,
            Status::None => is_late || without >= LOOKS_WITHOUT_STATUS,
        };
        let waited =
            || Waited { object: object.clone(), status: word, elapsed_ms: millis(elapsed) };
        if is_over {
            let failure = if is_replica { None } else { judged(&object, seen) };
            return (Some(waited()), failure);
        }
        if stop.is_ending() {
            return (Some(waited()), Some(stop.failure()));
        }
        pause(stop, next_pause(elapsed)).await;
    }
}

fn judged(object: &Object, status: Status) -> Option<Failure> {
    let name = format!("s3://{}/{}", object.bucket, object.key);
    let failure = match status {
        Status::Completed => return None,
        Status::Failed => Failure::new(
            Kind::ReplicationFailed,
            "replication-failed",
            format!("replication of {name} FAILED, which is final for this version"),
        )
        .hint("`crrctl check` with the pair's manifest names the cause"),
        Status::Pending => {
            Failure::new(Kind::TooLate, "replication-pending", format!("{name} is still PENDING"))
                .hint("most objects replicate within 15 minutes; `--timeout 1h` waits longer")
        }
        Status::None => Failure::new(
            Kind::ReplicationFailed,
            "no-replication-status",
            format!("{name} has no replication status: no rule selected it when it was written"),
        )
        .hint("`crrctl backfill` replicates what is older than the rule"),
    };
    Some(match &object.region {
        Some(region) => failure.in_region(region),
        None => failure,
    })
}
