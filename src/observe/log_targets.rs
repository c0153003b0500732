//! Reads the buckets that access logs are to go to, where logging is about to change.
//! Not for: judging them (see `plan::log_targets`).

use crate::aws::Aws;
use crate::failure::Failure;
use crate::joined;
use crate::manifest::{BucketPlace, Topology};
use crate::names::BucketName;
use crate::settings::{LogTarget, Ownership};
use crate::steps::find::{self, Stored};
use crate::world::{Bucket, LogTargetFound};
use std::collections::BTreeMap;

/// Returns each target, or `None` for one that does not exist.
pub(super) async fn log_targets(
    aws: &Aws,
    topology: &Topology,
    buckets: &BTreeMap<BucketName, Bucket>,
) -> Result<BTreeMap<String, Option<LogTargetFound>>, Failure> {
    let mut wanted = BTreeMap::new();
    for side in topology.reached() {
        let Some(target) = topology.wanted.log_target(side) else { continue };
        let live = buckets.get(&side.bucket).and_then(|it| it.documents.logging.as_ref());
        if live.and_then(|it| it.target.as_ref()) != Some(&target) {
            wanted.insert(target.bucket.clone(), (side, target));
        }
    }
    let found = wanted.into_iter().map(|(name, (side, target))| async move {
        Ok::<_, Failure>((name, found(aws, side, &target).await?))
    });
    Ok(joined::all(found).await?.into_iter().collect())
}

async fn found(
    aws: &Aws,
    side: &BucketPlace,
    target: &LogTarget,
) -> Result<Option<LogTargetFound>, Failure> {
    let side =
        BucketPlace { region: side.region.clone(), bucket: BucketName::new(&*target.bucket)? };
    let (stands, policy, ownership) = tokio::join!(
        find::stands(aws, &side),
        find::bucket_policy(aws, &side.bucket, &side.region),
        Ownership::find(aws, &side.bucket, &side.region),
    );
    if matches!(stands, Ok(false)) {
        return Ok(None);
    }
    let (_, (policy, ownership)) = joined::pair(stands, joined::pair(policy, ownership))?;
    // A bucket without ownership controls has ACLs (S3 User Guide, "Controlling ownership of
    // objects").
    let has_acls = ownership.is_none_or(|it| it.0 != Ownership::ENFORCED);
    Ok(Some(LogTargetFound { policy, has_acls }))
}
