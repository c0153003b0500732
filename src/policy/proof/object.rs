//! The calls that S3 makes to replicate one object whose properties are known.
//! Sections: as in `replication`.
//! Not for: reading the object (see `check::object`).

use super::call::{Call, PolicyCaller};
use super::replication::{LOCK_READS, LOCK_WRITES, assumption, role, written};
use super::scene::{Scene, through_s3};
use super::{Document, replication};
use crate::manifest::Side;

/// What S3's calls for an object depend on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of an object")]
pub struct ObjectShape {
    /// Its key.
    pub key: String,
    /// Its encryption algorithm, if it is under a KMS key: `aws:kms` or `aws:kms:dsse`.
    pub algorithm: Option<String>,
    /// Whether it uses a Bucket Key.
    pub bucket_key: bool,
    /// Whether it has tags.
    pub has_tags: bool,
    /// Whether it was uploaded in parts.
    pub is_in_parts: bool,
    /// Its storage class, if it is not `STANDARD`.
    pub storage_class: Option<String>,
    /// Whether it has a retention period.
    pub has_retention: bool,
    /// Whether it has a legal hold.
    pub has_legal_hold: bool,
}

/// The calls for one object, by how certain it is that S3 needs them allowed.
pub(super) struct CallsOfObject {
    /// S3 makes them and needs an `Allow`.
    pub(super) needed: Vec<Call>,
    /// Only a `Deny` stops them.
    pub(super) locks: Vec<Call>,
    /// S3 may make them; no source is conclusive.
    pub(super) doubted: Vec<Call>,
}

/// Returns the calls for `object` at `destinations`. The source of the scene has the object's key.
pub(super) fn calls(
    scene: &Scene<'_>,
    object: &ObjectShape,
    destinations: &[Side],
) -> CallsOfObject {
    let who = role(scene);
    let assumed = scene.topology.assumed_role();
    let trust = Document::of_role_trust(scene.topology);
    let assume = assumption(scene, who.section, "s3.amazonaws.com", assumed.as_str(), &trust);
    let mut all = CallsOfObject { needed: Vec::new(), locks: Vec::new(), doubted: Vec::new() };
    all.needed.extend(assume.into_iter().filter(Call::must_be_allowed));
    all.source(scene, &who, object);
    for side in destinations {
        all.destination(scene, &who, object, side);
    }
    all
}

fn on(scene: &Scene<'_>, who: &PolicyCaller, action: &str, side: &Side, key: &str) -> Call {
    let arn = format!("{}/{key}", scene.bucket_arn(side));
    Call::new(who, action, arn, scene.owner(side)).at(scene.bucket_policy(side))
}

/// Returns the encryption context of an object: its ARN, or the bucket's where a Bucket Key is used.
fn context(scene: &Scene<'_>, side: &Side, key: &str, bucket_key: bool) -> String {
    let bucket = scene.bucket_arn(side);
    if bucket_key { bucket } else { format!("{bucket}/{key}") }
}

impl CallsOfObject {
    fn source(&mut self, scene: &Scene<'_>, who: &PolicyCaller, object: &ObjectShape) {
        let side = &scene.topology.source;
        let read = |action: &&str| on(scene, who, action, side, &object.key);
        self.needed.push(scene.on_bucket(who, "s3:GetReplicationConfiguration", side));
        self.needed.extend(
            ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl"].iter().map(read),
        );
        if scene.topology.wanted.buckets.lock.is_some()
            || object.has_retention
            || object.has_legal_hold
        {
            self.needed.extend(LOCK_READS.iter().map(read));
        }
        if object.has_tags {
            self.doubted.extend(["s3:GetObjectVersionTagging"].iter().map(read));
        }
        if object.algorithm.is_some() {
            let decrypt = scene.on_key(who, "kms:Decrypt", side);
            let context = context(scene, side, &object.key, object.bucket_key);
            self.needed.extend(through_s3(&decrypt, side, &[context], &[]));
        }
    }

    fn destination(
        &mut self,
        scene: &Scene<'_>,
        who: &PolicyCaller,
        object: &ObjectShape,
        side: &Side,
    ) {
        let topology = scene.topology;
        let write = |action: &str| on(scene, who, action, side, &object.key);
        let algorithm = object.algorithm.as_deref().filter(|_| side.has_key());
        let mut replicate = written(scene, side, algorithm, write("s3:ReplicateObject"));
        if let Some(class) = &object.storage_class
            && replication::class_of(scene, side).is_none()
        {
            replicate = replicate.instead("s3:x-amz-storage-class", class);
        }
        self.needed.push(replicate);
        if topology.owned_prefixes(side).iter().any(|prefix| object.key.starts_with(prefix)) {
            self.needed.push(write("s3:ObjectOwnerOverrideToBucketOwner"));
        }
        if object.has_tags {
            self.doubted.push(write("s3:ReplicateTags"));
        }
        let locks = [object.has_legal_hold, object.has_retention];
        let locks = LOCK_WRITES.iter().zip(locks).filter(|(_, is_set)| *is_set);
        self.locks.extend(locks.map(|(action, _)| write(action)));
        if algorithm.is_none() {
            return;
        }
        let bucket_key = object.bucket_key || topology.has_bucket_key(side);
        let context = [context(scene, side, &object.key, bucket_key)];
        let use_key = |action: &str| {
            through_s3(&scene.on_key(who, action, side), side, &context, &[]).into_iter()
        };
        self.needed.extend(use_key("kms:Encrypt"));
        let is_foreign = scene.key_owner(side) != topology.source.account;
        for (action, is_needed) in
            [("kms:GenerateDataKey", bucket_key || is_foreign), ("kms:Decrypt", bucket_key)]
        {
            if is_needed {
                self.needed.extend(use_key(action));
            } else if object.is_in_parts {
                self.doubted.extend(use_key(action));
            }
        }
    }
}
