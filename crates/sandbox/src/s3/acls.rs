//! ACL operations, and the ACLs of new buckets and objects. Where the bucket owner owns every
//! object (`BucketOwnerEnforced`), ACLs are disabled: they can't be set, and the owner has full
//! control (S3 User Guide, "Controlling ownership of objects and disabling ACLs for your bucket").
//! Not for: reading ACLs from requests (see `acl_requests`), or access by them (see
//! `gate::grants`).

use super::acl_requests::{AclHeaders, Owners, rendered, requested};
use super::errors::custom;
use super::object_tags::{find_mut, follow};
use super::permit::refused;
use super::reads::{action_for, find};
use crate::s3::call::{S3Call, nothing, owner};
use crate::world::buckets::{Acl, Bucket, bucket_arn, object_arn};
use crate::world::replication::MetadataChange;
use s3s::dto::{
    CreateBucketInput, GetBucketAclInput, GetBucketAclOutput, GetObjectAclInput,
    GetObjectAclOutput, ObjectOwnership, PutBucketAclInput, PutBucketAclOutput, PutObjectAclInput,
    PutObjectAclOutput,
};
use s3s::{S3Error, S3Result, s3_error};

/// The error where ACLs are disabled.
fn disabled() -> S3Error {
    s3_error!(AccessControlListNotSupported, "The bucket does not allow ACLs")
}

/// The error for grants to others in a bucket that disables ACLs.
pub(super) fn not_with_ownership() -> S3Error {
    let text =
        "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting".to_owned();
    custom(400, "InvalidBucketAclWithObjectOwnership", text)
}

/// Refuses a public ACL where Block Public Access blocks them (S3 User Guide, "Blocking public
/// access to your Amazon S3 storage", `BlockPublicAcls`).
fn check_public(call: &S3Call<'_>, acl: &Acl, bucket: &Bucket, what: &str) -> S3Result<()> {
    if !acl.is_public() || !call.state.blocks(bucket, |block| block.block_public_acls) {
        return Ok(());
    }
    let user = call.caller.arn();
    Err(s3_error!(
        AccessDenied,
        "User: {user} is not authorized to perform: {what} because public ACLs are prevented by the BlockPublicAcls setting in S3 \
         Block Public Access."
    ))
}

/// Returns the ACL of an object that the caller uploads. Where ACLs are disabled, an upload may
/// name only the full control of the bucket owner.
pub(super) fn for_new_object(call: &mut S3Call<'_>, name: &str, key: &str) -> S3Result<Acl> {
    let bucket = call.visit(name)?;
    let headers = AclHeaders::of(&call.headers);
    let preferred = bucket
        .ownership
        .as_ref()
        .is_some_and(|own| own.as_str() == ObjectOwnership::BUCKET_OWNER_PREFERRED);
    let given_up = headers.canned.as_deref() == Some("bucket-owner-full-control");
    let own = if !bucket.has_acls() || (preferred && given_up) {
        &bucket.owner
    } else {
        &call.caller.account
    };
    let owners = Owners { own, bucket: &bucket.owner, object: true };
    let Some(acl) = headers.read(owners)? else { return Ok(Acl::private(own.clone())) };
    let is_disabled = !bucket.has_acls();
    if is_disabled && !(acl.is_full_control_of(&bucket.owner) && headers.names_bucket_owner()) {
        return Err(disabled());
    }
    call.permitted_new(name, key, "s3:PutObjectAcl").map_err(refused)?;
    let arn = object_arn(call.caller.partition(), name, key);
    check_public(call, &acl, bucket, &format!("s3:PutObject on resource: \"{arn}\""))?;
    Ok(acl)
}

/// Returns the ACL of a bucket that the caller creates.
pub(super) fn for_new_bucket(call: &S3Call<'_>, input: &CreateBucketInput) -> S3Result<Acl> {
    let own = &call.caller.account;
    let owners = Owners { own, bucket: own, object: false };
    let Some(acl) = AclHeaders::of(&call.headers).read(owners)? else {
        return Ok(Acl::private(own.clone()));
    };
    let enforced = input
        .object_ownership
        .as_ref()
        .is_none_or(|own| own.as_str() == ObjectOwnership::BUCKET_OWNER_ENFORCED);
    if enforced && acl.names_others() {
        return Err(not_with_ownership());
    }
    if acl.is_public() {
        // A new bucket blocks public access (S3 User Guide, "Default settings for new S3 buckets
        // FAQ").
        return Err(custom(
            400,
            "InvalidBucketAclWithBlockPublicAccessError",
            "Bucket cannot have public ACLs set with BlockPublicAccess enabled".into(),
        ));
    }
    Ok(acl)
}

/// S3 API Reference, `GetBucketAcl`.
pub(super) fn get_bucket(
    call: &mut S3Call<'_>,
    input: GetBucketAclInput,
) -> S3Result<GetBucketAclOutput> {
    let bucket = call.bucket(&input.bucket, "s3:GetBucketAcl")?;
    let shown =
        if bucket.has_acls() { bucket.acl.clone() } else { Acl::private(bucket.owner.clone()) };
    Ok(GetBucketAclOutput { grants: Some(rendered(&shown)), owner: Some(owner(&shown.owner)) })
}

/// S3 API Reference, `PutBucketAcl`.
pub(super) fn put_bucket(
    call: &mut S3Call<'_>,
    input: PutBucketAclInput,
) -> S3Result<PutBucketAclOutput> {
    let headers = AclHeaders::of(&call.headers);
    let account = call.bucket(&input.bucket, "s3:PutBucketAcl")?.owner.clone();
    let owners = Owners { own: &account, bucket: &account, object: false };
    let acl = requested(&headers, input.access_control_policy, owners)?;
    let bucket = call.visit(&input.bucket)?;
    if !bucket.has_acls() {
        return Err(disabled());
    }
    let arn = bucket_arn(call.caller.partition(), &input.bucket);
    check_public(call, &acl, bucket, &format!("s3:PutBucketAcl on resource: \"{arn}\""))?;
    call.find_mut(&input.bucket)?.acl = acl;
    Ok(nothing())
}

/// S3 API Reference, `GetObjectAcl`.
pub(super) fn get_object(
    call: &mut S3Call<'_>,
    input: GetObjectAclInput,
) -> S3Result<GetObjectAclOutput> {
    let at = (&*input.bucket, &*input.key, input.version_id.as_deref());
    let action = action_for(at.2, "s3:GetObjectAcl", "s3:GetObjectVersionAcl");
    let bucket = call.bucket_of(at.0, (at.1, at.2), action)?;
    let (_, object) = find(bucket, at.1, at.2)?;
    let shown =
        if bucket.has_acls() { object.acl.clone() } else { Acl::private(bucket.owner.clone()) };
    Ok(GetObjectAclOutput {
        grants: Some(rendered(&shown)),
        owner: Some(owner(&shown.owner)),
        ..nothing()
    })
}

/// S3 API Reference, `PutObjectAcl`.
pub(super) fn put_object(
    call: &mut S3Call<'_>,
    input: PutObjectAclInput,
) -> S3Result<PutObjectAclOutput> {
    let at = (&*input.bucket, &*input.key, input.version_id.as_deref());
    let action = action_for(at.2, "s3:PutObjectAcl", "s3:PutObjectVersionAcl");
    let headers = AclHeaders::of(&call.headers);
    let (object, _) = find_mut(call, action, at)?;
    let own = object.acl.owner.clone();
    let bucket = call.visit(at.0)?;
    let own = if bucket.has_acls() { own } else { bucket.owner.clone() };
    let owners = Owners { own: &own, bucket: &bucket.owner, object: true };
    let acl = requested(&headers, input.access_control_policy, owners)?;
    if !bucket.has_acls() {
        return Err(disabled());
    }
    let arn = object_arn(call.caller.partition(), at.0, at.1);
    check_public(call, &acl, bucket, &format!("{action} on resource: \"{arn}\""))?;
    find_mut(call, action, at)?.0.acl = acl;
    follow(call, at, MetadataChange::Acl)?;
    Ok(nothing())
}
