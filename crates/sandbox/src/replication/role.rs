//! What S3 asks for as the replication role, one call a line, each with the reason that its refusal gives.
//! Sources: S3 User Guide, "Setting up permissions for live replication", "Replicating encrypted objects" and "Receiving
//! replication failure events"; what they leave open is marked. Not for: key states and buckets (see `replica`).

use crate::gate::{AccessRequest, Denied, ThroughS3, assume, authorize};
use crate::replication::location::{ObjectLocation, Reason};
use crate::world::buckets::{Bucket, Lock, Object, Sse};
use crate::world::kms::Unusable;
use crate::world::replication::{MetadataChange, ReplicationTarget};
use crate::world::{Caller, State};
use crrctl_iam::names::Arn;
use crrctl_iam::{Context, ResourceKind};

/// The role's session, in the Region of one of the buckets.
pub(super) struct ReplicationRole<'a> {
    state: &'a State,
    caller: Caller,
}

impl<'a> ReplicationRole<'a> {
    /// Has S3 assume the role in the name of the source bucket's account.
    pub(super) fn assume(state: &'a State, arn: &str, source: &Bucket) -> Result<Self, Reason> {
        let service = ("s3.amazonaws.com", "s3-replication");
        let caller = assume(state, arn, service, &source.owner, &source.region);
        Ok(Self { state, caller: caller.ok_or("AssumeRoleNotPermitted")? })
    }

    /// Returns the session as it looks from a bucket's Region.
    pub(super) fn caller_at(&self, bucket: &Bucket) -> Caller {
        Caller { region: bucket.region.clone(), ..self.caller.clone() }
    }

    fn s3(&self, at: ObjectLocation<'_>, arn: String, action: &str, context: Context) -> bool {
        self.ask(at, arn, action, context).is_ok()
    }

    /// Returns whether a policy denies an action, which is more than that none allows it.
    fn denies(&self, at: ObjectLocation<'_>, action: &str, context: Context) -> bool {
        let answer = self.ask(at, at.object(), action, context);
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
        let request = AccessRequest {
            action,
            arn,
            owner: &at.bucket.owner,
            on: at.bucket.policy_for(&caller).map(|document| (ResourceKind::Bucket, document)),
            context,
        };
        authorize(&self.state.iam, &caller, request)
    }

    fn on_object(
        &self,
        at: ObjectLocation<'_>,
        action: &str,
        reason: Reason,
    ) -> Result<(), Reason> {
        let allowed = self.s3(at, at.object(), action, Context::new());
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
        state.kms.permit_s3(&state.iam, &caller, &wanted).map_err(|_| reason)
    }

    /// Reads the configuration of the source bucket. No documented reason names this action: without it S3 knows of no
    /// configuration.
    pub(super) fn read_configuration(&self, at: ObjectLocation<'_>) -> Result<(), Reason> {
        let arn = format!("arn:{}:s3:::{}", at.bucket.region.partition(), at.name);
        let allowed = self.s3(at, arn, "s3:GetReplicationConfiguration", Context::new());
        if allowed { Ok(()) } else { Err("SrcBucketReplicationConfigMissing") }
    }

    /// Lists the source bucket, which delete markers need; no documented reason names this action either.
    pub(super) fn list(&self, at: ObjectLocation<'_>) -> Result<(), Reason> {
        let arn = format!("arn:{}:s3:::{}", at.bucket.region.partition(), at.name);
        let allowed = self.s3(at, arn, "s3:ListBucket", Context::new());
        if allowed { Ok(()) } else { Err("SrcHeadObjectNotPermitted") }
    }

    /// Reads an object with its ACL and tags, and decrypts it.
    pub(super) fn read(&self, at: ObjectLocation<'_>, object: &Object) -> Result<(), Reason> {
        self.on_object(at, "s3:GetObjectVersionForReplication", "SrcGetObjectNotPermitted")?;
        self.on_object(at, "s3:GetObjectVersionAcl", "SrcGetAclNotPermitted")?;
        if !object.tags.is_empty() {
            self.on_object(at, "s3:GetObjectVersionTagging", "SrcGetTaggingNotPermitted")?;
        }
        // S3 looks for a lock wherever the bucket could have one.
        if at.bucket.object_lock.is_some() {
            self.read_part(at, MetadataChange::Retention)?;
            self.read_part(at, MetadataChange::LegalHold)?;
        }
        self.kms(at, &object.sse, "kms:Decrypt", "SrcGetObjectNotPermitted")
    }

    /// Reads one thing about an object that can be changed after the upload.
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

    /// Writes one such thing to the replica.
    pub(super) fn write_part(
        &self,
        at: ObjectLocation<'_>,
        object: &Object,
        part: MetadataChange,
    ) -> Result<(), Reason> {
        let lock = match part {
            MetadataChange::Tags => {
                return self.on_object(at, "s3:ReplicateTags", "DstPutTaggingNotPermitted");
            }
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
        let allowed = self.s3(at, at.object(), "s3:ReplicateObject", context);
        if allowed { Ok(()) } else { Err("DstPutObjectNotPermitted") }
    }

    /// Locks the replica. The list of what a role needs names no action for this at the destination, and yet there are reasons
    /// for its refusal: so nothing need allow it, but what denies it is heeded.
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

    /// Puts a delete marker at the destination.
    pub(super) fn mark(&self, at: ObjectLocation<'_>) -> Result<(), Reason> {
        self.on_object(at, "s3:ReplicateDelete", "DstDelObjNotPermitted")
    }

    /// Writes the replica of `object`, encrypted as `sse` says.
    pub(super) fn write(
        &self,
        at: ObjectLocation<'_>,
        object: &Object,
        sse: &Sse,
        target: &ReplicationTarget,
    ) -> Result<(), Reason> {
        // Which reason a multipart replica gives is told by the names of the reasons alone.
        let parts = object.is_multipart();
        let reason =
            if parts { "DstMultipartInitNotPermitted" } else { "DstPutObjectNotPermitted" };
        let mut context = written(object, sse, target);
        object.lock.describe(&mut context, self.state.now());
        if !self.s3(at, at.object(), "s3:ReplicateObject", context) {
            return Err(reason);
        }
        if target.owner_override && at.bucket.owner != self.caller.account {
            let action = "s3:ObjectOwnerOverrideToBucketOwner";
            self.on_object(at, action, "DstPutObjectNotPermitted")?;
        }
        if !object.tags.is_empty() {
            self.on_object(at, "s3:ReplicateTags", "DstPutTaggingNotPermitted")?;
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

    /// What the destination's key is asked for: `Encrypt` from one KMS key to another; data keys where there was none before,
    /// with a Bucket Key, for parts, and across accounts; `Decrypt` where S3 must read its own data key back.
    fn key_calls(&self, object: &Object, sse: &Sse) -> Vec<&'static str> {
        let Sse::Kms { key, bucket_key, .. } = sse else { return Vec::new() };
        let parts = object.is_multipart();
        let foreign = key.account() != self.caller.account.as_str();
        let mut calls = Vec::new();
        if object.sse != Sse::S3 {
            calls.push("kms:Encrypt");
        }
        if object.sse == Sse::S3 || *bucket_key || parts || foreign {
            calls.push("kms:GenerateDataKey");
        }
        if *bucket_key || parts {
            calls.push("kms:Decrypt");
        }
        calls
    }
}

/// Returns the condition keys of the write (Service Authorization Reference, "Actions defined by Amazon S3", `ReplicateObject`).
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

/// Returns the reason of a key that can't be found or used at the destination.
pub(super) fn destination_key(unusable: &Unusable) -> Reason {
    match unusable {
        Unusable::NotFound(_) => "DstKmsKeyNotFound",
        Unusable::Denied(_) => "DstPutObjectNotPermitted",
        Unusable::Disabled(_) | Unusable::InvalidState(_) => "DstKmsKeyInvalidState",
    }
}

/// Checks that the key of a source object can decrypt.
pub(super) fn source_key(state: &State, key: &Arn) -> Result<(), Reason> {
    state.kms.check_state(key).map_err(|_| "SrcKmsKeyInvalidState")
}
