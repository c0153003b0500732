//! Waits after one of several rules is removed. S3 applies the removed rule for a while, and the
//! replication status at the source also reflects the other rules. The step therefore waits until
//! fresh objects no longer arrive at the destination of the removed rule.
//! Not for: a source without any rule left (see `quiet`).

use super::hold::bypass;
use super::quiet;
use super::quiet::{Fresh, QUIET};
use super::recent;
use super::{Run, Steps};
use crate::aws::At;
use crate::aws::settle::{Look, Wait};
use crate::failure::Failure;
use crate::manifest::{BucketPlace, RuleWish};
use aws_sdk_s3::types::ReplicationStatus;
use std::time::Duration;
use tokio::sync::Mutex;

/// The observations so far.
#[derive(Default)]
struct Seen {
    count: u32,
    /// Objects whose replication is not finished.
    open: Vec<(String, Fresh)>,
    /// The period in which no object arrived at the destination, in seconds of S3's clock: its
    /// start, and the last time at which this was confirmed.
    quiet: Option<(i64, i64)>,
}

/// Waits until S3 no longer applies the dropped `rule`, then for objects that are still
/// PENDING.
pub(super) async fn until_dropped(run: Run<'_>, rule: &RuleWish) -> Result<(), Failure> {
    let round: String = std::iter::repeat_with(fastrand::lowercase).take(8).collect();
    let prefix = format!("{}{round}/", run.scope.topology.wanted.probe_prefix(&rule.settings));
    let quiet = until_unreached(run, rule, &prefix).await;
    for side in run.scope.served.reached() {
        let purged = recent::purge_own(&run.aws, side, &prefix, bypass(&run.scope.topology)).await;
        match purged {
            Err(error) if error.is_absent() => {}
            purged => purged?,
        }
    }
    quiet::until_none_pending(run, &run.scope.topology.source, quiet?).await
}

/// Waits until fresh objects no longer arrive. Returns that time by S3's clock.
async fn until_unreached(run: Run<'_>, rule: &RuleWish, prefix: &str) -> Result<i64, Failure> {
    let destination = &rule.destination;
    let wait = Wait {
        what: format!(
            "S3 to forget the rule `{}`: for two minutes fresh objects must not come to `{}`",
            rule.id, destination.bucket
        ),
        every: Duration::from_secs(1),
        at_most_every: Duration::from_secs(10),
        at_most: Duration::from_mins(30),
        in_a_row: 1,
        hint: "run `crrctl apply --prune` again to go on".to_owned(),
    };
    let seen = Mutex::new(Seen::default());
    let look = || async {
        let mut seen = seen.lock().await;
        seen.count += 1;
        let key = format!("{prefix}{}", seen.count);
        let fresh =
            quiet::fresh_one(run, &run.scope.topology.source, &key, &rule.settings.tags).await?;
        seen.open.push((key, fresh));
        for (key, fresh) in std::mem::take(&mut seen.open) {
            if is_under_way(&run, &key, &fresh).await? {
                seen.open.push((key, fresh));
            } else if has_replica(&run, destination, &key, &fresh).await? {
                seen.quiet = None;
            } else {
                let since = seen.quiet.map_or(fresh.at, |(since, _)| since);
                seen.quiet = Some((since, fresh.at));
            }
        }
        Ok(match seen.quiet {
            Some((since, now)) if now - since >= QUIET.as_secs().cast_signed() => Look::There(now),
            Some((since, now)) => Look::NotYet(format!("none for {} s", now - since)),
            None => Look::NotYet("they still do".to_owned()),
        })
    };
    run.until(&wait, look).await
}

/// Returns whether the replication of an object is not finished, for this rule or another.
async fn is_under_way(steps: &Steps, key: &str, fresh: &Fresh) -> Result<bool, Failure> {
    let BucketPlace { region, bucket } = &steps.scope.topology.source.place;
    let head = steps.aws.s3(region).head_object().bucket(bucket.as_str()).key(key);
    let head = head.version_id(&fresh.version_id).send().await.at("s3:HeadObject", region)?;
    Ok(head.replication_status() == Some(&ReplicationStatus::Pending))
}

async fn has_replica(
    steps: &Steps,
    side: &BucketPlace,
    key: &str,
    fresh: &Fresh,
) -> Result<bool, Failure> {
    let head = steps.aws.s3(&side.region).head_object().bucket(side.bucket.as_str()).key(key);
    match head.version_id(&fresh.version_id).send().await.at("s3:HeadObject", &side.region) {
        Ok(_) => Ok(true),
        Err(error) if error.is_absent() => Ok(false),
        Err(error) => Err(error.into()),
    }
}
