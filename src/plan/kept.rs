//! What is noticed of buckets that others made: the default encryption that they keep, and whether
//! their policies let uploads pass only with encryption headers. Warns of what follows.
//! Not for: changing any of it (see `build`).

use super::build::document_changes;
use super::{known_keys, rules};
use crate::manifest::{PairKeys, Side, Topology};
use crate::names::BucketName;
use crate::policy::proof::{Uploads, uploads};
use crate::settings::Encryption;
use crate::world::{Bucket, Tags, World};
use std::collections::BTreeMap;

/// Enters in `topology` what `world` tells of the buckets that others made, and the ids of live rules.
pub fn notice(topology: &mut Topology, world: &World) {
    let source = world.buckets.get(&topology.source.bucket);
    rules::keep_ids(topology, source.and_then(|bucket| bucket.replication.as_ref()));
    let wanted = &topology.wanted;
    let keeps = |(name, bucket): &(&BucketName, &Bucket)| {
        wanted.is_adopted(name, &bucket.tags) && !wanted.buckets.manages_encryption(true)
    };
    let kept = world.buckets.iter().filter(keeps).map(|(name, bucket)| {
        (name.clone(), bucket.encryption().cloned().unwrap_or_else(Encryption::by_default))
    });
    topology.found.kept_encryption = kept.collect();
    topology.found.remembered = remembered(topology, world);
    let keys = topology.or_some_keys(&known_keys(topology, world));
    let demanding = topology.directions();
    let demanding =
        demanding.iter().filter(|it| uploads_to(it, world, &keys) == Some(Uploads::WithHeaders));
    topology.found.demands_headers = demanding.map(|it| it.source.bucket.clone()).collect();
}

/// Returns the tags by which adopted buckets record what they were before the pair. What is recorded
/// stays as it is.
fn remembered(topology: &Topology, world: &World) -> BTreeMap<BucketName, Tags> {
    let keys = known_keys(topology, world);
    let sides = topology.sides().filter_map(|side| {
        let live = world.buckets.get(&side.bucket)?;
        topology.wanted.is_adopted(&side.bucket, &live.tags).then_some((side, live))
    });
    let tags = sides.map(|(side, live)| {
        let changes = document_changes(topology, &keys, side, Some(live));
        let tags = changes.iter();
        let tags = tags.filter_map(|change| change.remembered(&live.documents, &live.tags));
        (side.bucket.clone(), tags.collect())
    });
    tags.collect()
}

fn uploads_to(direction: &Topology, world: &World, keys: &PairKeys) -> Option<Uploads> {
    let policy = world.buckets.get(&direction.source.bucket)?.policy.as_ref()?;
    Some(uploads(direction, keys, policy))
}

/// Returns warnings about what the pair does otherwise, or can't do, because buckets keep what they
/// have.
pub(super) fn warnings(topology: &Topology, world: &World) -> Vec<String> {
    let keys = topology.or_some_keys(&known_keys(topology, world));
    let directions = topology.directions();
    let kept = directions.iter().flat_map(|it| of_source(it, world, &keys));
    kept.chain(directions.iter().filter_map(|it| converts_v1(it, world))).collect()
}

/// Returns a warning if rules of schema V1 are converted.
fn converts_v1(direction: &Topology, world: &World) -> Option<String> {
    let bucket = &direction.source.bucket;
    let live = world.buckets.get(bucket)?.replication.as_ref()?;
    let converts = direction.wanted.converts_v1 && live.rules.iter().any(|rule| rule.is_v1);
    converts.then(|| {
        format!(
            "the replication configuration of `{bucket}` is rewritten in the newer form (V2), all of its rules: its owner, such as \
             Terraform without `filter`, will want the older form back; what it was stands under `replaced`"
        )
    })
}

fn of_source(direction: &Topology, world: &World, keys: &PairKeys) -> Vec<String> {
    let (source, bucket) = (&direction.source, &direction.source.bucket);
    let mut warnings = Vec::new();
    let kept = direction.kept_encryption(source);
    if let Some(kept) = kept.filter(|_| !direction.keeps_what_is_wanted(keys, source)) {
        let how = kept.key().unwrap_or(&kept.algorithm);
        let selects = direction.destinations.iter().any(Side::has_key);
        warnings.push(if kept.is_kms() && !selects {
            format!(
                "`{bucket}` keeps its default encryption ({how}), and no rule selects SSE-KMS objects: new objects do not replicate; \
                 give the pair a `key`, or set `buckets.encryption: managed`"
            )
        } else if kept.is_kms() && direction.kept_source_key(keys).is_none() && !kept.is_managed_by_aws() {
            format!(
                "`{bucket}` keeps its default encryption under {how}, which is named by an alias: the replication role gets no \
                 permission for that key; name it by its ARN, or set `buckets.encryption: managed`"
            )
        } else {
            format!(
                "`{bucket}` keeps its default encryption ({how}): new objects are not under the pair's key unless the upload names it, \
                 as probes do; to change that: `buckets.encryption: managed`"
            )
        });
    }
    match uploads_to(direction, world, keys) {
        Some(Uploads::WithHeaders) => warnings.push(format!(
            "the policy of `{bucket}` denies uploads without encryption headers: probes send them"
        )),
        Some(Uploads::Denied) => warnings.push(format!(
            "the policy of `{bucket}` denies uploads by callers that it does not except: a probe is denied unless it excepts you; \
             replication does not need it"
        )),
        Some(Uploads::Plain) | None => {}
    }
    warnings
}
