//! Authorization for buckets and objects, the same for every service that acts on them: the owner
//! of the resource, the bucket policy with what the ACLs grant, and the condition keys of tags.
//! Not for: the condition keys of a request (see `s3::permit`), or reading ACLs (see `grants`).

use crate::gate::{AccessRequest, Denied, authorize};
use crate::world::buckets::{Bucket, Object};
use crate::world::{Caller, State};
use crrctl_iam::names::AccountId;
use crrctl_iam::{Context, ResourceKind};

/// What an action is performed on.
pub(crate) struct AccessTarget<'a> {
    pub(crate) bucket: &'a Bucket,
    /// The object version that the action reads or changes, if it exists.
    pub(crate) object: Option<&'a Object>,
    pub(crate) action: &'a str,
    pub(crate) arn: String,
}

/// Actions on an object that exists. Only its owner can allow them; every other action on an object
/// is one on the bucket (S3 User Guide, "How Amazon S3 authorizes a request for an object
/// operation").
const ON_OBJECTS: [&str; 15] = [
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersionTagging",
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:GetObjectAttributes",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionAttributes",
    "s3:GetObjectVersionForReplication",
    "s3:GetObjectVersionTagging",
    "s3:PutObjectAcl",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionAcl",
    "s3:PutObjectVersionTagging",
];

/// Actions that support the object's tags as a condition key (Service Authorization Reference,
/// "Actions defined by Amazon S3", `s3:ExistingObjectTag`).
const KNOWS_TAGS: [&str; 12] = [
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersionTagging",
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionTagging",
    "s3:PutObjectAcl",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionAcl",
    "s3:PutObjectVersionTagging",
];

impl AccessTarget<'_> {
    /// Checks that the policies and ACLs allow `caller` to perform the action. `context` returns
    /// the condition keys of the request, as in [`authorize`].
    ///
    /// # Errors
    /// [`Denied`], with the kind of policy that decided.
    pub(crate) fn authorize(
        &self,
        state: &State,
        caller: &Caller,
        context: impl FnOnce() -> Context,
    ) -> Result<(), Denied> {
        let policy = self.policy(state, caller);
        let request = AccessRequest {
            action: self.action,
            arn: self.arn.clone(),
            owner: self.owner(),
            on: policy.as_deref().map(|document| (ResourceKind::Bucket, document)),
        };
        authorize(&state.iam, caller, request, || {
            let mut context = context();
            self.describe(state, &mut context);
            context
        })
    }

    /// Returns the account that owns the resource: the owner of the bucket or of the object.
    pub(super) fn owner(&self) -> &AccountId {
        match self.object {
            Some(object) if self.bucket.has_acls() && ON_OBJECTS.contains(&self.action) => {
                &object.acl.owner
            }
            _ => &self.bucket.owner,
        }
    }

    /// Sets the condition keys for the tags of the object, and for those of a bucket with ABAC (S3
    /// User Guide, "Enabling ABAC in general purpose buckets").
    fn describe(&self, state: &State, context: &mut Context) {
        if let Some(object) = self.object.filter(|_| KNOWS_TAGS.contains(&self.action)) {
            for (name, value) in &object.tags {
                context.set(&format!("s3:ExistingObjectTag/{name}"), value);
            }
        }
        if self.bucket.abac {
            for (name, value) in self.bucket.tags(state.now()) {
                context.set(&format!("aws:ResourceTag/{name}"), value);
                context.set(&format!("s3:BucketTag/{name}"), value);
            }
        }
    }
}
