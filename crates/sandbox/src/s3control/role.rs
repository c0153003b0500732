//! The permissions that S3 Batch Operations checks for a job's role, one action per call.
//! Source: S3 User Guide, "Configuring an IAM role for S3 Batch Replication".
//! Not for: the replication itself, which S3 does with the role of the replication configuration
//! (see `replication`).

use crate::gate::{AccessTarget, ThroughS3, assume};
use crate::world::buckets::{Bucket, Sse, bucket_arn, object_arn};
use crate::world::jobs::BatchJob;
use crate::world::{Caller, State};
use crrctl_iam::Context;
use crrctl_iam::names::AccountId;

/// The session of a job's role, in the Region of the job.
pub(super) struct BatchRole<'a> {
    state: &'a State,
    caller: Caller,
}

impl<'a> BatchRole<'a> {
    /// Assumes the role as S3 Batch Operations, which the role's trust policy must allow; `None` if
    /// the role can't be assumed.
    pub(super) fn assume(state: &'a State, job: &BatchJob) -> Option<Self> {
        let service = ("batchoperations.s3.amazonaws.com", "s3-batch-operations");
        let caller = assume(state, &job.role, service, &job.account, &job.region)?;
        Some(Self { state, caller })
    }

    /// Checks the permission for `action` on a bucket, or on an object of it: its key and version.
    fn on(
        &self,
        name: &str,
        at: Option<(&str, Option<&str>)>,
        action: &str,
        context: Context,
    ) -> Option<&Bucket> {
        let bucket = self.state.buckets.0.get(name)?;
        let partition = self.caller.partition();
        let (arn, object) = match at {
            Some((key, version)) => (object_arn(partition, name, key), bucket.object(key, version)),
            None => (bucket_arn(partition, name), None),
        };
        let target = AccessTarget { bucket, object, action, arn };
        target.authorize(self.state, &self.caller, || context).ok().map(|()| bucket)
    }

    /// Checks the permission to read the replication configuration of the source bucket; `None` if
    /// it is denied.
    pub(super) fn configured(&self, source: &str) -> Option<&Bucket> {
        self.on(source, None, "s3:GetReplicationConfiguration", Context::new())
    }

    /// Checks the permission to configure S3 Inventory on the source bucket. S3 Inventory lists the
    /// objects for a generated manifest.
    pub(super) fn inventory(&self, source: &str) -> Option<&Bucket> {
        self.on(source, None, "s3:PutInventoryConfiguration", Context::new())
    }

    /// Checks the permissions to read and decrypt the manifest of a job.
    pub(super) fn read(
        &self,
        name: &str,
        key: &str,
        version: Option<&str>,
        sse: &Sse,
    ) -> Option<()> {
        let mut context = Context::new();
        if let Some(version) = version {
            context.set("s3:VersionId", version);
        }
        let action = if version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
        let bucket = self.on(name, Some((key, version)), action, context)?;
        let Sse::Kms { key: arn, .. } = sse else { return Some(()) };
        let region = &bucket.region;
        let bound_to = sse.context(region.partition(), name, key);
        let wanted = ThroughS3 { action: "kms:Decrypt", key: arn, region, bound_to: &bound_to };
        let state = self.state;
        state.kms.permit_s3(&state.iam, &self.caller, &wanted).ok()?;
        state.kms.check_state(arn).ok()?;
        state.kms.uses.note(arn, "kms:Decrypt", state.now());
        Some(())
    }

    /// Checks the permission to initiate the replication of one object.
    pub(super) fn initiate(&self, source: &str, key: &str) -> Option<()> {
        self.on(source, Some((key, None)), "s3:InitiateReplication", Context::new()).map(|_| ())
    }

    /// Checks the permission to write a completion report and the expected owner of the bucket. A
    /// completion report always uses SSE-S3 (S3 User Guide, "Examples: S3 Batch Operations
    /// completion reports").
    pub(super) fn report(&self, name: &str, key: &str, owner: Option<&str>) -> Option<()> {
        let context = Context::new().with("s3:x-amz-server-side-encryption", "AES256");
        let bucket = self.on(name, Some((key, None)), "s3:PutObject", context)?;
        owner.is_none_or(|owner| owner == AccountId::as_str(&bucket.owner)).then_some(())
    }
}

/// The reason why a job fails as a whole: code and text.
pub(super) type Failure = (&'static str, String);

pub(super) fn assume_role<'a>(state: &'a State, job: &BatchJob) -> Result<BatchRole<'a>, Failure> {
    let unusable = || {
        let text = format!("Batch Operations can't assume the role {}.", job.role);
        ("AssumeRoleNotPermitted", text)
    };
    BatchRole::assume(state, job).ok_or_else(unusable)
}
