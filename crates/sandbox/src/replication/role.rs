//! The permissions that S3 checks for the replication role, one action per call, each with the
//! `failureReason` for a denial.
//! Sources: S3 User Guide, "Setting up permissions for live replication", "Replicating encrypted
//! objects" and "Receiving replication failure events". Comments mark what these sources do not
//! specify.
//! Not for: key states and bucket settings (see `replica`).

use crate::gate::{AccessTarget, Denied, ThroughS3, assume};
use crate::replication::location::{ObjectLocation, Reason};
use crate::world::buckets::{Bucket, Lock, Object, Sse, bucket_arn};
use crate::world::kms::Unusable;
use crate::world::replication::{MetadataChange, ReplicationTarget};
use crate::world::{Caller, Quirk, State, TrailEvent};
use crrctl_iam::names::Arn;
use crrctl_iam::{Context, Principal};

/// The session of the replication role, in the Region of one of the buckets.
pub(super) struct ReplicationRole<'a> {
    state: &'a State,
    caller: Caller,
}

impl<'a> ReplicationRole<'a> {
    /// Assumes the role as the S3 service, in the source bucket's account.
    pub(super) fn assume(state: &'a State, arn: &str, source: &Bucket) -> Result<Self, Reason> {
        let service = ("s3.amazonaws.com", "s3-replication");
        let caller = assume(state, arn, service, &source.owner, &source.region);
        let Some(caller) = caller else {
            state.trail.add(TrailEvent {
                at: state.now(),
                account: source.owner.clone(),
                region: source.region.clone(),
                call: ("sts".to_owned(), "AssumeRole".to_owned()),
                message: format!(
                    "User: s3.amazonaws.com is not authorized to perform: sts:AssumeRole on resource: {arn}"
                ),
                role: arn.to_owned(),
                key: None,
                context: None,
            });
            return Err("AssumeRoleNotPermitted");
        };
        Ok(Self { state, caller })
    }

    /// Returns the session with the Region of `bucket`.
    pub(super) fn caller_at(&self, bucket: &Bucket) -> Caller {
        Caller { region: bucket.region.clone(), ..self.caller.clone() }
    }

    fn s3(&self, at: ObjectLocation<'_>, arn: String, action: &str, context: Context) -> bool {
        self.ask(at, arn, action, context).is_ok()
    }

    /// Returns whether a policy explicitly denies an action. An implicit deny is not enough.
    fn denies(&self, at: ObjectLocation<'_>, action: &str, context: Context) -> bool {
        let answer = self.ask(at, at.arn(), action, context);
        answer.is_err_and(|denied| denied.is_explicit())
    }

    fn ask(
        &self,
        at: ObjectLocation<'_>,
        arn: String,
        action: &str,
        context: Context,
    ) -> Result<(), Denied> {
        let caller = self.caller_at(at.bucket);
        let target = AccessTarget { bucket: at.bucket, object: at.replicated, action, arn };
        target.authorize(self.state, &caller, || context)
    }

    fn on_object(
        &self,
        at: ObjectLocation<'_>,
        action: &str,
        reason: Reason,
    ) -> Result<(), Reason> {
        let allowed = self.s3(at, at.arn(), action, Context::new());
        if allowed { Ok(()) } else { Err(reason) }
    }

    fn kms(
        &self,
        at: ObjectLocation<'_>,
        sse: &Sse,
        action: &str,
        reason: Reason,
    ) -> Result<(), Reason> {
        let Sse::Kms { key, .. } = sse else { return Ok(()) };
        let region = &at.bucket.region;
        let bound_to = sse.context(region.partition(), at.name, at.key);
        let wanted = ThroughS3 { action, key, region, bound_to: &bound_to };
        let state = self.state;
        let caller = self.caller_at(at.bucket);
        if let Err(denied) = state.kms.permit_s3(&state.iam, &caller, &wanted) {
            self.log(&caller, key, &wanted, denied.message());
            return Err(reason);
        }
        state.kms.uses.note(key, action, state.now());
        Ok(())
    }

    /// Records a denied call to KMS in the event history of the role's account.
    fn log(&self, caller: &Caller, key: &Arn, wanted: &ThroughS3<'_>, message: String) {
        let Principal::RoleSession { role, .. } = &caller.principal else { return };
        let (service, name) = wanted.action.split_once(':').unwrap_or(("kms", wanted.action));
        self.state.trail.add(TrailEvent {
            at: self.state.now(),
            account: caller.account.clone(),
            region: caller.region.clone(),
            call: (service.to_owned(), name.to_owned()),
            message,
            role: role.to_string(),
            key: Some(key.to_string()),
            context: Some(wanted.bound_to.to_owned()),
        });
    }

    /// Checks the permission to read the replication configuration of the source bucket. No
    /// documented `failureReason` names this action: without the permission, the configuration
    /// counts as missing.
    pub(super) fn read_configuration(&self, at: ObjectLocation<'_>) -> Result<(), Reason> {
        let arn = bucket_arn(at.bucket.region.partition(), at.name);
        let allowed = self.s3(at, arn, "s3:GetReplicationConfiguration", Context::new());
        if allowed { Ok(()) } else { Err("SrcBucketReplicationConfigMissing") }
    }

    /// Checks the permission to list the source bucket, which replicating a delete marker requires.
    /// No documented `failureReason` names this action either.
    pub(super) fn list(&self, at: ObjectLocation<'_>) -> Result<(), Reason> {
        let arn = bucket_arn(at.bucket.region.partition(), at.name);
        let allowed = self.s3(at, arn, "s3:ListBucket", Context::new());
        if allowed { Ok(()) } else { Err("SrcHeadObjectNotPermitted") }
    }

    /// Checks the permissions to read an object with its ACL, tags and Object Lock settings, and to
    /// decrypt it. `s3:GetObjectVersion` is enough for an object that is not under a KMS key (S3
    /// User Guide, "Setting up permissions for live replication").
    pub(super) fn read(&self, at: ObjectLocation<'_>, object: &Object) -> Result<(), Reason> {
        let plain =
            object.sse == Sse::S3 && self.s3(at, at.arn(), "s3:GetObjectVersion", Context::new());
        if !plain {
            self.on_object(at, "s3:GetObjectVersionForReplication", "SrcGetObjectNotPermitted")?;
        }
        self.on_object(at, "s3:GetObjectVersionAcl", "SrcGetAclNotPermitted")?;
        if !object.tags.is_empty() && self.is_strict_with_tags() {
            self.read_part(at, MetadataChange::Tags)?;
        }
        // S3 reads the retention and legal hold of every object in a bucket with Object Lock.
        if at.bucket.object_lock.is_some() {
            self.read_part(at, MetadataChange::Retention)?;
            self.read_part(at, MetadataChange::LegalHold)?;
        }
        self.kms(at, &object.sse, "kms:Decrypt", "SrcGetObjectNotPermitted")
    }

    /// Returns whether the replica of an object gets the object's tags. Without the permission to
    /// read them, S3 replicates the object without its tags; to write them,
    /// `s3:ReplicateObject` is enough (S3 User Guide, "Setting up permissions for live
    /// replication"). An explicit deny of `s3:ReplicateTags` leaves them out: the Guide does not
    /// say so.
    pub(super) fn replicates_tags(&self, from: ObjectLocation<'_>, to: ObjectLocation<'_>) -> bool {
        self.read_part(from, MetadataChange::Tags).is_ok()
            && !self.denies(to, "s3:ReplicateTags", Context::new())
    }

    /// Returns whether an object with tags needs the permissions for tags. AWS documents failure
    /// reasons for tags, which its text on permissions does not explain.
    fn is_strict_with_tags(&self) -> bool {
        self.state.quirks.is_on(Quirk::StrictTags)
    }

    /// Checks the permission to read metadata of an object that can change after the upload.
    pub(super) fn read_part(
        &self,
        at: ObjectLocation<'_>,
        part: MetadataChange,
    ) -> Result<(), Reason> {
        let (action, reason) = match part {
            MetadataChange::Tags => ("s3:GetObjectVersionTagging", "SrcGetTaggingNotPermitted"),
            MetadataChange::Acl => ("s3:GetObjectVersionAcl", "SrcGetAclNotPermitted"),
            MetadataChange::Retention => ("s3:GetObjectRetention", "SrcGetRetentionNotPermitted"),
            MetadataChange::LegalHold => ("s3:GetObjectLegalHold", "SrcGetLegalHoldNotPermitted"),
        };
        self.on_object(at, action, reason)
    }

    /// Checks the permissions to write such metadata to the replica.
    pub(super) fn write_part(
        &self,
        at: ObjectLocation<'_>,
        object: &Object,
        part: MetadataChange,
    ) -> Result<(), Reason> {
        let lock = match part {
            MetadataChange::Tags => return self.write_tags(at),
            MetadataChange::Acl => {
                return self.on_object(at, "s3:ReplicateObject", "DstPutAclNotPermitted");
            }
            MetadataChange::Retention => Lock { legal_hold: None, ..object.lock },
            MetadataChange::LegalHold => {
                Lock { legal_hold: object.lock.legal_hold, ..Lock::default() }
            }
        };
        self.lock(at, &lock)?;
        let mut context = Context::new();
        lock.describe(&mut context, self.state.now());
        let allowed = self.s3(at, at.arn(), "s3:ReplicateObject", context);
        if allowed { Ok(()) } else { Err("DstPutObjectNotPermitted") }
    }

    /// Checks the permission to write the tags of a replica: `s3:ReplicateObject` is enough where
    /// no policy denies `s3:ReplicateTags`.
    fn write_tags(&self, at: ObjectLocation<'_>) -> Result<(), Reason> {
        let reason = "DstPutTaggingNotPermitted";
        if self.is_strict_with_tags() {
            return self.on_object(at, "s3:ReplicateTags", reason);
        }
        if self.denies(at, "s3:ReplicateTags", Context::new()) {
            return Err(reason);
        }
        self.on_object(at, "s3:ReplicateObject", reason)
    }

    /// Checks that no policy denies locking the replica. The documentation of the role's
    /// permissions names no action for this at the destination, but failure reasons for it are
    /// documented. The sandbox therefore requires no policy that allows the action, but applies an
    /// explicit deny.
    fn lock(&self, at: ObjectLocation<'_>, lock: &Lock) -> Result<(), Reason> {
        let mut context = Context::new();
        lock.describe(&mut context, self.state.now());
        for (is_set, action, reason) in [
            (lock.retention.is_some(), "s3:PutObjectRetention", "DstPutRetentionNotPermitted"),
            (lock.legal_hold.is_some(), "s3:PutObjectLegalHold", "DstPutLegalHoldNotPermitted"),
        ] {
            if is_set && self.denies(at, action, context.clone()) {
                return Err(reason);
            }
        }
        Ok(())
    }

    /// Checks the permission to create a delete marker at the destination.
    pub(super) fn mark(&self, at: ObjectLocation<'_>) -> Result<(), Reason> {
        self.on_object(at, "s3:ReplicateDelete", "DstDelObjNotPermitted")
    }

    /// Checks the permissions to write the replica of `object` with the encryption `sse`.
    pub(super) fn write(
        &self,
        at: ObjectLocation<'_>,
        object: &Object,
        sse: &Sse,
        target: &ReplicationTarget,
    ) -> Result<(), Reason> {
        // The `failureReason` for a multipart replica is inferred from the names of the failure
        // reasons alone.
        let parts = object.is_multipart();
        let reason =
            if parts { "DstMultipartInitNotPermitted" } else { "DstPutObjectNotPermitted" };
        let mut context = written(object, sse, target);
        object.lock.describe(&mut context, self.state.now());
        if !self.s3(at, at.arn(), "s3:ReplicateObject", context) {
            return Err(reason);
        }
        if target.owner_override && at.bucket.owner != self.caller.account {
            let action = "s3:ObjectOwnerOverrideToBucketOwner";
            self.on_object(at, action, "DstPutObjectNotPermitted")?;
        }
        if !object.tags.is_empty() && self.is_strict_with_tags() {
            self.write_tags(at)?;
        }
        self.lock(at, &object.lock)?;
        for action in self.key_calls(object, sse) {
            let reason = match (parts, action) {
                (true, "kms:Decrypt") => "DstMultipartCompleteNotPermitted",
                _ => reason,
            };
            self.kms(at, sse, action, reason)?;
        }
        Ok(())
    }

    /// Returns the KMS actions on the destination's key. `Encrypt`: the source object is under a
    /// KMS key too. `GenerateDataKey`: the replica uses a Bucket Key, or the key belongs to another
    /// account. `Decrypt`: S3 decrypts its own data key for a Bucket Key. The Guide names `Encrypt`
    /// alone, without a word on objects in parts; whether S3 puts parts together with the role's
    /// `Decrypt`, as it does for a client, is uncertain.
    fn key_calls(&self, object: &Object, sse: &Sse) -> Vec<&'static str> {
        let Sse::Kms { key, bucket_key, .. } = sse else { return Vec::new() };
        let is_strict = self.state.quirks.is_on(Quirk::PartsNeedDecrypt);
        let parts = object.is_multipart() && is_strict;
        let foreign = key.account() != self.caller.account.as_str();
        let mut calls = vec!["kms:Encrypt"];
        if *bucket_key || parts || foreign {
            calls.push("kms:GenerateDataKey");
        }
        if *bucket_key || parts {
            calls.push("kms:Decrypt");
        }
        calls
    }
}

/// Returns the condition keys of the write (Service Authorization Reference, "Actions defined by
/// Amazon S3", `ReplicateObject`).
fn written(object: &Object, sse: &Sse, target: &ReplicationTarget) -> Context {
    let mut context =
        Context::new().with("s3:x-amz-server-side-encryption", sse.algorithm().as_str());
    if let Some(key) = sse.key() {
        context.set("s3:x-amz-server-side-encryption-aws-kms-key-id", key);
    }
    let class = target.storage_class.as_deref().or(object.described.storage_class.as_deref());
    context.set("s3:x-amz-storage-class", class.unwrap_or("STANDARD"));
    context
}

/// Returns the `failureReason` for a key that is not found or can't be used at the destination.
pub(super) fn destination_key(unusable: &Unusable) -> Reason {
    match unusable {
        Unusable::NotFound(_) => "DstKmsKeyNotFound",
        Unusable::Denied(_) => "DstPutObjectNotPermitted",
        Unusable::Disabled(_) | Unusable::InvalidState(_) => "DstKmsKeyInvalidState",
    }
}

/// Checks that the KMS key of a source object can be used to decrypt.
pub(super) fn source_key(state: &State, key: &Arn) -> Result<(), Reason> {
    state.kms.check_state(key).map_err(|_| "SrcKmsKeyInvalidState")
}
