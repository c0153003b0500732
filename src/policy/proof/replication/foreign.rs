//! The additional calls for replication to another account: the bucket owner allows the role, and
//! can take ownership of the replicas.
//! Sections: S3 User Guide, "Configuring replication for buckets in different accounts" and
//! "Changing the replica owner"; IAM User Guide, "Cross-account policy evaluation logic": both
//! accounts must allow.
//! Not for: the calls of every replication (see `replication`).

use super::super::call::{Call, Element, Expected, OwnPolicies, PolicyCaller};
use super::super::reverse::by_others;
use super::super::scene::Scene;
use super::{NOT_ON_BUCKETS, NOT_ON_OBJECTS, SECTION, encrypted, through_s3, to_a_stranger};
use crate::manifest::Side;

const ON_BUCKET: [&str; 2] = ["s3:GetBucketVersioning", "s3:ListBucket"];
const OWN: &str = "s3:ObjectOwnerOverrideToBucketOwner";
/// The condition that only the role of the source's account satisfies.
const BY_ROLE: Element = Element::Condition("ArnEquals", "aws:PrincipalArn", None);

/// Returns the calls of the role in addition to the writes of replicas.
pub(super) fn uses(scene: &Scene<'_>, who: &PolicyCaller, side: &Side) -> Vec<Call> {
    if !scene.topology.is_foreign(side) {
        return Vec::new();
    }
    let on_bucket = |action| scene.on_bucket(who, action, side).forbidden_actions(&NOT_ON_BUCKETS);
    let owned = scene.topology.owned_prefixes(side);
    let own = |prefix: &&str| scene.on_object(who, OWN, side, prefix, &owned);
    let own = owned.iter().map(own).map(|call| call.forbidden_actions(&NOT_ON_OBJECTS));
    ON_BUCKET.into_iter().map(on_bucket).chain(own).collect()
}

/// Returns the calls that must be denied: by other principals of the source's account, by an
/// unrelated account, and on buckets of an unrelated account. Adds the calls on the probes of a
/// handed-over side.
pub(super) fn calls(scene: &Scene<'_>, role: &PolicyCaller, side: &Side) -> Vec<Call> {
    if !scene.topology.is_foreign(side) {
        return Vec::new();
    }
    let colleague = scene.session(&scene.topology.source.account, "colleague");
    let colleague =
        PolicyCaller { section: SECTION, caller: colleague, own: OwnPolicies::Everything };
    let strangers = [scene.stranger(SECTION)];
    let prefix = scene.topology.prefixes(side)[0];
    let on_object = |action| scene.on_object(&colleague, action, side, prefix, &[]);
    let mut writes = vec![
        encrypted(scene, side, on_object("s3:ReplicateObject")),
        on_object("s3:ReplicateTags"),
    ];
    let markers = scene.topology.marker_prefixes(side);
    let owned = scene.topology.owned_prefixes(side);
    for (action, prefixes) in [("s3:ReplicateDelete", markers), (OWN, owned)] {
        let on = |prefix: &&str| scene.on_object(&colleague, action, side, prefix, &[]);
        writes.extend(prefixes.first().map(on));
    }
    writes.extend(ON_BUCKET.map(|action| scene.on_bucket(&colleague, action, side)));
    let mut calls: Vec<Call> = Vec::new();
    for write in &writes {
        calls.push(write.clone().expecting(Expected::Deny(BY_ROLE)));
        calls.extend(by_others(write, &strangers));
    }
    if side.has_own_key() {
        for action in ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"] {
            let call = scene.on_key(&colleague, action, side);
            let contexts = [scene.object_arn(side, prefix)];
            let mut through = through_s3(&call, side, &contexts, &[]);
            for call in &mut through {
                call.demands.clear();
            }
            let other_accounts = &scene.topology.wanted.key.usable_by_accounts;
            if !other_accounts.contains(&scene.topology.source.account) {
                calls.extend(
                    through.iter().cloned().map(|it| it.expecting(Expected::Deny(BY_ROLE))),
                );
            }
            calls.extend(through.iter().flat_map(|call| by_others(call, &strangers)));
        }
    }
    calls.extend(proven(scene, &colleague, side));
    let stranger = |action: &str, arn: String| to_a_stranger(scene, role, action, &arn);
    calls.extend(ON_BUCKET.map(|action| stranger(action, scene.bucket_arn(side))));
    let owned = scene.topology.owned_prefixes(side);
    calls.extend(owned.first().map(|prefix| stranger(OWN, scene.object_arn(side, prefix))));
    calls
}

/// If the other account's credentials are not available, the operator of the source's account reads
/// and deletes the probes there.
fn proven(scene: &Scene<'_>, colleague: &PolicyCaller, side: &Side) -> Vec<Call> {
    let topology = scene.topology;
    if !topology.wanted.is_handed_over(&side.region) {
        return Vec::new();
    }
    let mut calls = Vec::new();
    for prefix in &topology.probe_prefixes(side) {
        let on = |action| scene.on_object(colleague, action, side, prefix, &[]);
        calls.extend(["s3:GetObject", "s3:DeleteObjectVersion"].map(on));
        let list = scene.on_bucket(colleague, "s3:ListBucketVersions", side);
        calls.push(list.with("s3:prefix", prefix));
        if side.has_own_key() {
            let read = scene.on_key(colleague, "kms:Decrypt", side);
            calls.extend(through_s3(&read, side, &[scene.object_arn(side, prefix)], &[]));
        }
    }
    for call in &mut calls {
        call.foreign_resources.clear();
        call.demands.clear();
    }
    calls
}
