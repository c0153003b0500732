//! ACL operations, limited to the ACL that gives full control to the owner and nothing to anyone
//! else: the only ACL under `BucketOwnerEnforced`. Not for: ACLs in uploads (see `writes`), or
//! other grants, which are not modelled.

use super::object_tags::{find_mut, follow};
use super::reads::{action_for, find};
use super::writes::{check_acl, enforced};
use crate::s3::call::{S3Call, nothing, owner};
use crate::world::replication::MetadataChange;
use crrctl_iam::names::AccountId;
use s3s::dto::{
    AccessControlPolicy, GetBucketAclInput, GetBucketAclOutput, GetObjectAclInput,
    GetObjectAclOutput, Grant, Grantee, ObjectCannedACL, Permission, PutBucketAclInput,
    PutBucketAclOutput, PutObjectAclInput, PutObjectAclOutput, Type,
};
use s3s::{S3Error, S3Result, s3_error};

fn everything(account: &AccountId) -> Vec<Grant> {
    let owner = owner(account);
    vec![Grant {
        grantee: Some(Grantee {
            display_name: None,
            email_address: None,
            id: owner.id,
            type_: Type::from_static(Type::CANONICAL_USER),
            uri: None,
        }),
        permission: Some(Permission::from_static(Permission::FULL_CONTROL)),
    }]
}

/// Returns whether a policy gives full control to the owner and nothing to anyone else.
fn says_nothing(policy: &AccessControlPolicy, account: &AccountId) -> bool {
    let grants = policy.grants.as_deref().unwrap_or_default();
    let own = everything(account);
    let id = |grant: &Grant| grant.grantee.as_ref().and_then(|grantee| grantee.id.clone());
    grants.len() == 1
        && grants
            .iter()
            .zip(&own)
            .all(|(one, other)| id(one) == id(other) && one.permission == other.permission)
}

/// Returns whether a request grants access to anyone but the owner of `bucket`. Refuses the request
/// where ACLs are disabled.
macro_rules! grants {
    ($input:ident, $bucket:ident) => {{
        if enforced($bucket) {
            return Err(off());
        }
        let given = $input.access_control_policy.as_ref();
        given.is_some_and(|policy| !says_nothing(policy, &$bucket.owner))
            || [
                &$input.grant_full_control,
                &$input.grant_read,
                &$input.grant_read_acp,
                &$input.grant_write,
                &$input.grant_write_acp,
            ]
            .iter()
            .any(|grant| grant.is_some())
    }};
}

/// The error where ACLs are disabled: the bucket owner owns every object in the bucket, and ACLs
/// can't be set.
fn off() -> S3Error {
    s3_error!(AccessControlListNotSupported, "The bucket does not allow ACLs")
}

/// S3 API Reference, `GetBucketAcl`.
pub(super) fn get_bucket(
    call: &mut S3Call<'_>,
    input: GetBucketAclInput,
) -> S3Result<GetBucketAclOutput> {
    let account = call.bucket(&input.bucket, "s3:GetBucketAcl")?.owner.clone();
    Ok(GetBucketAclOutput { grants: Some(everything(&account)), owner: Some(owner(&account)) })
}

/// S3 API Reference, `PutBucketAcl`: refused where ACLs are disabled (S3 User Guide, "Controlling
/// ownership of objects").
pub(super) fn put_bucket(
    call: &mut S3Call<'_>,
    input: PutBucketAclInput,
) -> S3Result<PutBucketAclOutput> {
    let bucket = call.bucket(&input.bucket, "s3:PutBucketAcl")?;
    let grants = grants!(input, bucket);
    let canned = input.acl.map(|acl| ObjectCannedACL::from(acl.as_str().to_owned()));
    check_acl(bucket, canned.as_ref(), grants)?;
    Ok(nothing())
}

/// S3 API Reference, `GetObjectAcl`.
pub(super) fn get_object(
    call: &mut S3Call<'_>,
    input: GetObjectAclInput,
) -> S3Result<GetObjectAclOutput> {
    let at = (&*input.bucket, &*input.key, input.version_id.as_deref());
    let action = action_for(at.2, "s3:GetObjectAcl", "s3:GetObjectVersionAcl");
    let bucket = call.bucket_of(at.0, at.1, action)?;
    find(bucket, at.1, at.2)?;
    let account = bucket.owner.clone();
    Ok(GetObjectAclOutput {
        grants: Some(everything(&account)),
        owner: Some(owner(&account)),
        ..nothing()
    })
}

/// S3 API Reference, `PutObjectAcl`.
pub(super) fn put_object(
    call: &mut S3Call<'_>,
    input: PutObjectAclInput,
) -> S3Result<PutObjectAclOutput> {
    let at = (&*input.bucket, &*input.key, input.version_id.as_deref());
    find_mut(call, action_for(at.2, "s3:PutObjectAcl", "s3:PutObjectVersionAcl"), at)?;
    let bucket = call.visit(at.0)?;
    let grants = grants!(input, bucket);
    check_acl(bucket, input.acl.as_ref(), grants)?;
    follow(call, at, MetadataChange::Acl)?;
    Ok(nothing())
}
