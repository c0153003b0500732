//! The values of S3's replication metrics, from the sandbox's own replication records.
//! Sources: S3 User Guide, "Using S3 Replication metrics" and "Amazon S3 metrics and dimensions".
//! Not for: requests to CloudWatch (see `crate::cloudwatch`), or alarms (see `world::alarms`).

use super::queue::Measured;
use crate::world::State;
use crrctl_iam::names::{AccountId, Region};
use std::time::SystemTime;

/// A metric of the namespace `AWS/S3`, with its dimensions.
#[derive(Debug)]
pub(crate) struct S3Metric<'a> {
    pub(crate) name: &'a str,
    pub(crate) statistic: &'a str,
    pub(crate) source: &'a str,
    pub(crate) destination: &'a str,
    pub(crate) rule: &'a str,
}

/// Returns the value of a metric between two times, as an account sees it in a Region. `None` if S3
/// does not publish the metric there: the rule has metrics disabled, the account does not own the
/// source bucket, or S3 publishes the metric in the other bucket's Region.
pub(crate) fn published(
    state: &State,
    (account, region): (&AccountId, &Region),
    it: &S3Metric<'_>,
    between: (SystemTime, SystemTime),
) -> Option<f64> {
    let now = state.now();
    let source = state.buckets.0.get(it.source).filter(|it| it.owner == *account)?;
    let configuration = source.replication.at(now).as_ref()?;
    let is_it = |rule: &&s3s::dto::ReplicationRule| {
        let leads = rule.destination.bucket.rsplit(':').next() == Some(it.destination);
        let metrics = rule.destination.metrics.as_ref();
        let is_on = metrics.is_some_and(|metrics| metrics.status.as_str() == "Enabled");
        leads && is_on && rule.id.as_deref() == Some(it.rule)
    };
    configuration.rules.iter().find(is_it)?;
    let Measured { pending, bytes, oldest, failed } =
        state.replication.measured(it.source, it.destination, it.rule, between);
    if it.name == "OperationsFailedReplication" {
        let is_here = source.region == *region && it.statistic == "Sum";
        return is_here.then(|| count(failed));
    }
    // S3 publishes these metrics in the destination bucket's Region, and only while that bucket
    // exists.
    let destination = state.buckets.0.get(it.destination)?;
    if destination.region != *region || it.statistic != "Maximum" {
        return None;
    }
    match it.name {
        "OperationsPendingReplication" => Some(count(pending)),
        "BytesPendingReplication" => Some(count(bytes)),
        "ReplicationLatency" => {
            let behind = oldest.and_then(|oldest| now.duration_since(oldest).ok());
            Some(behind.unwrap_or_default().as_secs_f64().round())
        }
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "metrics are floating point")]
fn count(number: usize) -> f64 {
    number as f64
}
