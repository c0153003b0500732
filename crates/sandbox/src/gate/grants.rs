//! Access to buckets and objects by their ACLs (S3 User Guide, "Access control list (ACL)
//! overview", "Mapping of ACL permissions and access policy permissions"). A grant is evaluated as
//! a statement of a resource-based policy, so that explicit denies and the policies of the caller
//! apply as ever.
//! Not for: setting ACLs (see `s3::acls`), or the decision itself (see `target`).

use crate::gate::AccessTarget;
use crate::world::buckets::acl::{Acl, AclGrantee, AclGroup, AclPermission, canonical_id};
use crate::world::{Caller, State};
use crrctl_iam::{Document, Effect, Principal};
use serde_json::json;
use std::borrow::Cow;

impl AccessTarget<'_> {
    /// Returns the ACL, and the permission in it that allows the action.
    fn decisive(&self) -> Option<(&Acl, AclPermission)> {
        use AclPermission::{Read, ReadAcp, Write, WriteAcp};
        let on_bucket = |permission| Some((&self.bucket.acl, permission));
        let on_object = |permission| Some((&self.object?.acl, permission));
        match self.action {
            "s3:ListBucket" | "s3:ListBucketVersions" | "s3:ListBucketMultipartUploads" => {
                on_bucket(Read)
            }
            "s3:PutObject" | "s3:DeleteObject" => on_bucket(Write),
            // The ACL of an object that the request creates.
            "s3:PutObjectAcl" if self.object.is_none() => on_bucket(Write),
            "s3:GetBucketAcl" => on_bucket(ReadAcp),
            "s3:PutBucketAcl" => on_bucket(WriteAcp),
            // S3 replicates another account's object with READ and READ_ACP (S3 User Guide,
            // "Requirements and considerations for replication").
            "s3:GetObject" | "s3:GetObjectVersion" | "s3:GetObjectVersionForReplication" => {
                on_object(Read)
            }
            "s3:GetObjectAcl" | "s3:GetObjectVersionAcl" => on_object(ReadAcp),
            "s3:PutObjectAcl" | "s3:PutObjectVersionAcl" => on_object(WriteAcp),
            _ => None,
        }
    }

    /// Returns the principal of the statement that stands for the ACL's grants to `caller`.
    fn granted(&self, state: &State, caller: &Caller) -> Option<String> {
        let (acl, permission) = self.decisive().filter(|_| self.bucket.has_acls())?;
        let others = self.object.is_some_and(|object| object.acl.owner != caller.account);
        if permission == AclPermission::Write && others {
            // WRITE lets a grantee create objects, and change its own objects only.
            return None;
        }
        let ignored = state.blocks(self.bucket, |block| block.ignore_public_acls);
        let signed = caller.principal != Principal::Anonymous;
        // The owner's users need no grant, but a policy of their own.
        let own = caller.account == *self.owner();
        let id = canonical_id(&caller.account);
        let mut given = acl.grants.iter().filter(|grant| grant.gives(permission));
        given.find_map(|grant| match &grant.grantee {
            AclGrantee::Account(other) if *other == id && !own => Some(caller.account.to_string()),
            AclGrantee::Group(AclGroup::AllUsers) if !ignored => Some("*".to_owned()),
            AclGrantee::Group(AclGroup::AuthenticatedUsers) if !ignored && signed => {
                Some("*".to_owned())
            }
            _ => None,
        })
    }

    /// Returns the bucket policy that applies to `caller`, with a statement for what the ACL grants
    /// the caller. The allows of a bucket policy do not apply to objects of another owner (S3 User
    /// Guide, "Controlling ownership of objects").
    pub(super) fn policy<'a>(
        &'a self,
        state: &'a State,
        caller: &Caller,
    ) -> Option<Cow<'a, Document>> {
        let policy = state.policy_for(self.bucket, caller).map(Cow::Borrowed);
        let foreign = *self.owner() != self.bucket.owner;
        let grant = self.granted(state, caller);
        if !foreign && grant.is_none() {
            return policy;
        }
        let mut document = match policy {
            Some(policy) => policy.into_owned(),
            None => Document { version: None, id: None, statements: Vec::new() },
        };
        document.statements.retain(|statement| !foreign || statement.effect == Effect::Deny);
        if let Some(principal) = grant {
            // The policy is for this request alone, and a pattern could not name every key.
            let statement = json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Principal": { "AWS": principal },
                    "Action": self.action,
                    "Resource": "*",
                }],
            });
            document.statements.extend(Document::parse(&statement).ok()?.statements);
        }
        Some(Cow::Owned(document))
    }
}
